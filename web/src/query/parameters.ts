import type { Catalog, Clause, Column, ColumnRef, DatasetQuery, Query, Ref } from "./types";
import { isRef, optionsOf, sameColumn, withUnit } from "./clauses";
import { sourceTableId, visibleColumns } from "./columns";
import { dateFromParameter, dateToClause, describeDate } from "./dates";
import { isBoolean, isCategory, isDate, isKey, isNumber, isPlace, isText } from "./kinds";
import { columnName, unitName } from "./names";
import { nativeOf, readQuery, readClause } from "./read";
import { addFilter, lastStage, replaceBreakout } from "./edit";
import { makeFilter } from "./filters";
import { say } from "./words";

/** A filter of a dashboard (or of a question), as it is stored. */
export interface Parameter {
  id: string;
  name: string;
  slug: string;
  /** `string/=`, `date/all-options`, `number/between`, `id`, `temporal-unit`, … */
  type: string;
  sectionId?: string;
  default?: unknown;
  required?: boolean;
  isMultiSelect?: boolean;
  filteringParameters?: string[];
  values_query_type?: string;
  values_source_type?: string | null;
  values_source_config?: { values?: unknown[]; card_id?: number; value_field?: unknown; label_field?: unknown };
  temporal_units?: string[];
  [key: string]: unknown;
}
export type ParameterTarget = ["dimension", unknown, ({ "stage-number"?: number } | null)?] | ["variable", unknown] | ["text-tag", string];
export interface ParameterMapping {
  parameter_id: string;
  card_id: number | null;
  target: ParameterTarget;
  [key: string]: unknown;
}

/** What people choose a value with. */
export type Widget =
  | { kind: "date"; choices: "all" | "single" | "range" | "relative" | "month" | "quarter" }
  | { kind: "list"; many: boolean }
  | { kind: "text"; many: boolean }
  | { kind: "number"; values: 1 | 2 | "many" }
  | { kind: "boolean" }
  | { kind: "unit" };

export function widgetOf(parameter: Parameter): Widget {
  const [family, operator] = parameter.type.split("/") as [string, string | undefined];
  const many = parameter.isMultiSelect !== false;
  switch (family) {
    case "date":
      switch (operator) {
        case "single": return { kind: "date", choices: "single" };
        case "range": return { kind: "date", choices: "range" };
        case "relative": return { kind: "date", choices: "relative" };
        case "month-year": return { kind: "date", choices: "month" };
        case "quarter-year": return { kind: "date", choices: "quarter" };
        case undefined: return { kind: "date", choices: "single" };
        default: return { kind: "date", choices: "all" };
      }
    case "number":
      if (operator === "between") return { kind: "number", values: 2 };
      if (operator === ">=" || operator === "<=") return { kind: "number", values: 1 };
      return parameter.values_query_type === "list" || parameter.values_source_type ? { kind: "list", many } : { kind: "number", values: many ? "many" : 1 };
    case "temporal-unit": return { kind: "unit" };
    case "boolean": return { kind: "boolean" };
    default: {
      const exact = operator === undefined || operator === "=" || operator === "!=" || family === "location";
      return parameter.values_query_type === "none" || !exact ? { kind: "text", many } : { kind: "list", many };
    }
  }
}

/** The kinds of filters one can add, as the add menu lists them. */
export interface ParameterKind {
  id: "date" | "text" | "number" | "place" | "key" | "unit" | "boolean";
  name: string;
  help: string;
  type: string;
  sectionId: string;
  /** Other types of the same kind, with their names. */
  types: { type: string; name: string }[];
}
export function parameterKinds(): ParameterKind[] {
  const types = (...pairs: [string, string][]) => pairs.map(([type, name]) => ({ type, name: say(name) }));
  return [
    { id: "date", name: say("Date"), help: say("The last 30 days, a month, a range…"), type: "date/all-options", sectionId: "date",
      types: types(["date/all-options", "All options"], ["date/month-year", "Month and year"], ["date/quarter-year", "Quarter and year"], ["date/single", "One day"], ["date/range", "Date range"], ["date/relative", "Relative date"]) },
    { id: "text", name: say("Text or category"), help: say("A name, a kind, a status…"), type: "string/=", sectionId: "string",
      types: types(["string/=", "Is"], ["string/!=", "Is not"], ["string/contains", "Contains"], ["string/does-not-contain", "Does not contain"], ["string/starts-with", "Starts with"], ["string/ends-with", "Ends with"]) },
    { id: "number", name: say("Number"), help: say("A subtotal, an age, a quantity…"), type: "number/=", sectionId: "number",
      types: types(["number/=", "Equal to"], ["number/!=", "Not equal to"], ["number/between", "Between"], ["number/>=", "At least"], ["number/<=", "At most"]) },
    { id: "place", name: say("Place"), help: say("A city, a state, a country…"), type: "string/=", sectionId: "location",
      types: types(["string/=", "Is"], ["string/!=", "Is not"], ["string/contains", "Contains"], ["string/starts-with", "Starts with"]) },
    { id: "key", name: say("ID"), help: say("A key that names one row"), type: "id", sectionId: "id", types: types(["id", "ID"]) },
    { id: "unit", name: say("Time grouping"), help: say("Day, week, month… of charts over time"), type: "temporal-unit", sectionId: "temporal-unit", types: types(["temporal-unit", "Time grouping"]) },
    { id: "boolean", name: say("True or false"), help: say("A switch: active, paid, returned…"), type: "boolean/=", sectionId: "boolean", types: types(["boolean/=", "Is"]) },
  ];
}
export function parameterKindOf(parameter: Parameter): ParameterKind {
  const kinds = parameterKinds();
  const family = parameter.type.split("/")[0];
  const id = parameter.sectionId === "location" || family === "location" ? "place" : family === "date" ? "date" : family === "number" ? "number"
    : family === "id" ? "key" : family === "temporal-unit" ? "unit" : family === "boolean" ? "boolean" : "text";
  return kinds.find((kind) => kind.id === id)!;
}

/** Does a column fit a filter? Places only for a filter of places that knows its places by meaning. */
export function columnFits(parameter: Parameter, column: Column): boolean {
  const [family, operator] = parameter.type.split("/") as [string, string | undefined];
  switch (family) {
    case "date": return isDate(column);
    case "number": return isNumber(column) && !isKey(column);
    case "id": return isKey(column);
    case "boolean": return isBoolean(column);
    case "temporal-unit": return isDate(column);
    case "location": return isPlace(column) || isText(column);
    case "category": return isText(column) || isCategory(column) || isBoolean(column);
    default:
      if (parameter.sectionId === "location") return isPlace(column);
      return isText(column) || (isCategory(column) && (operator === "=" || operator === "!="));
  }
}
const TAG_TYPES: Record<string, string[]> = {
  number: ["number"], text: ["string", "category", "location", "text"], date: ["date"], boolean: ["boolean"],
  "temporal-unit": ["temporal-unit"],
};

export interface MappingOption {
  target: ParameterTarget;
  /** "Products → Category" */
  name: string;
  /** Where the column is from: a table, a join, "Variables". */
  group: string;
  column: Column | null;
}

/** What a filter could be linked to on a card. Empty: nothing fits. */
export function mappingOptions(catalog: Catalog, datasetQuery: DatasetQuery, parameter: Parameter, modelColumns?: Column[]): MappingOption[] {
  const family = parameter.type.split("/")[0]!;
  const native = nativeOf(datasetQuery);
  if (native) {
    return Object.entries(native["template-tags"]).flatMap(([name, tag]): MappingOption[] => {
      const type = String(tag["type"] ?? "text");
      const label = String(tag["display-name"] ?? name);
      if (type === "dimension") {
        const widget = String(tag["widget-type"] ?? "category");
        const same = widget.split("/")[0] === family || (widget === "category" && ["string", "location", "number", "boolean", "category", "id"].includes(family)) || (family === "string" && widget.startsWith("location"));
        return same ? [{ target: ["dimension", ["template-tag", name]], name: label, group: say("Variables"), column: null }] : [];
      }
      if (type === "snippet" || type === "card") return [];
      return (TAG_TYPES[type] ?? []).includes(family) || (type === "number" && family === "id") || (type === "text" && family === "id")
        ? [{ target: [type === "temporal-unit" ? "dimension" : "variable", ["template-tag", name]], name: label, group: say("Variables"), column: null }]
        : [];
    });
  }
  const query = readQuery(datasetQuery);
  if (!query) return [];
  const index = lastStage(query);
  if (family === "temporal-unit") {
    return query.stages[index]!.breakouts.flatMap((ref): MappingOption[] => {
      const column = visibleColumns(catalog, query, index).flatMap((group) => group.columns).find((item) => sameColumn(item.ref as Ref, ref));
      return optionsOf(ref)["temporal-unit"] ? [{ target: ["dimension", ref, { "stage-number": index }], name: columnName(catalog, query, index, withUnit(ref, null)), group: say("Grouped by"), column: column ?? null }] : [];
    });
  }
  // Filters stand before the summary of their stage: the first stage sees all columns, later ones the results before.
  const found: MappingOption[] = [];
  const stages = query.stages.map((_, i) => i).reverse();
  for (const stage of stages) {
    for (const group of visibleColumns(catalog, query, stage)) {
      for (const column of group.columns) {
        if (!columnFits(parameter, column)) continue;
        found.push({ target: ["dimension", column.ref, { "stage-number": stage }], name: column.longName, group: group.name, column });
      }
    }
  }
  for (const column of found.length === 0 ? (modelColumns ?? []) : [])
    if (columnFits(parameter, column)) found.push({ target: ["dimension", column.ref, null], name: column.longName, group: say("Columns"), column });
  return found;
}

/** Among what fits, the column that the other card's filter meant: the same field, through the same key. */
export function matchingOption(options: MappingOption[], like: ParameterTarget, likeColumn: Column | null): MappingOption | null {
  const refOf = (target: ParameterTarget) => (target[0] === "dimension" && isRef(target[1]) ? (target[1] as Ref) : null);
  const wanted = refOf(like);
  if (!wanted) return options.find((option) => JSON.stringify(option.target) === JSON.stringify(like)) ?? null;
  const exact = options.find((option) => {
    const ref = refOf(option.target);
    return ref !== null && sameColumn(ref, wanted);
  });
  if (exact) return exact;
  const field = likeColumn?.fieldId ?? (wanted[0] === "field" && typeof wanted[1] === "number" ? wanted[1] : null);
  return field === null ? null : (options.find((option) => option.column?.fieldId === field) ?? null);
}

/** Is the mapping's target still among what fits? */
export function sameTarget(a: ParameterTarget, b: ParameterTarget): boolean {
  if (a[0] !== b[0]) return false;
  const [x, y] = [readClause(a[1]), readClause(b[1])];
  return isRef(x) && isRef(y) ? sameColumn(x, y) : JSON.stringify(x) === JSON.stringify(y);
}

/* ---- values ------------------------------------------------------------------------------------- */

export const isEmptyValue = (value: unknown): boolean =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : isEmptyValue(value) ? [] : [value]);

/** In a chip: "Last 12 months", "Web, shop", "2 selections", "10 – 20". */
export function describeValue(parameter: Parameter, value: unknown, label: (value: unknown) => string = String): string {
  if (isEmptyValue(value)) return "";
  const widget = widgetOf(parameter);
  if (widget.kind === "date") {
    const filter = dateFromParameter(value);
    return filter ? describeDate(filter) : String(value);
  }
  if (widget.kind === "unit") return unitName(String(value));
  const list = asList(value);
  if (widget.kind === "boolean") return list[0] === true || list[0] === "true" ? say("True") : say("False");
  if (widget.kind === "number" && widget.values === 2) {
    const [low, high] = list;
    if (isEmptyValue(low)) return say("up to {{n}}", { n: String(high) });
    return isEmptyValue(high) ? say("from {{n}}", { n: String(low) }) : `${String(low)} – ${String(high)}`;
  }
  return list.length > 2 ? say("{{n}} selected", { n: list.length }) : list.map(label).join(", ");
}

/** Search parameters of the dashboard's address: one per value, so lists are a key repeated. null: no value. */
export function valueToAddress(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  return asList(value).map((item) => (item === null ? "" : String(item)));
}
/** The value behind the texts in the address; undefined when the address does not speak of it. */
export function valueFromAddress(parameter: Parameter, texts: string[] | undefined): unknown {
  if (texts === undefined || texts.length === 0) return undefined;
  if (texts.length === 1 && texts[0] === "") return null;
  const widget = widgetOf(parameter);
  if (widget.kind === "date") return dateFromParameter(texts[0]) ? texts[0] : undefined;
  if (widget.kind === "unit") return texts[0];
  if (widget.kind === "boolean") return texts.map((text) => text === "true");
  if (widget.kind === "number" || parameter.type.startsWith("number/")) {
    const numbers = texts.map((text) => (text === "" ? null : Number(text)));
    return numbers.some((n) => n !== null && Number.isNaN(n)) ? undefined : numbers;
  }
  return texts;
}

/** A slug no other filter has: "Created at" is `created_at`. */
export function slugFor(name: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const base = name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "") || "filter";
  const safe = base === "tab" ? "tab_filter" : base;
  let slug = safe;
  for (let n = 2; used.has(slug); n++) slug = `${safe}_${n}`;
  return slug;
}
export function newParameter(kind: ParameterKind, others: Parameter[], random: () => number = Math.random): Parameter {
  const names = new Set(others.map((other) => other.name));
  let name = kind.name;
  for (let n = 2; names.has(name); n++) name = `${kind.name} ${n}`;
  const id = Array.from({ length: 8 }, () => Math.floor(random() * 16).toString(16)).join("");
  return { id, name, slug: slugFor(name, others.map((other) => other.slug)), type: kind.type, sectionId: kind.sectionId };
}

/** The filter that a value of a parameter stands for; null when the value says nothing. */
export function parameterClause(type: string, ref: ColumnRef, value: unknown): Clause | null {
  if (isEmptyValue(value)) return null;
  const [family, operator] = type.split("/") as [string, string | undefined];
  const list = asList(value) as (string | number | boolean | null)[];
  if (family === "date") {
    const filter = dateFromParameter(value);
    return filter ? dateToClause(ref, filter) : null;
  }
  if (family === "temporal-unit") return null;
  switch (operator) {
    case "between": {
      const [low, high] = list;
      if (isEmptyValue(low) && isEmptyValue(high)) return null;
      if (isEmptyValue(low)) return ["<=", ref, high];
      return isEmptyValue(high) ? [">=", ref, low] : ["between", ref, low, high];
    }
    case "contains": case "does-not-contain": case "starts-with": case "ends-with":
      return makeFilter({ operator, ref, values: list, caseSensitive: false });
    case "!=": return ["!=", ref, ...list];
    case ">=": case "<=": return [operator, ref, list[0]];
    default: return ["=", ref, ...list];
  }
}

/** The question with a dashboard's filter values built in; what cannot be (SQL variables) is left out. */
export function withParameterValues(query: Query, mappings: ParameterMapping[], parameters: Parameter[], values: Record<string, unknown>): Query {
  let out = query;
  for (const mapping of mappings) {
    const parameter = parameters.find((item) => item.id === mapping.parameter_id);
    const value = parameter ? values[parameter.id] : undefined;
    if (!parameter || isEmptyValue(value) || mapping.target[0] !== "dimension") continue;
    const ref = readClause(mapping.target[1]);
    if (!isRef(ref) || ref[0] === "aggregation") continue;
    const number = mapping.target[2]?.["stage-number"] ?? -1;
    const stage = number < 0 ? out.stages.length + number : number;
    if (!out.stages[stage]) continue;
    if (parameter.type === "temporal-unit") {
      const at = out.stages[stage].breakouts.findIndex((breakout) => sameColumn(breakout, ref));
      if (at >= 0) out = replaceBreakout(out, stage, at, withUnit(out.stages[stage].breakouts[at]!, String(value) as "month"));
      continue;
    }
    const clause = parameterClause(parameter.type, ref, value);
    if (clause) out = addFilter(out, stage, clause);
  }
  return out;
}

/** Tables needed to offer columns of a card: its source and the tables its keys lead to are told by `missingTables`. */
export const sourceOfCard = (query: Query): number | string | null => (query.stages[0]?.source ? sourceTableId(query.stages[0].source) : null);
