import type { Catalog, Clause, Column, ColumnRef, Query, Ref, TemporalUnit } from "./types";
import { bareAggregation, bareRef, isRef, sameColumn, unitOf, withBinning, withUnit } from "./clauses";
import { findColumn, flatColumns, outputColumns, visibleColumns } from "./columns";
import { addAggregation, addBreakout, addFilter, addStage, canBin, cutStages, defaultBreakout, isSummarized, lastStage, setFields, setOrder, withStage } from "./edit";
import { bucketName } from "./filters";
import { isBoolean, isCategory, isCoordinate, isDate, isExtraction, isKey, isMeasure, isNumber, isPlace, isText, unitsFor } from "./kinds";
import { columnName, unitName } from "./names";
import { readClause } from "./read";
import { inside, say } from "./words";

/** A column of a result, as the server describes it. */
export interface ResultColumn {
  name: string;
  display_name: string;
  base_type: string;
  effective_type?: string | null;
  semantic_type?: string | null;
  source?: string | null;
  field_ref?: unknown;
  unit?: string | null;
  binning_info?: { bin_width?: number; min_value?: number; max_value?: number; num_bins?: number } | null;
  id?: unknown;
  fk_target_field_id?: number | null;
}
export interface Dimension {
  column: ResultColumn;
  value: unknown;
}
/** What was clicked: a cell, a point of a chart, or (without `value`) a column's header. */
export interface Click {
  column?: ResultColumn;
  /** undefined for a header. */
  value?: unknown;
  /** The value as the picture shows it, with its currency or unit; what the menu calls it by. */
  text?: string;
  /** The groups the point belongs to: values of the breakouts. */
  dimensions?: Dimension[];
}
export interface DrillAction {
  id: string;
  section: "see" | "zoom" | "breakout" | "filter" | "sort" | "summarize" | "column";
  title: string;
  /** For filters: the sign on the button, `=`, `≠`, `<`, `>`. */
  sign?: string;
  /** The query that the action leads to. */
  query?: Query;
  /** A sub-menu. */
  children?: DrillAction[];
  /** Leads to one row of another table instead of a new query. */
  record?: { tableField: number; key: unknown };
}

/** The clause behind a result column, in the query's last stage. */
export function refOf(query: Query, column: ResultColumn, catalog: Catalog): Ref | null {
  const index = lastStage(query);
  const stage = query.stages[index]!;
  const ref = readClause(column.field_ref);
  if (isRef(ref)) {
    if (ref[0] === "aggregation") return ref;
    if (isSummarized(stage)) {
      const breakout = stage.breakouts.find((item) => sameColumn(item, ref) && (unitOf(item) ?? null) === (unitOf(ref) ?? column.unit ?? unitOf(item))) ?? stage.breakouts.find((item) => sameColumn(item, ref));
      if (breakout) return breakout;
    } else if (findColumn(catalog, query, index, ref)) return ref;
  }
  const output = outputColumns(catalog, query, index).find((item) => item.name.toLowerCase() === column.name.toLowerCase());
  if (output) return output.ref;
  return isRef(ref) ? ref : null;
}

/** Filters that pick one group: a bucket of time, a bin, a value, or its absence. */
export function dimensionFilters(ref: ColumnRef, dimension: Dimension): Clause[] {
  const { value, column } = dimension;
  if (value === null || value === undefined) return [["is-null", bareRef(ref)]];
  const unit = unitOf(ref);
  if (unit && !isExtraction(unit) && unit !== "default") return [["=", ref, dateLiteral(String(value), unit)]];
  if (unit && isExtraction(unit)) return [["=", ref, value]];
  const width = column.binning_info?.bin_width;
  if (typeof width === "number" && typeof value === "number")
    return [[">=", withBinning(ref, null), value], ["<", withBinning(ref, null), Number((value + width).toPrecision(12))]];
  return [["=", bareRef(ref), value]];
}
/** The wall-clock date of a bucket: its offset is the report's, which the server applies again. */
function dateLiteral(value: string, unit: TemporalUnit): string {
  return ["minute", "hour", "second", "millisecond"].includes(unit) ? value.replace(/(Z|[+-]\d{2}:?\d{2})$/, "") : value.slice(0, 10);
}

/** Filters in the last stage where the clause stands before its summary; a filter on a result goes one stage on. */
export function filterByValue(query: Query, ref: Ref, filters: (ref: ColumnRef) => Clause[], catalog: Catalog): Query {
  const index = lastStage(query);
  if (ref[0] !== "aggregation") return filters(ref).reduce((out, filter) => addFilter(out, index, filter), query);
  const output = outputColumns(catalog, query, index).find((column) => column.ref[0] === "aggregation" && column.ref[1] === ref[1]);
  const named: ColumnRef = ["field", output?.name ?? "count", { "base-type": output?.baseType ?? "type/Integer" }];
  return filters(named).reduce((out, filter) => addFilter(out, lastStage(out), filter), addStage(query));
}

/** The rows behind a point: the stage that summarized, without its summary, with the point's groups as filters. */
export function underlyingRecords(query: Query, dimensions: Dimension[], catalog: Catalog, aggregation?: Ref): Query | null {
  let index = lastStage(query);
  while (index > 0 && !isSummarized(query.stages[index]!)) index--;
  const stage = query.stages[index]!;
  if (!isSummarized(stage)) return null;
  const base = cutStages(query, index + 1);
  const filters = dimensions.flatMap((dimension) => {
    const ref = refOf(base, dimension.column, catalog);
    return ref && ref[0] !== "aggregation" ? dimensionFilters(ref, dimension) : [];
  });
  const measured = aggregation?.[0] === "aggregation" ? bareAggregation(stage.aggregations[aggregation[1]] ?? ["count"]) : null;
  const condition = measured?.[0] === "count-where" || measured?.[0] === "share" ? measured[1] : measured?.[0] === "sum-where" || measured?.[0] === "distinct-where" ? measured[2] : null;
  return withStage(base, index, (old) => ({
    ...old, aggregations: [], breakouts: [], orderBy: [], limit: null, fields: null,
    filters: [...old.filters, ...filters, ...(condition ? [condition as Clause] : [])],
  }));
}

const FINER: TemporalUnit[] = ["year", "quarter", "month", "week", "day", "hour", "minute"];
/** The next smaller bucket a column has; null at the smallest. */
export function finerUnit(unit: TemporalUnit, column: Column): TemporalUnit | null {
  const at = FINER.indexOf(unit);
  if (at < 0) return null;
  const allowed = unitsFor(column);
  // A quarter's months come before its weeks; a week goes to days.
  return FINER.slice(at + 1).find((candidate) => allowed.includes(candidate)) ?? null;
}
/** One bucket of time, in smaller buckets. */
export function zoomTime(query: Query, dimension: Dimension, others: Dimension[], catalog: Catalog): { query: Query; unit: TemporalUnit } | null {
  const index = lastStage(query);
  const ref = refOf(query, dimension.column, catalog);
  if (!ref || ref[0] === "aggregation") return null;
  const unit = unitOf(ref);
  const column = findColumn(catalog, query, index, ref);
  const finer = unit && column ? finerUnit(unit, column) : null;
  const at = query.stages[index]!.breakouts.findIndex((item) => sameColumn(item, ref));
  if (!finer || at < 0) return null;
  const filters = [dimension, ...others].flatMap((item) => {
    const other = refOf(query, item.column, catalog);
    return other && other[0] !== "aggregation" ? dimensionFilters(other, item) : [];
  });
  return {
    unit: finer,
    query: withStage(query, index, (stage) => ({
      ...stage, filters: [...withoutTimeFilters(stage.filters, ref), ...filters],
      breakouts: stage.breakouts.map((item, i) => (i === at ? withUnit(item, finer) : item)),
      orderBy: stage.orderBy.map(([direction, item]) => [direction, item[0] !== "aggregation" && sameColumn(item, ref) ? withUnit(item, finer) : item]),
    })),
  };
}
/** An earlier zoom on the same column is replaced, not piled up. */
const withoutTimeFilters = (filters: Clause[], ref: ColumnRef): Clause[] =>
  filters.filter((filter) => !(filter[0] === "=" && isRef(filter[1]) && filter[1][0] !== "aggregation" && sameColumn(filter[1], ref) && unitOf(filter[1]) !== null));

/** The same measures, for the clicked groups, split by another column instead. */
export function breakOutBy(query: Query, dimensions: Dimension[], column: Column, catalog: Catalog): Query {
  const index = lastStage(query);
  const filters = dimensions.flatMap((dimension) => {
    const ref = refOf(query, dimension.column, catalog);
    return ref && ref[0] !== "aggregation" ? dimensionFilters(ref, dimension) : [];
  });
  const kept = withStage(query, index, (stage) => ({
    ...stage, filters: [...stage.filters, ...filters], breakouts: [], orderBy: stage.orderBy.filter(([, ref]) => ref[0] === "aggregation"),
  }));
  return addBreakout(kept, index, defaultBreakout(column));
}

const summaryStage = (query: Query): Query => (isSummarized(query.stages[lastStage(query)]!) ? addStage(query) : query);

/** All that a click can lead to, in the order of the menu. SQL questions have none: give only structured queries. */
export function drillActions(catalog: Catalog, query: Query, click: Click): DrillAction[] {
  const actions: DrillAction[] = [];
  const index = lastStage(query);
  const stage = query.stages[index]!;
  const dimensions = click.dimensions ?? [];
  const ref = click.column ? refOf(query, click.column, catalog) : null;
  const header = click.value === undefined && dimensions.length === 0;
  if (header) return click.column && ref ? headerActions(catalog, query, click.column, ref) : [];

  const isAggregation = ref?.[0] === "aggregation";
  const groups: Dimension[] = dimensions.length > 0 ? dimensions : click.column && !isAggregation && isSummarized(stage) ? [{ column: click.column, value: click.value }] : [];
  if (isSummarized(stage) || query.stages.some(isSummarized)) {
    const records = underlyingRecords(query, groups, catalog, isAggregation ? ref : undefined);
    if (records && groups.length > 0 || (records && isAggregation && stage.breakouts.length === 0)) {
      actions.push({ id: "records", section: "see", title: say("See these records"), query: records! });
    }
  }
  if (isSummarized(stage) && stage.aggregations.length > 0) {
    const time = groups.find((group) => {
      const groupRef = refOf(query, group.column, catalog);
      return groupRef && groupRef[0] !== "aggregation" && group.value != null && FINER.includes(unitOf(groupRef) ?? "default");
    });
    if (time) {
      const zoomed = zoomTime(query, time, groups.filter((group) => group !== time), catalog);
      if (zoomed) actions.push({ id: "zoom", section: "zoom", title: say("See this {{bucket}} by {{unit}}", { bucket: inside(unitName(unitOf(refOf(query, time.column, catalog)!) ?? "day")), unit: inside(unitName(zoomed.unit)) }), query: zoomed.query });
    }
    if (groups.length > 0 || stage.breakouts.length === 0) {
      const choices = breakoutChoices(catalog, query).filter((choice) => choice.columns.length > 0);
      if (choices.length > 0) {
        actions.push({
          id: "breakout", section: "breakout", title: say("Break out by…"),
          children: choices.map((choice) => ({
            id: `breakout-${choice.id}`, section: "breakout" as const, title: choice.title,
            children: choice.columns.slice(0, 24).map((column) => ({
              id: `breakout-${choice.id}-${JSON.stringify(column.ref)}`, section: "breakout" as const, title: column.longName, query: breakOutBy(query, groups, column, catalog),
            })),
          })),
        });
      }
    }
  }
  // A foreign key leads to its row, a key to its own.
  if (click.column && !isAggregation && click.value != null && click.column.semantic_type === "type/FK" && typeof click.column.fk_target_field_id === "number")
    actions.push({ id: "record", section: "see", title: say("See its details"), record: { tableField: click.column.fk_target_field_id, key: click.value } });
  if (click.column && ref && click.value !== undefined) actions.push(...filterActions(catalog, query, ref, click.column, click.value, click.text));
  return actions;
}

function filterActions(catalog: Catalog, query: Query, ref: Ref, column: ResultColumn, value: unknown, text?: string): DrillAction[] {
  const action = (id: string, sign: string, title: string, filters: (ref: ColumnRef) => Clause[]): DrillAction => ({
    id: `filter-${id}`, section: "filter", sign, title, query: filterByValue(query, ref, filters, catalog),
  });
  const name = text ? short(text) : shortValue(value, ref[0] === "aggregation" ? null : unitOf(ref));
  if (value === null) {
    return [
      action("=", "=", say("Only empty"), (item) => [["is-null", bareRef(item)]]),
      action("!=", "≠", say("Without empty"), (item) => [["not-null", bareRef(item)]]),
    ];
  }
  const one = (operator: string) => (item: ColumnRef): Clause[] => {
    const unit = unitOf(item);
    const filters = dimensionFilters(item, { column, value });
    if (filters.length === 1 && filters[0]![0] === "=") return [[operator, ...filters[0]!.slice(1)] as Clause];
    if (operator === "=") return filters;
    if (operator === "!=") return [["or", ["<", bareRef(item), value], [">=", bareRef(item), filters[1]![2]]]];
    return [[operator, unit ? item : bareRef(item), value]];
  };
  const list = [
    action("=", "=", say("Is {{value}}", { value: name }), one("=")),
    action("!=", "≠", say("Is not {{value}}", { value: name }), one("!=")),
  ];
  const type = { base_type: column.base_type, effective_type: column.effective_type ?? null, semantic_type: column.semantic_type ?? null };
  if ((isNumber(type) || isDate(type)) && !isKey(type)) {
    const dated = isDate(type);
    list.unshift(action("<", "<", dated ? say("Before {{value}}", { value: name }) : say("Less than {{value}}", { value: name }), one("<")));
    list.push(action(">", ">", dated ? say("After {{value}}", { value: name }) : say("More than {{value}}", { value: name }), one(">")));
  } else if (isText(type) && typeof value === "string" && value.length > 60) {
    return list.slice(0, 2);
  }
  return list;
}
function shortValue(value: unknown, unit: TemporalUnit | null): string {
  if (typeof value === "string" && unit) return bucketName(value, unit);
  if (typeof value === "number") return value.toLocaleString("en-US", { maximumFractionDigits: 4 });
  const text = typeof value === "string" ? (/^\d{4}-\d{2}-\d{2}(T|$)/.test(value) ? bucketName(value, "minute") : value) : String(value);
  return short(text);
}
const short = (text: string): string => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

/** Columns to split by, sorted into what people ask for: time, place, category. */
export function breakoutChoices(catalog: Catalog, query: Query): { id: string; title: string; columns: Column[] }[] {
  const index = lastStage(query);
  const used = query.stages[index]!.breakouts;
  const columns = flatColumns(visibleColumns(catalog, query, index)).filter((column) => !used.some((ref) => sameColumn(ref, column.ref as Ref)));
  return [
    { id: "category", title: say("Category"), columns: columns.filter((column) => !isPlace(column) && !isKey(column) && (isCategory(column) || isBoolean(column) || (isText(column) && column.hasFieldValues === "list"))) },
    { id: "place", title: say("Place"), columns: columns.filter((column) => isPlace(column)) },
    { id: "time", title: say("Time"), columns: columns.filter(isDate) },
    { id: "number", title: say("Number"), columns: columns.filter((column) => (isMeasure(column) || isCoordinate(column)) && canBin(column)) },
  ];
}

function headerActions(catalog: Catalog, query: Query, column: ResultColumn, ref: Ref): DrillAction[] {
  const index = lastStage(query);
  const stage = query.stages[index]!;
  const type = { base_type: column.base_type, effective_type: column.effective_type ?? null, semantic_type: column.semantic_type ?? null };
  const sorted = stage.orderBy.find(([, item]) => (ref[0] === "aggregation" ? item[0] === "aggregation" && item[1] === ref[1] : item[0] !== "aggregation" && sameColumn(item, ref)))?.[0];
  const actions: DrillAction[] = [];
  if (sorted !== "asc") actions.push({ id: "sort-asc", section: "sort", title: say("Sort ascending"), query: setOrder(query, index, ["asc", ref]) });
  if (sorted !== "desc") actions.push({ id: "sort-desc", section: "sort", title: say("Sort descending"), query: setOrder(query, index, ["desc", ref]) });
  if (sorted) actions.push({ id: "sort-none", section: "sort", title: say("Do not sort"), query: setOrder(query, index, null) });

  const staged = summaryStage(query);
  const at = lastStage(staged);
  const inStage: ColumnRef | null = staged === query ? (ref[0] === "aggregation" ? null : ref) : ["field", column.name, { "base-type": column.base_type }];
  if (inStage) {
    const found = findColumn(catalog, staged, at, inStage);
    if (found && !isKey(type)) actions.push({ id: "distribution", section: "summarize", title: say("Distribution"), query: addBreakout(addAggregation(staged, at, ["count"]), at, defaultBreakout(found)) });
    if (isNumber(type) && !isKey(type)) {
      const time = flatColumns(visibleColumns(catalog, staged, at)).find((item) => isDate(item) && item.origin !== "implicit");
      if (time) actions.push({ id: "sum-over-time", section: "summarize", title: say("Sum over time"), query: addBreakout(addAggregation(staged, at, ["sum", inStage]), at, defaultBreakout(time)) });
      for (const [operator, title] of [["sum", say("Sum")], ["avg", say("Average")], ["min", say("Smallest")], ["max", say("Largest")]] as const)
        actions.push({ id: operator, section: "summarize", title, query: addAggregation(staged, at, [operator, inStage]) });
    }
    actions.push({ id: "distinct", section: "summarize", title: say("Distinct values"), query: addAggregation(staged, at, ["distinct", inStage]) });
  }
  if (!isSummarized(stage) && ref[0] !== "aggregation") {
    const shown = stage.fields ?? (stage.joins.every((join) => join.fields !== "all") ? outputColumns(catalog, query, index).map((item) => item.ref as ColumnRef) : null);
    if (shown && shown.length > 1) actions.push({ id: "hide", section: "column", title: say("Hide this column"), query: setFields(query, index, shown.filter((item) => !sameColumn(item, ref))) });
  }
  return actions;
}

/** "Created At: Month" of a clicked group, for the head of the menu. */
export const dimensionTitle = (catalog: Catalog, query: Query, dimension: Dimension): string => {
  const ref = refOf(query, dimension.column, catalog);
  return ref ? columnName(catalog, query, lastStage(query), ref) : dimension.column.display_name;
};
