import type {
  Clause, ColumnRef, DatasetQuery, Expression, FieldOptions, Join, JoinStrategy, NamedExpression, OrderBy, Query, Ref,
  Source, Stage,
} from "./types";
import { isClause } from "./clauses";

type Json = Record<string, unknown>;

export const emptyStage = (source: Source | null = null): Stage => ({
  source, joins: [], expressions: [], filters: [], aggregations: [], breakouts: [], fields: null, orderBy: [],
  limit: null, rest: {},
});
export const tableQuery = (database: number, table: number): Query => ({
  database, stages: [emptyStage({ type: "table", id: table })], rest: {},
});
export const cardQuery = (database: number, card: number): Query => ({
  database, stages: [emptyStage({ type: "card", id: card })], rest: {},
});
/** A query without a source yet: what the builder opens with. */
export const blankQuery = (): Query => ({ database: null, stages: [emptyStage()], rest: {} });

const isObject = (value: unknown): value is Json => value !== null && typeof value === "object" && !Array.isArray(value);

/** Is this SQL rather than a structured query? Understands both spellings. */
export function isNative(query: DatasetQuery): boolean {
  if (query["type"] === "native") return true;
  const stages = query["stages"];
  return Array.isArray(stages) && stages.length === 1 && isObject(stages[0]) && typeof stages[0]["native"] === "string";
}
/** The SQL text and template tags of a native query, whichever way it is spelled; null for a structured one. */
export function nativeOf(query: DatasetQuery): { query: string; "template-tags": Record<string, Json> } | null {
  if (!isNative(query)) return null;
  const stages = query["stages"];
  const stage = Array.isArray(stages) ? (stages[0] as Json) : null;
  const native = stage ?? (isObject(query["native"]) ? query["native"] : {});
  const text = stage ? stage["native"] : native["query"];
  const tags = native["template-tags"] ?? native["template_tags"];
  const byName = Array.isArray(tags)
    ? Object.fromEntries((tags as Json[]).map((tag) => [String(tag["name"]), tag]))
    : isObject(tags) ? (tags as Record<string, Json>) : {};
  return { query: typeof text === "string" ? text : "", "template-tags": byName };
}

/** Reads either spelling into one model. Gives null for SQL and for what is no query at all. */
export function readQuery(input: DatasetQuery | null | undefined): Query | null {
  if (!isObject(input) || isNative(input)) return null;
  const database = typeof input["database"] === "number" ? input["database"] : null;
  if (Array.isArray(input["stages"])) {
    const { "lib/type": _type, database: _database, stages, ...rest } = input;
    return { database, stages: (stages as Json[]).map(readNewStage), rest: dropLib(rest) };
  }
  if (!isObject(input["query"])) return null;
  const { database: _database, type: _type, query, ...rest } = input;
  return { database, stages: readOldStages(query as Json), rest };
}

function dropLib(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !key.startsWith("lib/")));
}

/* ---- the older spelling ------------------------------------------------------------------- */

const listOf = (value: unknown): unknown[] => (value == null ? [] : Array.isArray(value) ? value : [value]);
/** `["count"]` and `"count"` and `[["count"]]` all mean one aggregation. */
function clausesOf(value: unknown): Clause[] {
  if (typeof value === "string") return [[value]];
  if (isClause(value)) return [readClause(value) as Clause];
  return listOf(value).filter((item) => item != null).map((item) => (typeof item === "string" ? [item] : readClause(item)) as Clause);
}
function withNormalKeys(object: Json): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key.replace(/^:/, "").replace(/_/g, "-").toLowerCase(), value]));
}

function readSource(table: unknown): Source | null {
  if (typeof table === "number") return { type: "table", id: table };
  if (typeof table === "string" && table.startsWith("card__")) return { type: "card", id: Number(table.slice(6)) };
  return null;
}

function readOldStages(raw: Json): Stage[] {
  const query = withNormalKeys(raw);
  const inner = query["source-query"];
  if (isObject(inner)) {
    const innerQuery = withNormalKeys(inner);
    if (typeof innerQuery["native"] === "string") {
      return [readOldStage({ ...query, "source-query": undefined }, { type: "native", native: inner })];
    }
    return [...readOldStages(inner), readOldStage({ ...query, "source-query": undefined }, null)];
  }
  return [readOldStage(query, readSource(query["source-table"]))];
}

function readOldStage(query: Json, source: Source | null): Stage {
  const {
    "source-table": _table, "source-query": _query, joins, expressions, filter, aggregation, breakout, fields, limit,
    "order-by": orderBy, ...others
  } = query;
  const rest = Object.fromEntries(Object.entries(others).filter(([, value]) => value != null));
  const aggregations = clausesOf(aggregation).filter((clause) => clause[0] !== "rows");
  return {
    source,
    joins: listOf(joins).filter(isObject).map(readOldJoin),
    expressions: isObject(expressions)
      ? Object.entries(expressions).map(([name, value]): NamedExpression => ({ name, expression: readClause(value) as Expression }))
      : [],
    filters: filter == null ? [] : flatten("and", readClause(filter)),
    aggregations,
    breakouts: refList(breakout) as ColumnRef[],
    fields: fields == null || (Array.isArray(fields) && fields.length === 0) ? null : (refList(fields) as ColumnRef[]),
    orderBy: listOf(orderBy).filter(Array.isArray).map(readOrder),
    limit: typeof limit === "number" ? limit : null,
    rest,
  };
}
function refList(value: unknown): Ref[] {
  if (isClause(value)) return [readRef(value)];
  return listOf(value).filter((item) => item != null).map(readRef);
}
function readOrder(raw: unknown): OrderBy {
  const [first, second] = raw as unknown[];
  const direction = (word: unknown) => (String(word).toLowerCase().startsWith("desc") ? "desc" : "asc");
  if (typeof first === "string" && /^(asc|desc)/i.test(first)) return [direction(first), readRef(second)];
  return [direction(second), readRef(first)];
}
function readOldJoin(raw: Json, index: number): Join {
  const { "source-table": table, "source-query": inner, alias, strategy, condition, fields, ...rest } = withNormalKeys(raw);
  const source: Join["source"] = isObject(inner)
    ? typeof inner["native"] === "string" ? { type: "native", native: inner } : { type: "query", stages: readOldStages(inner) }
    : readSource(table) ?? { type: "native", native: {} };
  return {
    source,
    alias: typeof alias === "string" ? alias : index === 0 ? "__join" : `__join_${index + 1}`,
    strategy: (typeof strategy === "string" ? strategy.toLowerCase().replace(/_/g, "-") : "left-join") as JoinStrategy,
    conditions: condition == null ? [] : flatten("and", readClause(condition)),
    fields: fields === "all" ? "all" : Array.isArray(fields) ? (refList(fields) as ColumnRef[]) : "none",
    rest,
  };
}
/** `["and", a, ["and", b, c]]` is the list a, b, c. */
function flatten(operator: string, clause: unknown): Clause[] {
  if (clause == null) return [];
  if (isClause(clause) && clause[0] === operator) return clause.slice(1).flatMap((item) => flatten(operator, item));
  return [clause as Clause];
}

const operatorName = (name: string) => name.replace(/^:/, "").replace(/_/g, "-").toLowerCase();

/** A reference in today's older spelling, from any of the spellings before it. */
export function readRef(value: unknown): Ref {
  if (typeof value === "number") return ["field", value, null];
  return readClause(value) as unknown as Ref;
}

/** Puts a clause and all its parts into today's older spelling. Literals come back as they are. */
export function readClause(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  if (typeof value[0] !== "string") return value.map(readClause);
  const operator = operatorName(value[0]);
  const args = value.slice(1);
  const merged = (inner: unknown, change: FieldOptions): Ref => {
    const ref = readRef(inner);
    const options = { ...((ref[2] as FieldOptions | null) ?? {}), ...change };
    return (ref[0] === "expression" ? ["expression", ref[1], options] : ["field", ref[1], options]) as Ref;
  };
  switch (operator) {
    case "field-id": return readRef(args[0]);
    case "field-literal": return ["field", args[0], { "base-type": args[1] }];
    case "fk->": {
      const source = readRef(args[0]);
      return merged(args[1], { "source-field": source[1] as number });
    }
    case "joined-field": return merged(args[1], { "join-alias": String(args[0]) });
    case "datetime-field": {
      const unit = args.length > 2 ? args[2] : args[1];
      return merged(args[0], { "temporal-unit": operatorName(String(unit)) as FieldOptions["temporal-unit"] });
    }
    case "binning-strategy": {
      const strategy = operatorName(String(args[1]));
      return merged(args[0], { binning: (strategy === "default" ? { strategy } : { strategy, [strategy]: args[2] }) as FieldOptions["binning"] });
    }
    case "field": {
      if (Array.isArray(args[0])) return merged(args[0], (args[1] as FieldOptions | null) ?? {});
      return ["field", args[0], args[1] == null || Object.keys(args[1] as object).length === 0 ? null : args[1]];
    }
    case "expression": return args[1] == null ? ["expression", args[0]] : ["expression", args[0], args[1]];
    case "named": return ["aggregation-options", readClause(args[0]), { "display-name": args[1] }];
    case "and": case "or": {
      const members = args.filter((item) => item != null).flatMap((item) => flatten(operator, readClause(item)));
      return members.length === 1 ? members[0] : [operator, ...members];
    }
    case "not": {
      const inner = readClause(args[0]);
      return isClause(inner) && inner[0] === "not" ? inner[1] : ["not", inner];
    }
    case "value": return args[0];
    case "if": return ["case", ...args.map(readClause)];
    case "in": return ["=", ...args.map(readClause)];
    case "not-in": return ["!=", ...args.map(readClause)];
    default: return [operator, ...args.map((item) => (Array.isArray(item) ? readClause(item) : item))];
  }
}

/* ---- the newer spelling -------------------------------------------------------------------- */

function readNewStage(raw: Json): Stage {
  const {
    "lib/type": _type, "source-table": table, "source-card": card, joins, expressions, filters, aggregation, breakout,
    fields, "order-by": orderBy, limit, native, ...others
  } = raw;
  const aggregations = listOf(aggregation) as unknown[];
  const uuids = aggregations.map((clause) => String(((clause as unknown[])[1] as Json | undefined)?.["lib/uuid"] ?? ""));
  const read = (clause: unknown) => readNew(clause, uuids);
  const source: Source | null =
    typeof card === "number" ? { type: "card", id: card }
    : typeof native === "string" ? { type: "native", native: dropLib({ native, ...others }) }
    : readSource(table);
  const rest = dropLib(others);
  return {
    source,
    joins: listOf(joins).filter(isObject).map((join, index) => readNewJoin(join, index)),
    expressions: (listOf(expressions) as unknown[][]).map((clause) => ({
      name: String((clause[1] as Json)["lib/expression-name"] ?? ""),
      expression: read(clause) as Expression,
    })),
    filters: (listOf(filters) as unknown[]).flatMap((clause) => flatten("and", read(clause))),
    aggregations: aggregations.map((clause) => {
      const options = ((clause as unknown[])[1] as Json | undefined) ?? {};
      const named = Object.fromEntries(Object.entries(options).filter(([key]) => key === "name" || key === "display-name"));
      const bare = read(clause) as Clause;
      return (Object.keys(named).length > 0 && bare[0] !== "offset" ? ["aggregation-options", bare, named] : bare) as Clause;
    }),
    breakouts: (listOf(breakout) as unknown[]).map((ref) => read(ref) as ColumnRef),
    fields: Array.isArray(fields) && fields.length > 0 ? fields.map((ref) => read(ref) as ColumnRef) : null,
    orderBy: (listOf(orderBy) as unknown[][]).map((clause) => [String(clause[0]) === "desc" ? "desc" : "asc", read(clause[2]) as Ref]),
    limit: typeof limit === "number" ? limit : null,
    rest: typeof native === "string" ? {} : Object.fromEntries(Object.entries(rest).filter(([, value]) => value != null)),
  };
}
function readNewJoin(raw: Json, index: number): Join {
  const { stages, alias, strategy, conditions, fields, ...rest } = raw;
  const inner = (listOf(stages) as Json[]).map(readNewStage);
  const only = inner.length === 1 ? inner[0]! : null;
  const plain = only?.source && isBareStage(only);
  return {
    source: plain && only.source ? only.source : { type: "query", stages: inner },
    alias: typeof alias === "string" ? alias : index === 0 ? "__join" : `__join_${index + 1}`,
    strategy: (typeof strategy === "string" ? strategy : "left-join") as JoinStrategy,
    conditions: (listOf(conditions) as unknown[]).map((clause) => readNew(clause, []) as Clause),
    fields: fields === "all" ? "all" : Array.isArray(fields) ? fields.map((ref) => readNew(ref, []) as ColumnRef) : "none",
    rest: dropLib(rest),
  };
}
export function isBareStage(stage: Stage): boolean {
  return stage.joins.length + stage.expressions.length + stage.filters.length + stage.aggregations.length +
    stage.breakouts.length + stage.orderBy.length === 0 && stage.fields === null && stage.limit === null;
}

/** Trailing options of the older spelling that are more than bookkeeping. */
const TRAILING = ["case-sensitive", "include-current", "mode"];

/** One clause of the newer spelling (options second) in the older one. */
function readNew(value: unknown, uuids: string[]): unknown {
  if (!Array.isArray(value)) return value;
  if (typeof value[0] !== "string" || !isObject(value[1])) return value.map((item) => readNew(item, uuids));
  const operator = value[0];
  const options = value[1];
  const args = value.slice(2);
  const kept = Object.fromEntries(
    Object.entries(options).filter(([key]) => !key.startsWith("lib/") && key !== "ident" && key !== "name" && key !== "display-name"),
  );
  const inner = args.map((item) => readNew(item, uuids));
  switch (operator) {
    case "field": return ["field", args[0], Object.keys(kept).length === 0 ? null : kept];
    case "expression": {
      const { "base-type": _base, "effective-type": _effective, ...more } = kept;
      return Object.keys(more).length === 0 ? ["expression", args[0]] : ["expression", args[0], kept];
    }
    case "aggregation": {
      const index = uuids.indexOf(String(args[0]));
      return ["aggregation", index < 0 ? 0 : index];
    }
    case "value": return args[0];
    case "case": case "if": return inner.length > 1 ? ["case", inner[0], { default: inner[1] }] : ["case", inner[0]];
    case "offset": return ["offset", { name: String(options["name"] ?? "offset"), ...kept }, ...inner];
    case "in": return ["=", ...inner];
    case "not-in": return ["!=", ...inner];
    case "contains": case "does-not-contain": case "starts-with": case "ends-with": {
      const trailing = Object.fromEntries(Object.entries(kept).filter(([key]) => TRAILING.includes(key)));
      if (inner.length > 2) return [operator, trailing, ...inner];
      return Object.keys(trailing).length === 0 ? [operator, ...inner] : [operator, ...inner, trailing];
    }
    case "time-interval":
      return kept["include-current"] === undefined ? [operator, ...inner] : [operator, ...inner, { "include-current": kept["include-current"] }];
    default: return [operator, ...inner];
  }
}

/* ---- writing ------------------------------------------------------------------------------- */

/** The query as it is stored and sent: the older spelling. */
export function writeQuery(query: Query): DatasetQuery {
  return { ...query.rest, database: query.database, type: "query", query: writeStages(query.stages) };
}
function writeStages(stages: Stage[]): Json {
  return stages.reduce<Json | null>((inner, stage) => writeStage(stage, inner), null) ?? {};
}
function writeStage(stage: Stage, inner: Json | null): Json {
  const out: Json = { ...stage.rest };
  if (inner) out["source-query"] = inner;
  else if (stage.source?.type === "table") out["source-table"] = stage.source.id;
  else if (stage.source?.type === "card") out["source-table"] = `card__${stage.source.id}`;
  else if (stage.source?.type === "native") out["source-query"] = stage.source.native;
  if (stage.joins.length > 0) out["joins"] = stage.joins.map(writeJoin);
  if (stage.expressions.length > 0)
    out["expressions"] = Object.fromEntries(stage.expressions.map((item) => [item.name, item.expression]));
  const filter = joined(stage.filters);
  if (filter) out["filter"] = filter;
  if (stage.aggregations.length > 0) out["aggregation"] = stage.aggregations;
  if (stage.breakouts.length > 0) out["breakout"] = stage.breakouts;
  if (stage.fields && stage.fields.length > 0 && stage.aggregations.length + stage.breakouts.length === 0)
    out["fields"] = stage.fields;
  if (stage.orderBy.length > 0) out["order-by"] = stage.orderBy;
  if (stage.limit !== null) out["limit"] = stage.limit;
  return out;
}
function writeJoin(join: Join): Json {
  const out: Json = { ...join.rest, alias: join.alias, strategy: join.strategy, fields: join.fields };
  if (join.source.type === "table") out["source-table"] = join.source.id;
  else if (join.source.type === "card") out["source-table"] = `card__${join.source.id}`;
  else if (join.source.type === "query") out["source-query"] = writeStages(join.source.stages);
  else out["source-query"] = join.source.native;
  const condition = joined(join.conditions);
  if (condition) out["condition"] = condition;
  return out;
}
/** One clause that says that all of these hold; null for none. */
export function joined(clauses: Clause[]): Clause | null {
  if (clauses.length === 0) return null;
  return clauses.length === 1 ? clauses[0]! : ["and", ...clauses];
}

/** Do both say the same? Compares what would be sent. */
export function sameQuery(a: DatasetQuery | null, b: DatasetQuery | null): boolean {
  const text = (query: DatasetQuery | null) => {
    if (!query) return "null";
    const read = readQuery(query);
    return stable(read ? writeQuery(read) : query);
  };
  return text(a) === text(b);
}
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(",")}]`;
  if (isObject(value))
    return `{${Object.keys(value).filter((key) => value[key] !== undefined).sort().map((key) => `${JSON.stringify(key)}:${stable(value[key])}`).join(",")}}`;
  return JSON.stringify(value) ?? "null";
}
