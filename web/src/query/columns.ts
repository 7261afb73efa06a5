import type {
  AggregationRef, Catalog, Clause, Column, ColumnGroup, ColumnRef, Expression, FieldMeta, Join, Query, Ref, Source, Stage, TableMeta,
} from "./types";
import { aggregationOptions, bareAggregation, isClause, isRef, optionsOf, refKey, sameColumn, unitOf } from "./clauses";
import { isExtraction, kindOfType } from "./kinds";
import { aggregationName, columnName, sourceName } from "./names";
import { say } from "./words";

/** A catalog over tables that are loaded; virtual tables of saved questions have the id `card__17`. */
export function catalogOf(tables: Iterable<TableMeta>): Catalog {
  const byId = new Map<string, TableMeta>();
  const fields = new Map<number, FieldMeta>();
  for (const table of tables) {
    byId.set(String(table.id), table);
    const virtual = typeof table.id === "string";
    for (const field of table.fields ?? []) {
      if (typeof field.id !== "number") continue;
      // A saved question repeats its table's fields; the table itself knows them best.
      if (!virtual || !fields.has(field.id)) fields.set(field.id, { table_id: table.id, ...field });
    }
  }
  return { table: (id) => byId.get(String(id)), field: (id) => fields.get(id) };
}

export const sourceTableId = (source: Source): number | string | null =>
  source.type === "table" ? source.id : source.type === "card" ? `card__${source.id}` : null;

/** Tables whose metadata the query needs and the catalog lacks. Load them, ask again, until it is empty. */
export function missingTables(query: Query, catalog: Catalog): (number | string)[] {
  const wanted = new Set<number | string>();
  const want = (source: Source | null) => {
    const id = source ? sourceTableId(source) : null;
    if (id === null) return;
    wanted.add(id);
    for (const field of catalog.table(id)?.fields ?? []) {
      const target = targetTable(field, catalog);
      if (target !== null) wanted.add(target);
    }
  };
  const walk = (stages: Stage[]) => {
    for (const stage of stages) {
      want(stage.source);
      for (const join of stage.joins) join.source.type === "query" ? walk(join.source.stages) : want(join.source);
    }
  };
  walk(query.stages);
  return [...wanted].filter((id) => !catalog.table(id)?.fields);
}
function targetTable(field: FieldMeta, catalog: Catalog): number | string | null {
  const target = field.target ?? (field.fk_target_field_id ? catalog.field(field.fk_target_field_id) : undefined);
  return target?.table_id ?? null;
}

/** Fields people may see, in their order. */
export function shownFields(table: TableMeta | undefined): FieldMeta[] {
  return (table?.fields ?? []).filter(
    (field) => field.active !== false && !["sensitive", "retired", "hidden"].includes(field.visibility_type ?? "normal"),
  );
}

function fromField(field: FieldMeta, ref: ColumnRef, origin: Column["origin"], longName: string): Column {
  return {
    ref, name: field.name, displayName: field.display_name, longName, origin, baseType: field.base_type,
    effectiveType: field.effective_type ?? field.base_type, semanticType: field.semantic_type ?? null,
    fieldId: typeof field.id === "number" ? field.id : null, tableId: field.table_id ?? null,
    fkTargetFieldId: field.fk_target_field_id ?? null, hasFieldValues: field.has_field_values ?? null,
    fingerprint: field.fingerprint ?? null, unit: null, description: field.description ?? null,
  };
}
/** A saved question's columns are addressed by name, a table's by id. */
function fieldRef(field: FieldMeta, table: TableMeta): ColumnRef {
  return typeof table.id === "number" && typeof field.id === "number"
    ? ["field", field.id, null]
    : ["field", field.name, { "base-type": field.base_type }];
}

/** Columns of a source alone, as the first stage refers to them. */
export function sourceColumns(catalog: Catalog, source: Source | null): Column[] {
  const id = source ? sourceTableId(source) : null;
  const table = id === null ? undefined : catalog.table(id);
  if (!table) return nativeColumns(source);
  return shownFields(table).map((field) => fromField(field, fieldRef(field, table), "table", field.display_name));
}
function nativeColumns(source: Source | null): Column[] {
  const metadata = source?.type === "native" ? (source.native["source-metadata"] ?? source.native["result-metadata"]) : null;
  return Array.isArray(metadata)
    ? (metadata as FieldMeta[]).map((field) => fromField(field, ["field", field.name, { "base-type": field.base_type }], "previous", field.display_name))
    : [];
}

/** "Product ID" leads to "Product". */
export const withoutId = (name: string): string => name.replace(/[\s_]*\bid$/i, "").trim() || name;

/** Columns that a foreign key of `columns` leads to, one group per key. */
function implicitGroups(catalog: Catalog, columns: Column[]): ColumnGroup[] {
  return columns.flatMap((key) => {
    if (key.semanticType !== "type/FK" || key.fieldId === null || !isClause(key.ref)) return [];
    const options = optionsOf(key.ref as Ref);
    if (options["source-field"] !== undefined) return [];
    const target = key.fkTargetFieldId === null ? catalog.field(key.fieldId)?.target : catalog.field(key.fkTargetFieldId) ?? catalog.field(key.fieldId)?.target;
    const table = target?.table_id == null ? undefined : catalog.table(target.table_id);
    if (!table?.fields) return [];
    const through = withoutId(key.displayName);
    const alias = options["join-alias"];
    return [{
      id: `implicit/${key.fieldId}/${alias ?? ""}`, name: through, kind: "implicit" as const,
      columns: shownFields(table).filter((field) => typeof field.id === "number").map((field) =>
        fromField(
          field,
          ["field", field.id as number, { "source-field": key.fieldId!, ...(alias ? { "source-field-join-alias": alias } : {}) }],
          "implicit", `${through} → ${field.display_name}`,
        )),
    }];
  });
}

export function joinColumns(catalog: Catalog, query: Query, join: Join): Column[] {
  if (join.source.type !== "query") {
    return sourceColumns(catalog, join.source).map((column) => joinedColumn(column, join));
  }
  const inner: Query = { database: query.database, stages: join.source.stages, rest: {} };
  return outputColumns(catalog, inner).map((column) => joinedColumn(asPrevious(column), join));
}
function joinedColumn(column: Column, join: Join): Column {
  const ref = column.ref as ColumnRef;
  const options = { ...optionsOf(ref), "join-alias": join.alias };
  return {
    ...column, origin: "join", longName: `${join.alias} → ${column.longName}`,
    ref: ref[0] === "expression" ? ["field", ref[1], { "base-type": column.baseType, "join-alias": join.alias }] : ["field", ref[1], options],
  };
}

/** The column as the next stage sees it: by its name in the result. */
function asPrevious(column: Column): Column {
  return {
    ...column, origin: "previous", displayName: column.longName,
    ref: ["field", column.name, { "base-type": column.baseType }],
    unit: isRef(column.ref) ? (unitOf(column.ref as Ref) ?? column.unit) : column.unit,
  };
}

/**
 * Columns that clauses of a stage can use, in groups: its source, what its joins bring, its custom columns, and
 * what foreign keys lead to. `upToJoin` leaves out that join and the later ones (for conditions of a join);
 * `upToExpression` leaves out that custom column and the later ones.
 */
export function visibleColumns(
  catalog: Catalog, query: Query, stageIndex = query.stages.length - 1,
  limits: { upToJoin?: number; upToExpression?: number; implicit?: boolean } = {},
): ColumnGroup[] {
  const stage = query.stages[stageIndex];
  if (!stage) return [];
  const groups: ColumnGroup[] = [];
  const own = stageIndex === 0
    ? sourceColumns(catalog, stage.source)
    : outputColumns(catalog, query, stageIndex - 1).map(asPrevious);
  groups.push({
    id: "source", kind: stageIndex === 0 ? "table" : "previous",
    name: stageIndex === 0 ? sourceName(catalog, stage.source) : say("Results so far"), columns: own,
  });
  const expressions = stage.expressions.slice(0, limits.upToExpression ?? stage.expressions.length);
  const joins = stage.joins.slice(0, limits.upToJoin ?? stage.joins.length);
  for (const join of joins)
    groups.push({ id: `join/${join.alias}`, kind: "join", name: join.alias, columns: joinColumns(catalog, query, join) });
  if (expressions.length > 0 && limits.upToJoin === undefined) {
    groups.push({
      id: "expressions", kind: "expression", name: say("Custom columns"),
      columns: expressions.map((item) => expressionColumn(catalog, query, stageIndex, item.name, item.expression)),
    });
  }
  if (limits.implicit !== false) {
    const explicit = groups.filter((group) => group.kind !== "expression").flatMap((group) => group.columns);
    groups.push(...implicitGroups(catalog, explicit));
  }
  return groups.filter((group) => group.columns.length > 0);
}
export const flatColumns = (groups: ColumnGroup[]): Column[] => groups.flatMap((group) => group.columns);

// Custom columns may speak of each other; a circle (which the server refuses) has no type.
const resolving = new Set<unknown>();
function expressionColumn(catalog: Catalog, query: Query, stageIndex: number, name: string, expression: Expression): Column {
  let type = "type/*";
  if (!resolving.has(expression)) {
    resolving.add(expression);
    try {
      type = expressionType(catalog, query, stageIndex, expression);
    } finally {
      resolving.delete(expression);
    }
  }
  return {
    ref: ["expression", name], name, displayName: name, longName: name, origin: "expression", baseType: type, effectiveType: type,
    semanticType: null, fieldId: null, tableId: null, fkTargetFieldId: null, hasFieldValues: null, fingerprint: null, unit: null, description: null,
  };
}

/** The column behind a reference of a stage; undefined when it is not there (yet). */
export function findColumn(catalog: Catalog, query: Query, stageIndex: number, ref: Ref): Column | undefined {
  if (ref[0] === "aggregation") return outputColumns(catalog, query, stageIndex).find((column) => refKey(column.ref as Ref) === refKey(ref));
  const stage = query.stages[stageIndex];
  if (ref[0] === "expression") {
    const found = stage?.expressions.find((item) => item.name === ref[1]);
    return found ? expressionColumn(catalog, query, stageIndex, found.name, found.expression) : undefined;
  }
  // Custom columns are not among them: their types are found through this very function.
  const columns = flatColumns(visibleColumns(catalog, query, stageIndex, { upToExpression: 0 }));
  const exact = columns.find((column) => sameColumn(column.ref as Ref, ref));
  if (exact) return exact;
  // Be lenient as the server is: an id may stand for a named column of the stage before, a name for a field.
  const [, id, options] = ref;
  const alias = options?.["join-alias"];
  const through = options?.["source-field"];
  const loose = columns.filter((column) => {
    const other = optionsOf(column.ref as Ref);
    if (other["source-field"] !== through) return false;
    if (alias !== undefined && other["join-alias"] !== alias && stageIndex === 0) return false;
    return typeof id === "number" ? column.fieldId === id : column.name === id;
  });
  if (loose.length > 0) return loose[0];
  if (typeof id === "number") {
    const field = catalog.field(id);
    if (field) {
      const key = through === undefined ? undefined : catalog.field(through);
      return fromField(field, ref, key ? "implicit" : "table", key ? `${withoutId(key.display_name)} → ${field.display_name}` : field.display_name);
    }
  }
  return undefined;
}

/** Names are unique in a result, whatever their case: the second `ID` is `ID_2`. */
function uniqueNames(columns: Column[]): Column[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let name = column.name;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${column.name}_${n}`;
    taken.add(name.toLowerCase());
    return name === column.name ? column : { ...column, name };
  });
}

/** What a stage gives out, in the order of the result. References are those of the stage itself. */
export function outputColumns(catalog: Catalog, query: Query, stageIndex = query.stages.length - 1): Column[] {
  const stage = query.stages[stageIndex];
  if (!stage) return [];
  const bucketed = (ref: ColumnRef): Column => {
    const column = findColumn(catalog, query, stageIndex, ref);
    const unit = unitOf(ref);
    const type = isExtraction(unit) ? "type/Integer" : (column?.effectiveType ?? optionsOf(ref)["base-type"] ?? "type/*");
    return {
      ...(column ?? unknownColumn(ref)), ref, displayName: columnName(catalog, query, stageIndex, ref),
      longName: columnName(catalog, query, stageIndex, ref), effectiveType: type, baseType: isExtraction(unit) ? type : (column?.baseType ?? type),
      unit: unit ?? column?.unit ?? null,
    };
  };
  if (stage.aggregations.length + stage.breakouts.length > 0) {
    return uniqueNames([
      ...stage.breakouts.map(bucketed),
      ...stage.aggregations.map((aggregation, index) => aggregationColumn(catalog, query, stageIndex, aggregation, index)),
    ]);
  }
  const groups = visibleColumns(catalog, query, stageIndex, { implicit: false });
  const own = groups.filter((group) => group.kind === "table" || group.kind === "previous").flatMap((group) => group.columns);
  const custom = groups.filter((group) => group.kind === "expression").flatMap((group) => group.columns);
  const base = stage.fields ? stage.fields.map(bucketed) : [...own, ...custom];
  const joined = stage.joins.flatMap((join) =>
    join.fields === "all" ? joinColumns(catalog, query, join) : join.fields === "none" ? [] : join.fields.map(bucketed),
  );
  const seen = new Set<string>();
  return uniqueNames([...base, ...joined].filter((column) => {
    const key = refKey(column.ref as Ref, true);
    return seen.has(key) ? false : (seen.add(key), true);
  }));
}
function unknownColumn(ref: ColumnRef): Column {
  const type = optionsOf(ref)["base-type"] ?? "type/*";
  const name = String(ref[1]);
  return {
    ref, name, displayName: name, longName: name, origin: "table", baseType: type, effectiveType: type, semanticType: null, fieldId: null,
    tableId: null, fkTargetFieldId: null, hasFieldValues: null, fingerprint: null, unit: null, description: null,
  };
}

const RESULT_NAMES: Record<string, string> = {
  count: "count", distinct: "count", sum: "sum", avg: "avg", min: "min", max: "max", stddev: "stddev", var: "var", median: "median",
  percentile: "percentile", "count-where": "count_where", share: "share", "cum-sum": "sum", "cum-count": "count",
};
function aggregationColumn(catalog: Catalog, query: Query, stageIndex: number, aggregation: Clause, index: number): Column {
  const bare = bareAggregation(aggregation);
  const given = aggregationOptions(aggregation);
  const operator = bare[0];
  const argument = isRef(bare[1]) ? findColumn(catalog, query, stageIndex, bare[1]) : undefined;
  const type = aggregationType(catalog, query, stageIndex, bare);
  const keepsMeaning = ["sum", "avg", "min", "max", "median", "cum-sum"].includes(operator);
  const nameFrom = (word: string) => (operator === "sum-where" || operator === "distinct-where") && argument ? `${word}_${argument.name}` : word;
  const name = given.name ?? nameFrom(RESULT_NAMES[operator] ?? (operator.endsWith("-where") ? operator.replace("-", "_") : "expression"));
  const displayName = aggregationName(catalog, query, stageIndex, aggregation);
  return {
    ref: ["aggregation", index] as AggregationRef, name, displayName, longName: displayName, origin: "aggregation", baseType: type,
    effectiveType: type, semanticType: keepsMeaning ? (argument?.semanticType ?? null) : ["count", "distinct", "cum-count", "count-where"].includes(operator) ? "type/Quantity" : operator === "share" ? "type/Percentage" : null,
    fieldId: null, tableId: null, fkTargetFieldId: null, hasFieldValues: null, fingerprint: null, unit: null, description: null,
  };
}
function aggregationType(catalog: Catalog, query: Query, stageIndex: number, bare: Clause): string {
  switch (bare[0]) {
    case "count": case "distinct": case "cum-count": return "type/BigInteger";
    case "avg": case "stddev": case "var": case "share": case "median": case "percentile": case "/": return "type/Float";
    case "count-where": return "type/Integer";
    case "sum": case "min": case "max": case "cum-sum": case "sum-where":
      return expressionType(catalog, query, stageIndex, bare[1] as Expression);
    default: return expressionType(catalog, query, stageIndex, bare);
  }
}

const TEXT_CALLS = new Set(["concat", "substring", "replace", "regex-match-first", "trim", "ltrim", "rtrim", "upper", "lower", "split-part", "text", "collate", "host", "domain", "subdomain", "path", "month-name", "quarter-name", "day-name"]);
const BOOLEAN_CALLS = new Set(["and", "or", "not", "=", "!=", "<", ">", "<=", ">=", "between", "contains", "does-not-contain", "starts-with", "ends-with", "is-null", "not-null", "is-empty", "not-empty", "time-interval", "relative-time-interval", "during", "inside", "segment", "true", "false"]);
const INTEGER_CALLS = new Set(["length", "floor", "ceil", "integer", "datetime-diff", "temporal-extract", "get-year", "get-quarter", "get-month", "get-week", "get-day", "get-day-of-week", "get-hour", "get-minute", "get-second", "count", "distinct"]);

/** The type an expression gives; `type/*` when it cannot be told. */
export function expressionType(catalog: Catalog, query: Query, stageIndex: number, expression: Expression | unknown): string {
  if (typeof expression === "number") return Number.isInteger(expression) ? "type/Integer" : "type/Float";
  if (typeof expression === "boolean") return "type/Boolean";
  if (typeof expression === "string") return /^\d{4}-\d{2}-\d{2}$/.test(expression) ? "type/Date" : /^\d{4}-\d{2}-\d{2}T/.test(expression) ? "type/DateTime" : "type/Text";
  if (!isClause(expression)) return "type/*";
  const inner = (value: unknown) => expressionType(catalog, query, stageIndex, value);
  const [operator, ...args] = expression;
  if (isRef(expression)) {
    if (expression[0] === "aggregation") {
      const aggregation = query.stages[stageIndex]?.aggregations[expression[1]];
      return aggregation ? aggregationType(catalog, query, stageIndex, bareAggregation(aggregation)) : "type/*";
    }
    if (isExtraction(unitOf(expression))) return "type/Integer";
    return findColumn(catalog, query, stageIndex, expression)?.effectiveType ?? optionsOf(expression)["base-type"] ?? "type/*";
  }
  if (TEXT_CALLS.has(operator)) return "type/Text";
  if (BOOLEAN_CALLS.has(operator)) return "type/Boolean";
  if (INTEGER_CALLS.has(operator)) return "type/Integer";
  switch (operator) {
    case "case": {
      const pairs = Array.isArray(args[0]) ? (args[0] as unknown[][]) : [];
      const options = args[1] as { default?: unknown } | undefined;
      const types = [...pairs.map((pair) => inner(pair[1])), ...(options?.default === undefined ? [] : [inner(options.default)])];
      return types.find((type) => type !== "type/*") ?? "type/*";
    }
    case "coalesce": return args.map(inner).find((type) => type !== "type/*") ?? "type/*";
    case "now": case "datetime": case "convert-timezone": return "type/DateTime";
    case "today": case "date": return "type/Date";
    case "datetime-add": case "datetime-subtract": return inner(args[0]);
    case "+": case "-": {
      const types = args.map(inner);
      const date = types.find((type) => ["date", "datetime", "time"].includes(kindOfType(type)));
      if (date) return date;
      return types.every((type) => type === "type/Integer" || type === "type/BigInteger") ? "type/Integer" : "type/Float";
    }
    case "*": return args.map(inner).every((type) => type === "type/Integer") ? "type/Integer" : "type/Float";
    case "offset": return inner(args[1]);
    case "aggregation-options": return inner(args[0]);
    case "abs": case "sum": case "min": case "max": case "cum-sum": case "sum-where": return inner(args[0]);
    case "round": case "/": case "sqrt": case "exp": case "log": case "power": case "float": case "avg": case "median": case "percentile": case "stddev": case "var": case "share":
      return "type/Float";
    default: return "type/*";
  }
}
