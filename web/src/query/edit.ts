import type {
  Binning, Catalog, Clause, Column, ColumnRef, Expression, Join, JoinStrategy, OrderBy, Query, Ref, Source, Stage, TemporalUnit,
} from "./types";
import { isRef, mapRefs, optionsOf, refsIn, sameColumn, sameRef, withBinning, withUnit } from "./clauses";
import { flatColumns, joinColumns, outputColumns, sourceTableId, visibleColumns } from "./columns";
import { isDate, isMeasure, unitsFor } from "./kinds";
import { emptyStage, isBareStage } from "./read";
import { sourceName } from "./names";

/* Every function here gives a new query and leaves the old one as it was. */

export function withStage(query: Query, index: number, change: (stage: Stage) => Stage): Query {
  return { ...query, stages: query.stages.map((stage, i) => (i === index ? change(stage) : stage)) };
}
const replaced = <T>(list: T[], index: number, item: T): T[] => list.map((old, i) => (i === index ? item : old));
const removed = <T>(list: T[], index: number): T[] => list.filter((_, i) => i !== index);

export const lastStage = (query: Query): number => query.stages.length - 1;
export const isSummarized = (stage: Stage): boolean => stage.aggregations.length + stage.breakouts.length > 0;
/** May the query be run: does it have a source? */
export const isRunnable = (query: Query): boolean => query.database !== null && query.stages[0]?.source != null;

/** Starts over from another source. */
export const withSource = (query: Query, database: number, source: Source): Query => ({
  ...query, database, stages: [emptyStage(source)],
});

/* ---- stages ---- */
export const addStage = (query: Query): Query => ({ ...query, stages: [...query.stages, emptyStage()] });
/** Without that stage and the later ones; the first stage stays. */
export const cutStages = (query: Query, from: number): Query => ({ ...query, stages: query.stages.slice(0, Math.max(1, from)) });
/** Without trailing stages that do nothing. */
export function trimStages(query: Query): Query {
  let last = query.stages.length - 1;
  while (last > 0 && isBareStage(query.stages[last]!)) last--;
  return last === query.stages.length - 1 ? query : { ...query, stages: query.stages.slice(0, last + 1) };
}

/* ---- joins ---- */
/** A new join of that source: its alias is unused and its condition follows a key, where there is one. */
export function newJoin(catalog: Catalog, query: Query, stageIndex: number, source: Source): Join {
  const stage = query.stages[stageIndex]!;
  const taken = new Set(stage.joins.map((join) => join.alias.toLowerCase()));
  const name = sourceName(catalog, source);
  let alias = name;
  for (let n = 2; taken.has(alias.toLowerCase()); n++) alias = `${name} ${n}`;
  const join: Join = { source, alias, strategy: "left-join", conditions: [], fields: "all", rest: {} };
  const condition = suggestedCondition(catalog, query, stageIndex, join);
  return condition ? { ...join, conditions: [condition] } : join;
}
/** A condition along a foreign key in either direction, else along equal names. */
export function suggestedCondition(catalog: Catalog, query: Query, stageIndex: number, join: Join): Clause | null {
  const left = flatColumns(visibleColumns(catalog, query, stageIndex, { upToJoin: query.stages[stageIndex]!.joins.length, implicit: false }));
  const right = joinColumns(catalog, query, join);
  const match = (test: (a: Column, b: Column) => boolean): Clause | null => {
    for (const a of left) for (const b of right) if (test(a, b)) return ["=", a.ref, b.ref];
    return null;
  };
  return (
    match((a, b) => a.fkTargetFieldId !== null && a.fkTargetFieldId === b.fieldId) ??
    match((a, b) => b.fkTargetFieldId !== null && b.fkTargetFieldId === a.fieldId) ??
    match((a, b) => a.name.toLowerCase() === b.name.toLowerCase() && a.effectiveType === b.effectiveType && /id$/i.test(a.name))
  );
}
export const addJoin = (query: Query, index: number, join: Join): Query =>
  withStage(query, index, (stage) => ({ ...stage, joins: [...stage.joins, join] }));
export const replaceJoin = (query: Query, index: number, at: number, join: Join): Query =>
  withStage(query, index, (stage) => ({ ...stage, joins: replaced(stage.joins, at, join) }));
export const withStrategy = (join: Join, strategy: JoinStrategy): Join => ({ ...join, strategy });
/** Without the join, and without all that spoke of its columns. */
export function removeJoin(query: Query, index: number, at: number): Query {
  const alias = query.stages[index]!.joins[at]?.alias;
  const speaks = (value: unknown) => refsIn(value).some((ref) => optionsOf(ref)["join-alias"] === alias);
  return withStage(query, index, (stage) => pruned({ ...stage, joins: removed(stage.joins, at).filter((join) => !speaks(join.conditions)) }, speaks));
}
/** Drops the clauses that speak of something gone, then what spoke of those. */
function pruned(stage: Stage, speaks: (value: unknown) => boolean): Stage {
  const goneExpressions = stage.expressions.filter((item) => speaks(item.expression)).map((item) => item.name);
  const goneAggregations = stage.aggregations.map((item, i) => (speaks(item) ? i : -1)).filter((i) => i >= 0);
  let out: Stage = {
    ...stage,
    expressions: stage.expressions.filter((item) => !speaks(item.expression)),
    filters: stage.filters.filter((item) => !speaks(item)),
    breakouts: stage.breakouts.filter((item) => !speaks(item)),
    orderBy: stage.orderBy.filter((item) => !speaks(item)),
    fields: stage.fields ? emptyToNull(stage.fields.filter((item) => !speaks(item))) : null,
  };
  for (const at of goneAggregations.reverse()) out = withoutAggregation(out, at);
  if (goneExpressions.length > 0)
    out = pruned(out, (value) => refsIn(value).some((ref) => ref[0] === "expression" && goneExpressions.includes(ref[1])));
  return out;
}
const emptyToNull = <T>(list: T[]): T[] | null => (list.length === 0 ? null : list);

/* ---- custom columns ---- */
export const addExpression = (query: Query, index: number, name: string, expression: Expression): Query =>
  withStage(query, index, (stage) => {
    const expressions = [...stage.expressions, { name: freeName(stage, name), expression }];
    const added: ColumnRef = ["expression", expressions[expressions.length - 1]!.name];
    return { ...stage, expressions, fields: stage.fields ? [...stage.fields, added] : null };
  });
/** Replaces a custom column; a new name is carried to all that uses it. */
export function replaceExpression(query: Query, index: number, at: number, name: string, expression: Expression): Query {
  return withStage(query, index, (stage) => {
    const old = stage.expressions[at]?.name ?? name;
    const others = { ...stage, expressions: removed(stage.expressions, at) };
    const fresh = freeName(others, name);
    const rename = <T>(value: T): T =>
      old === fresh ? value : mapRefs(value, (ref) => (ref[0] === "expression" && ref[1] === old ? (ref[2] == null ? ["expression", fresh] : ["expression", fresh, ref[2]]) : ref));
    return {
      ...stage,
      expressions: stage.expressions.map((item, i) => (i === at ? { name: fresh, expression } : { ...item, expression: rename(item.expression) })),
      filters: rename(stage.filters), aggregations: rename(stage.aggregations), breakouts: rename(stage.breakouts),
      orderBy: rename(stage.orderBy), fields: rename(stage.fields),
    };
  });
}
export function removeExpression(query: Query, index: number, at: number): Query {
  const name = query.stages[index]!.expressions[at]?.name;
  return withStage(query, index, (stage) =>
    pruned({ ...stage, expressions: removed(stage.expressions, at) }, (value) =>
      refsIn(value).some((ref) => ref[0] === "expression" && ref[1] === name)));
}
function freeName(stage: Stage, wanted: string): string {
  const taken = new Set(stage.expressions.map((item) => item.name));
  let name = wanted.trim();
  for (let n = 2; taken.has(name); n++) name = `${wanted.trim()} (${n})`;
  return name;
}

/* ---- filters ---- */
export const addFilter = (query: Query, index: number, filter: Clause): Query =>
  withStage(query, index, (stage) => ({ ...stage, filters: [...stage.filters, filter] }));
export const replaceFilter = (query: Query, index: number, at: number, filter: Clause): Query =>
  withStage(query, index, (stage) => ({ ...stage, filters: replaced(stage.filters, at, filter) }));
export const removeFilter = (query: Query, index: number, at: number): Query =>
  withStage(query, index, (stage) => ({ ...stage, filters: removed(stage.filters, at) }));
export const clearFilters = (query: Query): Query => ({ ...query, stages: query.stages.map((stage) => ({ ...stage, filters: [] })) });
/** All filters with where they stand. */
export const allFilters = (query: Query): { stage: number; at: number; filter: Clause }[] =>
  query.stages.flatMap((stage, index) => stage.filters.map((filter, at) => ({ stage: index, at, filter })));

/* ---- summaries ---- */
/** The first summary takes the chosen columns away: they have no meaning any more. */
export const addAggregation = (query: Query, index: number, aggregation: Clause): Query =>
  withStage(query, index, (stage) => tidy({ ...stage, fields: null, aggregations: [...stage.aggregations, aggregation] }));
export const replaceAggregation = (query: Query, index: number, at: number, aggregation: Clause): Query =>
  withStage(query, index, (stage) => ({ ...stage, aggregations: replaced(stage.aggregations, at, aggregation) }));
export const removeAggregation = (query: Query, index: number, at: number): Query =>
  dropBrokenStages(withStage(query, index, (stage) => withoutAggregation(stage, at)), index);
function withoutAggregation(stage: Stage, at: number): Stage {
  const shift = (ref: Ref): Ref => (ref[0] === "aggregation" && ref[1] > at ? ["aggregation", ref[1] - 1] : ref);
  const speaks = (value: unknown) => refsIn(value).some((ref) => ref[0] === "aggregation" && ref[1] === at);
  return tidy({
    ...stage,
    aggregations: removed(stage.aggregations, at).filter((item) => !speaks(item)).map((item) => mapRefs(item, shift)),
    orderBy: stage.orderBy.filter((item) => !speaks(item)).map((item) => mapRefs(item, shift)),
  });
}
/** Orders by something a summary no longer gives out would be refused: such orders go. */
function tidy(stage: Stage): Stage {
  if (!isSummarized(stage)) return { ...stage, orderBy: stage.orderBy.filter(([, ref]) => ref[0] !== "aggregation") };
  return {
    ...stage,
    orderBy: stage.orderBy.filter(([, ref]) => ref[0] === "aggregation" || stage.breakouts.some((breakout) => sameColumn(breakout, ref))),
  };
}
/** A later stage that speaks of a result column cannot stand when the stage before no longer summarizes. */
function dropBrokenStages(query: Query, index: number): Query {
  return isSummarized(query.stages[index]!) ? query : cutStages(query, index + 1);
}

/** How a column is grouped when one just picks it: months for dates, bins for measures. */
export function defaultBreakout(column: Column): ColumnRef {
  const ref = column.ref as ColumnRef;
  if (isDate(column) && column.unit === null) return withUnit(ref, defaultUnit(column));
  if (column.origin !== "previous" && (isMeasure(column) || column.semanticType === "type/Latitude" || column.semanticType === "type/Longitude") && canBin(column))
    return withBinning(ref, { strategy: "default" });
  return ref;
}
/** Months, unless the column spans little or much time. */
export function defaultUnit(column: Column): TemporalUnit {
  const span = (column.fingerprint as { type?: { "type/DateTime"?: { earliest?: string; latest?: string } } } | null)?.type?.["type/DateTime"];
  if (!span?.earliest || !span.latest) return unitsFor(column).includes("month") ? "month" : "hour";
  const days = (Date.parse(span.latest) - Date.parse(span.earliest)) / 86_400_000;
  if (days < 1 && unitsFor(column).includes("hour")) return days < 0.1 ? "minute" : "hour";
  if (days < 31) return "day";
  return days > 365 * 30 ? "year" : "month";
}
/** The server needs the column's smallest and largest value to lay out bins. */
export function canBin(column: Column): boolean {
  const numbers = (column.fingerprint as { type?: { "type/Number"?: { min?: unknown; max?: unknown } } } | null)?.type?.["type/Number"];
  return column.origin !== "expression" && typeof numbers?.min === "number" && typeof numbers.max === "number";
}
export const binningsFor = (column: Column): Binning[] => {
  if (!canBin(column)) return [];
  if (column.semanticType === "type/Latitude" || column.semanticType === "type/Longitude")
    return [{ strategy: "default" }, ...[0.1, 1, 10, 20].map((width): Binning => ({ strategy: "bin-width", "bin-width": width }))];
  return [{ strategy: "default" }, ...[10, 50, 100].map((n): Binning => ({ strategy: "num-bins", "num-bins": n }))];
};

export const addBreakout = (query: Query, index: number, ref: ColumnRef): Query =>
  withStage(query, index, (stage) =>
    stage.breakouts.some((breakout) => sameRef(breakout, ref)) ? stage : tidy({ ...stage, fields: null, breakouts: [...stage.breakouts, ref] }));
/** A new bucket of an ordered column is carried to its order. */
export const replaceBreakout = (query: Query, index: number, at: number, ref: ColumnRef): Query =>
  withStage(query, index, (stage) => {
    const old = stage.breakouts[at];
    return tidy({
      ...stage, breakouts: replaced(stage.breakouts, at, ref),
      orderBy: stage.orderBy.map((item): OrderBy => (old && sameRef(item[1], old) ? [item[0], ref] : item)),
    });
  });
export const removeBreakout = (query: Query, index: number, at: number): Query =>
  dropBrokenStages(withStage(query, index, (stage) => tidy({ ...stage, breakouts: removed(stage.breakouts, at) })), index);
export const clearSummary = (query: Query, index: number): Query =>
  cutStages(withStage(query, index, (stage) => tidy({ ...stage, aggregations: [], breakouts: [] })), index + 1);

/** Columns to order by: what the stage gives out. */
export function orderableColumns(catalog: Catalog, query: Query, index = lastStage(query)): Column[] {
  const stage = query.stages[index]!;
  return isSummarized(stage) ? outputColumns(catalog, query, index) : flatColumns(visibleColumns(catalog, query, index));
}

/* ---- order, limit, columns ---- */
/** Orders by that column, in place of an earlier order by it. */
export const addOrder = (query: Query, index: number, order: OrderBy): Query =>
  withStage(query, index, (stage) => ({ ...stage, orderBy: [...stage.orderBy.filter((item) => !sameRef(item[1], order[1])), order] }));
export const replaceOrder = (query: Query, index: number, at: number, order: OrderBy): Query =>
  withStage(query, index, (stage) => ({ ...stage, orderBy: replaced(stage.orderBy, at, order) }));
export const removeOrder = (query: Query, index: number, at: number): Query =>
  withStage(query, index, (stage) => ({ ...stage, orderBy: removed(stage.orderBy, at) }));
/** Orders by that column alone. */
export const setOrder = (query: Query, index: number, order: OrderBy | null): Query =>
  withStage(query, index, (stage) => ({ ...stage, orderBy: order ? [order] : [] }));
export const setLimit = (query: Query, index: number, limit: number | null): Query =>
  withStage(query, index, (stage) => ({ ...stage, limit: limit === null || !Number.isFinite(limit) || limit < 1 ? null : Math.floor(limit) }));
/** The columns to show; null or an empty list for all. */
export const setFields = (query: Query, index: number, fields: ColumnRef[] | null): Query =>
  withStage(query, index, (stage) => ({ ...stage, fields: fields && fields.length > 0 ? fields : null }));

/** The query up to one step of a stage, for its first rows. */
export type StepKind = "data" | "join" | "expression" | "filter" | "summarize" | "sort" | "limit";
export function upTo(query: Query, index: number, step: StepKind): Query {
  const order: StepKind[] = ["data", "join", "expression", "filter", "summarize", "sort", "limit"];
  const upto = order.indexOf(step);
  const cut = cutStages(query, index + 1);
  return withStage(cut, index, (stage) => ({
    ...stage,
    joins: upto >= 1 ? stage.joins : [],
    expressions: upto >= 2 ? stage.expressions : [],
    filters: upto >= 3 ? stage.filters : [],
    aggregations: upto >= 4 ? stage.aggregations : [],
    breakouts: upto >= 4 ? stage.breakouts : [],
    orderBy: upto >= 5 ? stage.orderBy : [],
    limit: upto >= 6 ? stage.limit : null,
    fields: upto >= 4 ? stage.fields : (stage.fields?.filter((ref) => upto >= 2 || ref[0] === "field") ?? null),
  }));
}

/** Tables and questions a query reads, as table ids (`card__4` for a question). */
export function sourcesOf(query: Query): (number | string)[] {
  const ids = query.stages.flatMap((stage) => [
    ...(stage.source ? [sourceTableId(stage.source)] : []),
    ...stage.joins.flatMap((join) => (join.source.type === "query" ? sourcesOf({ database: null, stages: join.source.stages, rest: {} }) : [sourceTableId(join.source)])),
  ]);
  return [...new Set(ids.filter((id): id is number | string => id !== null))];
}

/** The same column in another bucket, keeping what else is said of it. */
export const rebucket = (ref: ColumnRef, unit: TemporalUnit): ColumnRef => withUnit(ref, unit);
/** Is a column already among the breakouts, in whatever bucket? Gives its place, or -1. */
export const breakoutOf = (stage: Stage, column: Column): number =>
  isRef(column.ref) ? stage.breakouts.findIndex((ref) => sameColumn(ref, column.ref as Ref)) : -1;
