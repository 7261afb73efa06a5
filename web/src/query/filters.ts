import type { Catalog, Clause, Column, ColumnRef, Query } from "./types";
import { isClause, isColumnRef, isRef, unitOf, withUnit } from "./clauses";
import { findColumn } from "./columns";
import { dateFromClause, dateSentence, dayName, format } from "./dates";
import { isBoolean, isCoordinate, isDate, isKey, isNumber, isText, isTime, isExtraction } from "./kinds";
import { columnName, expressionName, unitName } from "./names";
import { say } from "./words";

export type FilterOperator =
  | "=" | "!=" | "<" | ">" | "<=" | ">=" | "between" | "contains" | "does-not-contain" | "starts-with" | "ends-with"
  | "is-empty" | "not-empty" | "is-null" | "not-null" | "inside";
export interface OperatorInfo {
  id: FilterOperator;
  /** "is", "contains", "is between" */
  label: string;
  /** How many values it takes. */
  values: 0 | 1 | 2 | "many";
  /** Can be told to ignore upper and lower case. */
  cases?: true;
}

const info = (id: FilterOperator, label: string, values: OperatorInfo["values"], cases?: true): OperatorInfo => ({
  id, label: say(label), values, ...(cases ? { cases } : {}),
});

/** Operators that make sense for a column, the usual one first. Date columns have `dates.ts` instead. */
export function operatorsFor(column: Column): OperatorInfo[] {
  const empty = [info("is-null", "is empty", 0), info("not-null", "is not empty", 0)];
  if (isBoolean(column)) return [info("=", "is", 1), ...empty];
  if (isKey(column) && !isText(column)) return [info("=", "is", "many"), info("!=", "is not", "many"), info(">", "is more than", 1), info("<", "is less than", 1), info("between", "is between", 2), ...empty];
  if (isNumber(column)) {
    const numbers = [
      info("=", "is", "many"), info("!=", "is not", "many"), info(">", "is more than", 1), info("<", "is less than", 1),
      info("between", "is between", 2), info(">=", "is at least", 1), info("<=", "is at most", 1), ...empty,
    ];
    return isCoordinate(column) ? [info("between", "is between", 2), ...numbers.filter((item) => item.id !== "between")] : numbers;
  }
  if (isText(column)) {
    return [
      info("=", "is", "many"), info("!=", "is not", "many"), info("contains", "contains", "many", true),
      info("does-not-contain", "does not contain", "many", true), info("starts-with", "starts with", "many", true),
      info("ends-with", "ends with", "many", true), info("is-empty", "is empty", 0), info("not-empty", "is not empty", 0),
    ];
  }
  if (isTime(column)) return [info("between", "is between", 2), info("<", "is before", 1), info(">", "is after", 1), ...empty];
  if (isDate(column)) return [info("=", "is on", 1), info("<", "is before", 1), info(">", "is after", 1), info("between", "is between", 2), ...empty];
  return empty;
}

export interface PlainFilter {
  operator: FilterOperator;
  ref: ColumnRef;
  values: (string | number | boolean | null)[];
  caseSensitive: boolean;
}
const TEXT_OPERATORS = new Set(["contains", "does-not-contain", "starts-with", "ends-with"]);
const PLAIN = new Set(["=", "!=", "<", ">", "<=", ">=", "between", "is-empty", "not-empty", "is-null", "not-null", ...TEXT_OPERATORS]);

/** The clause of a filter. Text operators ignore case unless told otherwise. */
export function makeFilter(filter: PlainFilter): Clause {
  const { operator, ref, values } = filter;
  if (!TEXT_OPERATORS.has(operator)) return [operator, ref, ...values];
  const options = { "case-sensitive": filter.caseSensitive };
  return values.length > 1 ? [operator, options, ref, ...values] : [operator, ref, values[0] ?? "", options];
}

/** The parts of a filter that one column and plain values make up; null for anything else. */
export function readFilter(clause: Clause): PlainFilter | null {
  const [operator, ...args] = clause;
  if (!PLAIN.has(operator)) return null;
  let options: { "case-sensitive"?: boolean } = {};
  const rest = [...args];
  if (TEXT_OPERATORS.has(operator)) {
    const isOptions = (value: unknown) => value !== null && typeof value === "object" && !Array.isArray(value);
    if (isOptions(rest[0])) options = rest.shift() as object;
    else if (isOptions(rest[rest.length - 1])) options = rest.pop() as object;
  }
  const [ref, ...values] = rest;
  if (!isColumnRef(ref)) return null;
  if (values.some((value) => value !== null && typeof value === "object")) return null;
  return { operator: operator as FilterOperator, ref, values: values as PlainFilter["values"], caseSensitive: options["case-sensitive"] ?? true };
}

/** Members of an "any of" group; null when the filter is no group. */
export function groupMembers(clause: Clause): Clause[] | null {
  return clause[0] === "or" ? (clause.slice(1) as Clause[]) : null;
}
/** One filter that holds when any of these does. A group of one is that one; an empty group is none. */
export function anyOf(members: Clause[]): Clause | null {
  const flat = members.flatMap((member) => groupMembers(member) ?? [member]);
  if (flat.length === 0) return null;
  return flat.length === 1 ? flat[0]! : ["or", ...flat];
}

/* ---- in words ------------------------------------------------------------------------------------------ */

/** A piece of a sentence; strong is the value, shown bold. */
export interface Piece {
  text: string;
  strong?: true;
}
export const plainText = (pieces: Piece[]): string => pieces.map((piece) => piece.text).filter((text) => text !== "").join(" ");

/** "Created At is in the **last 12 months**" */
export function filterPieces(catalog: Catalog, query: Query, stageIndex: number, clause: Clause): Piece[] {
  const [operator, ...args] = clause;
  const strong = (text: string): Piece => ({ text, strong: true });
  const members = operator === "or" || operator === "and" ? (args as Clause[]) : null;
  if (members) {
    const word = operator === "or" ? say("or") : say("and");
    return members.flatMap((member, index) => [
      ...(index > 0 ? [{ text: word }] : []), ...filterPieces(catalog, query, stageIndex, member),
    ]);
  }
  if (operator === "not" && isClause(args[0])) return [{ text: say("not") }, ...filterPieces(catalog, query, stageIndex, args[0])];
  if (operator === "segment") {
    const id = Number(args[0]);
    const source = query.stages[0]?.source;
    const segment = source?.type === "table" ? catalog.table(source.id)?.segments?.find((item) => item.id === id) : undefined;
    return [strong(segment?.name ?? say("Segment {{id}}", { id }))];
  }
  if (isRef(clause)) return [{ text: columnName(catalog, query, stageIndex, clause) }, { text: say("is") }, strong(say("true"))];

  const plain = readFilter(clause);
  const ref = isColumnRef(args[0]) ? args[0] : plain?.ref;
  const column = ref ? findColumn(catalog, query, stageIndex, ref) : undefined;
  const dated = dateFromClause(clause);
  if (dated && (!plain || !column || isDate(column))) {
    const [verb, value] = dateSentence(dated.filter);
    return [{ text: columnName(catalog, query, stageIndex, dated.ref) }, { text: verb }, ...(value ? [strong(value)] : [])];
  }
  if (plain && ref) {
    const unit = unitOf(ref);
    const name = columnName(catalog, query, stageIndex, ref);
    if (unit && !isExtraction(unit) && plain.values.length > 0) {
      const bare = columnName(catalog, query, stageIndex, withUnit(ref, null));
      const values = plain.values.map((value) => (typeof value === "string" ? bucketName(value, unit) : String(value)));
      return [{ text: bare }, { text: verbOf(plain, column) }, strong(listed(values, plain.operator))];
    }
    const values = plain.values.map((value) => valueText(value, column));
    return [{ text: name }, { text: verbOf(plain, column) }, ...(values.length > 0 ? [strong(listed(values, plain.operator))] : [])];
  }
  const sides = args.filter((item) => item === null || typeof item !== "object" || Array.isArray(item)).map((item) => expressionName(catalog, query, stageIndex, item));
  const verb = VERBS[operator];
  if (verb && sides.length >= 1)
    return [{ text: sides[0]! }, { text: say(verb) }, ...(sides.length > 1 ? [strong(listed(sides.slice(1), operator))] : [])];
  return [strong(expressionName(catalog, query, stageIndex, clause))];
}
export const filterSentence = (catalog: Catalog, query: Query, stageIndex: number, clause: Clause): string =>
  plainText(filterPieces(catalog, query, stageIndex, clause));

const VERBS: Record<string, string> = {
  "=": "is", "!=": "is not", "<": "is less than", ">": "is more than", "<=": "is at most", ">=": "is at least", between: "is between",
  contains: "contains", "does-not-contain": "does not contain", "starts-with": "starts with", "ends-with": "ends with",
  "is-null": "is empty", "not-null": "is not empty", "is-empty": "is empty", "not-empty": "is not empty", inside: "is inside",
};
function verbOf(filter: PlainFilter, column: Column | undefined): string {
  if (filter.values.length === 1 && filter.values[0] === null) return filter.operator === "=" ? say("is empty") : say("is not empty");
  if (column && (isTime(column) || isDate(column)) && filter.operator === "<") return say("is before");
  if (column && (isTime(column) || isDate(column)) && filter.operator === ">") return say("is after");
  return say(VERBS[filter.operator] ?? filter.operator);
}
function valueText(value: unknown, column: Column | undefined): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? say("true") : say("false");
  if (typeof value === "number") return isKey(column ?? {}) ? String(value) : value.toLocaleString("en-US", { maximumFractionDigits: 10 });
  const text = String(value);
  if (text === "") return say("an empty text");
  return column && isDate(column) ? dayName(text) : text;
}
function listed(values: string[], operator: string): string {
  if (operator === "between" && values.length === 2) return say("{{a}} and {{b}}", { a: values[0]!, b: values[1]! });
  if (values.length > 3) return say("{{list}} or {{n}} more", { list: values.slice(0, 2).join(", "), n: values.length - 2 });
  if (values.length > 1) return say("{{list}} or {{last}}", { list: values.slice(0, -1).join(", "), last: values[values.length - 1]! });
  return values[0] ?? "";
}
/** "Aug 2026" for 2026-08-01 as a month. */
export function bucketName(value: string, unit: string): string {
  const date = new Date(value.length <= 10 ? `${value}T00:00:00Z` : /Z|[+-]\d{2}:?\d{2}$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(date.getTime())) return value;
  // The wall-clock date in the text counts, whatever its offset.
  const [year, month] = [Number(value.slice(0, 4)), Number(value.slice(5, 7))];
  switch (unit) {
    case "year": return String(year);
    case "quarter": return `Q${Math.ceil(month / 3)} ${year}`;
    case "month": return format({ month: "short", year: "numeric" }, new Date(Date.UTC(year, month - 1, 1)));
    case "week": return say("the week of {{date}}", { date: dayName(value.slice(0, 10)) });
    case "day": return dayName(value.slice(0, 10));
    case "hour": case "minute": return dayName(value);
    default: return `${dayName(value)} (${unitName(unit)})`;
  }
}

/** Which column a filter is about, when it is about one. */
export function filteredColumn(clause: Clause): ColumnRef | null {
  const plain = readFilter(clause);
  if (plain) return plain.ref;
  return isRef(clause[1]) && clause[1][0] !== "aggregation" ? (clause[1] as ColumnRef) : null;
}
