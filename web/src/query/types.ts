/** A clause: its operator, then its arguments. Options sit where the older spelling puts them. */
export type Clause = [string, ...unknown[]];
/** A clause, or a literal. */
export type Expression = Clause | string | number | boolean | null;
export type FieldOptions = {
  "base-type"?: string;
  "effective-type"?: string;
  "join-alias"?: string;
  "source-field"?: number;
  "temporal-unit"?: TemporalUnit;
  binning?: Binning;
  [key: string]: unknown;
};
/** `["field", id-or-name, options]` */
export type FieldRef = ["field", number | string, FieldOptions | null];
export type ExpressionRef = ["expression", string] | ["expression", string, FieldOptions | null];
export type AggregationRef = ["aggregation", number];
export type Ref = FieldRef | ExpressionRef | AggregationRef;
export type ColumnRef = FieldRef | ExpressionRef;

export type TruncationUnit =
  | "millisecond" | "second" | "minute" | "hour" | "day" | "week" | "month" | "quarter" | "year";
export type ExtractionUnit =
  | "second-of-minute" | "minute-of-hour" | "hour-of-day" | "day-of-week" | "day-of-month" | "day-of-year"
  | "week-of-year" | "month-of-year" | "quarter-of-year" | "year-of-era";
export type TemporalUnit = TruncationUnit | ExtractionUnit | "default";

export type Binning =
  | { strategy: "default" }
  | { strategy: "num-bins"; "num-bins": number }
  | { strategy: "bin-width"; "bin-width": number };

export type JoinStrategy = "left-join" | "right-join" | "inner-join" | "full-join";
export type Source =
  | { type: "table"; id: number }
  | { type: "card"; id: number }
  | { type: "native"; native: Record<string, unknown> };

export interface Join {
  /** What is joined: a table, a saved question, or a query of its own. */
  source: Source | { type: "query"; stages: Stage[] };
  alias: string;
  strategy: JoinStrategy;
  /** All must hold. */
  conditions: Clause[];
  fields: "all" | "none" | ColumnRef[];
  /** Keys we do not know, kept as they came. */
  rest: Record<string, unknown>;
}

export interface NamedExpression {
  name: string;
  expression: Expression;
}
export type OrderBy = ["asc" | "desc", Ref];

/** One step of a query. Evaluated: joins, expressions, filters, breakouts with aggregations, order, limit. */
export interface Stage {
  /** Only the first stage has one; later ones read the stage before. */
  source: Source | null;
  joins: Join[];
  expressions: NamedExpression[];
  /** All must hold; `["or", …]` members are the "any of" groups. */
  filters: Clause[];
  aggregations: Clause[];
  breakouts: ColumnRef[];
  /** null: all columns. */
  fields: ColumnRef[] | null;
  orderBy: OrderBy[];
  limit: number | null;
  /** Keys we do not know (page, source-metadata, parameters…), kept as they came. */
  rest: Record<string, unknown>;
}

/** A structured query; stages are innermost first and never empty. */
export interface Query {
  database: number | null;
  stages: Stage[];
  /** Outer keys we do not touch: parameters, settings, constraints… */
  rest: Record<string, unknown>;
}

/** What cards hold: either spelling of a structured query, or SQL. */
export type DatasetQuery = Record<string, unknown>;

/** A field as the server describes it; also a column of a saved question. Only what this folder reads. */
export interface FieldMeta {
  id?: number | unknown;
  name: string;
  display_name: string;
  base_type: string;
  effective_type?: string | null;
  semantic_type?: string | null;
  table_id?: number | string | null;
  fk_target_field_id?: number | null;
  visibility_type?: string | null;
  active?: boolean;
  position?: number | null;
  fingerprint?: unknown;
  has_field_values?: string | null;
  target?: FieldMeta | null;
  field_ref?: unknown;
  unit?: string | null;
  description?: string | null;
}
export interface TableMeta {
  /** A number, or `card__17` for a saved question. */
  id: number | string;
  db_id?: number;
  name?: string;
  display_name: string;
  schema?: string | null;
  type?: string | null;
  fields?: FieldMeta[];
  segments?: { id: number; name: string }[];
  metrics?: { id: number; name: string }[];
}
/** Where metadata comes from. Answers undefined for what is not loaded (yet). */
export interface Catalog {
  table(id: number | string): TableMeta | undefined;
  field(id: number): FieldMeta | undefined;
}

export type ColumnOrigin = "table" | "join" | "implicit" | "expression" | "previous" | "aggregation";
/** A column that a stage can use or gives out. */
export interface Column {
  /** How clauses of this stage refer to it. */
  ref: ColumnRef | AggregationRef;
  /** The column's name in the result. */
  name: string;
  /** "Category" */
  displayName: string;
  /** "Products → Category", where it comes through a join. */
  longName: string;
  origin: ColumnOrigin;
  baseType: string;
  effectiveType: string;
  semanticType: string | null;
  fieldId: number | null;
  tableId: number | string | null;
  fkTargetFieldId: number | null;
  hasFieldValues: string | null;
  fingerprint: unknown;
  /** The bucket that an earlier stage already applied. */
  unit: TemporalUnit | null;
  description: string | null;
}
export interface ColumnGroup {
  id: string;
  name: string;
  kind: ColumnOrigin;
  columns: Column[];
}
