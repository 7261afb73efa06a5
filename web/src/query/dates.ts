import type { Clause, ColumnRef, ExtractionUnit, TruncationUnit } from "./types";
import { isClause, isColumnRef, isRef, unitOf, withUnit } from "./clauses";
import { say } from "./words";
import { date_locale } from "../lib/i18n";

export type ExcludeUnit = Extract<ExtractionUnit, "day-of-week" | "month-of-year" | "quarter-of-year" | "hour-of-day">;
/**
 * A condition on a date, the same for filters of a question and of a dashboard.
 * Dates are `yyyy-mm-dd`, or `yyyy-mm-ddThh:mm` where the time counts.
 */
export type DateFilter =
  /** n < 0: the previous n, 0: the current one, n > 0: the next n. */
  | { kind: "relative"; n: number; unit: TruncationUnit; current: boolean; offset?: { n: number; unit: TruncationUnit } }
  | { kind: "on" | "before" | "after"; date: string }
  | { kind: "between"; from: string; to: string }
  | { kind: "month"; month: string }
  | { kind: "quarter"; year: number; quarter: number }
  /** day-of-week: 1 is Monday … 7; month-of-year 1 … 12; quarter 1 … 4; hour 0 … 23 */
  | { kind: "exclude"; unit: ExcludeUnit; values: number[] }
  | { kind: "empty" | "not-empty" };

const UNITS: TruncationUnit[] = ["minute", "hour", "day", "week", "month", "quarter", "year"];
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const pad = (n: number) => String(n).padStart(2, "0");

/* ---- as a parameter's value: "past12months", "2024-05-01~2024-05-31", "exclude-days-Mon-Tue" ------- */

export function dateToParameter(filter: DateFilter): string | null {
  switch (filter.kind) {
    case "relative": {
      const { n, unit, current, offset } = filter;
      if (n === 0) return unit === "day" ? "today" : `this${unit}`;
      const from = offset ? `-from-${Math.abs(offset.n)}${offset.unit}s` : "";
      if (n === -1 && !current && !offset) return unit === "day" ? "yesterday" : `last${unit}`;
      return `${n < 0 ? "past" : "next"}${Math.abs(n)}${unit}s${current && !offset ? "~" : ""}${from}`;
    }
    case "on": return filter.date;
    case "before": return `~${filter.date}`;
    case "after": return `${filter.date}~`;
    case "between": return `${filter.from}~${filter.to}`;
    case "month": return filter.month;
    case "quarter": return `Q${filter.quarter}-${filter.year}`;
    case "exclude": {
      const names = filter.values.map((value) =>
        filter.unit === "day-of-week" ? WEEKDAYS[value - 1]! : filter.unit === "month-of-year" ? MONTHS[value - 1]! : String(value),
      );
      const word = { "day-of-week": "days", "month-of-year": "months", "quarter-of-year": "quarters", "hour-of-day": "hours" }[filter.unit];
      return names.length === 0 ? null : `exclude-${word}-${names.join("-")}`;
    }
    default: return null;
  }
}

/** null for a text that is no date value. */
export function dateFromParameter(value: unknown): DateFilter | null {
  if (typeof value !== "string" || value === "") return null;
  const text = value.trim();
  if (text === "today") return { kind: "relative", n: 0, unit: "day", current: true };
  if (text === "yesterday") return { kind: "relative", n: -1, unit: "day", current: false };
  const one = /^(this|last)(minute|hour|day|week|month|quarter|year)$/.exec(text);
  if (one) {
    const unit = one[2] as TruncationUnit;
    return one[1] === "this" ? { kind: "relative", n: 0, unit, current: true } : { kind: "relative", n: -1, unit, current: false };
  }
  const many = /^(past|next)(\d+)(minute|hour|day|week|month|quarter|year)s?(~)?(?:-from-(\d+)(minute|hour|day|week|month|quarter|year)s?)?$/.exec(text);
  if (many) {
    const sign = many[1] === "past" ? -1 : 1;
    const filter: DateFilter = { kind: "relative", n: sign * Number(many[2]), unit: many[3] as TruncationUnit, current: many[4] === "~" };
    if (many[5]) filter.offset = { n: sign * Number(many[5]), unit: many[6] as TruncationUnit };
    return filter.n === 0 ? null : filter;
  }
  const exclude = /^exclude-(days|months|quarters|hours)-(.+)$/.exec(text);
  if (exclude) {
    const names = exclude[2]!.split("-");
    const units: Record<string, ExcludeUnit> = { days: "day-of-week", months: "month-of-year", quarters: "quarter-of-year", hours: "hour-of-day" };
    const unit = units[exclude[1]!]!;
    const values = names.map((name) =>
      unit === "day-of-week" ? WEEKDAYS.indexOf(name) + 1 : unit === "month-of-year" ? MONTHS.indexOf(name) + 1 : Number(name),
    );
    const low = unit === "hour-of-day" ? 0 : 1;
    return values.some((n) => Number.isNaN(n) || n < low) ? null : { kind: "exclude", unit, values };
  }
  const quarter = /^Q([1-4])-(\d{4})$/.exec(text);
  if (quarter) return { kind: "quarter", quarter: Number(quarter[1]), year: Number(quarter[2]) };
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return { kind: "month", month: text };
  if (DAY.test(text)) return { kind: "on", date: text };
  const range = /^([^~]*)~([^~]*)$/.exec(text);
  if (range) {
    const [from, to] = [range[1]!, range[2]!];
    if (from !== "" && to !== "") return DAY.test(from) && DAY.test(to) ? { kind: "between", from, to } : null;
    if (from !== "") return DAY.test(from) ? { kind: "after", date: from } : null;
    return DAY.test(to) ? { kind: "before", date: to } : null;
  }
  return null;
}

/* ---- as a filter clause --------------------------------------------------------------------------- */

/** Days whose component is meant: a date says "Monday" whatever day a week starts on. 2024-01-01 was a Monday. */
const excludedLiteral = (unit: ExcludeUnit, value: number): string | number =>
  unit === "day-of-week" ? `2024-01-${pad(value)}`
  : unit === "month-of-year" ? `2024-${pad(value)}-01`
  : unit === "quarter-of-year" ? `2024-${pad(value * 3 - 2)}-01`
  : value;

export function dateToClause(ref: ColumnRef, filter: DateFilter): Clause {
  const bare = withUnit(ref, null);
  switch (filter.kind) {
    case "relative":
      if (filter.offset) return ["relative-time-interval", bare, filter.n, filter.unit, filter.offset.n, filter.offset.unit];
      return filter.current && filter.n !== 0
        ? ["time-interval", bare, filter.n, filter.unit, { "include-current": true }]
        : ["time-interval", bare, filter.n === 0 ? "current" : filter.n, filter.unit];
    case "on": return ["=", bare, filter.date];
    case "before": return ["<", bare, filter.date];
    case "after": return [">", bare, filter.date];
    case "between": return ["between", bare, filter.from, filter.to];
    case "month": return ["=", withUnit(bare, "month"), `${filter.month}-01`];
    case "quarter": return ["=", withUnit(bare, "quarter"), `${filter.year}-${pad(filter.quarter * 3 - 2)}-01`];
    case "exclude": return ["!=", withUnit(bare, filter.unit), ...filter.values.map((value) => excludedLiteral(filter.unit, value))];
    case "empty": return ["is-null", bare];
    case "not-empty": return ["not-null", bare];
  }
}

const excludedValue = (unit: ExcludeUnit, literal: unknown): number | null => {
  if (typeof literal === "number") return unit === "day-of-week" ? ((literal + 5) % 7) + 1 : literal;
  if (typeof literal !== "string" || !DAY.test(literal)) return null;
  const [year, month, day] = literal.slice(0, 10).split("-").map(Number) as [number, number, number];
  if (unit === "day-of-week") return ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7) + 1;
  if (unit === "month-of-year") return month;
  if (unit === "quarter-of-year") return Math.ceil(month / 3);
  return Number(literal.slice(11, 13) || 0);
};

/** The column and condition of a date filter; null when the clause is none that an editor could show. */
export function dateFromClause(clause: Clause): { ref: ColumnRef; filter: DateFilter } | null {
  const [operator, ref, ...args] = clause;
  if (!isColumnRef(ref)) return null;
  const unit = unitOf(ref);
  const bare = withUnit(ref, null);
  const found = (filter: DateFilter) => ({ ref: bare, filter });
  switch (operator) {
    case "time-interval": {
      const [count, size, options] = args as [unknown, TruncationUnit, { "include-current"?: boolean } | undefined];
      const n = count === "current" ? 0 : count === "last" ? -1 : count === "next" ? 1 : count;
      if (typeof n !== "number" || !UNITS.includes(size)) return null;
      return found({ kind: "relative", n, unit: size, current: n === 0 || options?.["include-current"] === true });
    }
    case "relative-time-interval": {
      const [n, size, by, bySize] = args as [number, TruncationUnit, number, TruncationUnit];
      if (typeof n !== "number" || typeof by !== "number") return null;
      return found({ kind: "relative", n, unit: size, current: false, offset: { n: by, unit: bySize } });
    }
    case "during": return args[1] === "day" && typeof args[0] === "string" ? found({ kind: "on", date: args[0] }) : null;
    case "is-null": return found({ kind: "empty" });
    case "not-null": return found({ kind: "not-empty" });
    case "!=": {
      if (unit !== "day-of-week" && unit !== "month-of-year" && unit !== "quarter-of-year" && unit !== "hour-of-day") return null;
      const values = args.map((literal) => excludedValue(unit, literal));
      return values.includes(null) ? null : found({ kind: "exclude", unit, values: values as number[] });
    }
    case "=": case "<": case ">": {
      const literal = args[0];
      if (args.length !== 1 || typeof literal !== "string" || !DAY.test(literal)) return null;
      if (operator === "=" && unit === "month") return found({ kind: "month", month: literal.slice(0, 7) });
      if (operator === "=" && unit === "quarter")
        return found({ kind: "quarter", year: Number(literal.slice(0, 4)), quarter: Math.ceil(Number(literal.slice(5, 7)) / 3) });
      if (unit !== null && unit !== "day" && unit !== "default" && unit !== "minute") return null;
      return found({ kind: operator === "=" ? "on" : operator === "<" ? "before" : "after", date: literal });
    }
    case "between": {
      const [from, to] = args;
      if (typeof from !== "string" || typeof to !== "string" || !DAY.test(from) || !DAY.test(to)) return null;
      if (unit !== null && unit !== "day" && unit !== "default" && unit !== "minute") return null;
      return found({ kind: "between", from, to });
    }
    default: return null;
  }
}

/* ---- in words --------------------------------------------------------------------------------------- */

const dateFormat = new Map<string, Intl.DateTimeFormat>();
export function format(options: Intl.DateTimeFormatOptions, date: Date): string {
  const key = date_locale() + JSON.stringify(options);
  if (!dateFormat.has(key)) dateFormat.set(key, new Intl.DateTimeFormat(date_locale(), { ...options, timeZone: "UTC" }));
  // Four letters for one month alone would not line up.
  return dateFormat.get(key)!.format(date).replace("Sept ", "Sep ");
}
/** "22 Nov 2026", with the time where there is one. */
export function dayName(date: string): string {
  const parsed = new Date(date.length <= 10 ? `${date}T00:00:00Z` : /Z|[+-]\d{2}:?\d{2}$/.test(date) ? date : `${date}Z`);
  if (Number.isNaN(parsed.getTime())) return date;
  const day = format({ day: "numeric", month: "short", year: "numeric" }, parsed);
  return date.length > 10 && !/T00:00(:00(\.0+)?)?(Z|$)/.test(date) ? `${day}, ${date.slice(11, 16)}` : day;
}
export const weekdayName = (day: number): string => format({ weekday: "long" }, new Date(Date.UTC(2024, 0, day)));
export const monthName = (month: number): string => format({ month: "long" }, new Date(Date.UTC(2024, month - 1, 1)));

const UNIT_WORDS: Record<string, [string, string]> = {
  minute: ["minute", "minutes"], hour: ["hour", "hours"], day: ["day", "days"], week: ["week", "weeks"],
  month: ["month", "months"], quarter: ["quarter", "quarters"], year: ["year", "years"],
};
export function unitWord(unit: string, n = 1): string {
  const words = UNIT_WORDS[unit];
  return words ? say(Math.abs(n) === 1 ? words[0] : words[1]) : unit;
}

/** What stands in a chip: "Last 12 months", "After 1 May 2024", "Not Monday, Tuesday". */
export function describeDate(filter: DateFilter): string {
  switch (filter.kind) {
    case "relative": return capital(relativeWords(filter));
    case "on": return dayName(filter.date);
    case "before": return say("Before {{date}}", { date: dayName(filter.date) });
    case "after": return say("After {{date}}", { date: dayName(filter.date) });
    case "between": return `${dayName(filter.from)} – ${dayName(filter.to)}`;
    case "month": return `${monthName(Number(filter.month.slice(5)))} ${filter.month.slice(0, 4)}`;
    case "quarter": return `Q${filter.quarter} ${filter.year}`;
    case "exclude": return say("Not {{list}}", { list: excludedNames(filter.unit, filter.values) });
    case "empty": return say("Empty");
    case "not-empty": return say("Not empty");
  }
}
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function excludedNames(unit: ExcludeUnit, values: number[]): string {
  return values
    .map((value) =>
      unit === "day-of-week" ? weekdayName(value) : unit === "month-of-year" ? monthName(value)
      : unit === "quarter-of-year" ? `Q${value}` : `${value}:00`)
    .join(", ");
}
function relativeWords(filter: Extract<DateFilter, { kind: "relative" }>): string {
  const { n, unit, current, offset } = filter;
  const word = unitWord(unit, n === 0 ? 1 : n);
  let text: string;
  if (n === 0) text = unit === "day" ? say("today") : say(`this ${unit}`);
  else if (n === -1) text = unit === "day" && !offset ? say("yesterday") : say(`last ${unit}`);
  else if (n === 1) text = unit === "day" && !offset ? say("tomorrow") : say(`next ${unit}`);
  else text = n < 0 ? say("last {{n}} {{unit}}", { n: -n, unit: word }) : say("next {{n}} {{unit}}", { n, unit: word });
  if (offset) {
    const by = { text, n: Math.abs(offset.n), unit: unitWord(offset.unit, offset.n) };
    return offset.n < 0 ? say("{{text}}, starting {{n}} {{unit}} ago", by) : say("{{text}}, starting {{n}} {{unit}} from now", by);
  }
  if (current && n !== 0) return n === -1 && unit === "day" ? say("yesterday and today") : say("{{text}} and this one", { text });
  return text;
}

/** The sentence behind "Created At": [verb, value]. `["is in the", "last 12 months"]`. */
export function dateSentence(filter: DateFilter): [string, string] {
  switch (filter.kind) {
    case "relative": {
      const words = relativeWords(filter);
      const plain = filter.unit === "day" && Math.abs(filter.n) <= 1;
      return [plain || filter.n === 0 ? say("is") : say("is in the"), words];
    }
    case "on": return [say("is on"), dayName(filter.date)];
    case "before": return [say("is before"), dayName(filter.date)];
    case "after": return [say("is after"), dayName(filter.date)];
    case "between": return [say("is between"), say("{{a}} and {{b}}", { a: dayName(filter.from), b: dayName(filter.to) })];
    case "month": case "quarter": return [say("is in"), describeDate(filter)];
    case "exclude": return [say("is not"), excludedNames(filter.unit, filter.values)];
    case "empty": return [say("is empty"), ""];
    case "not-empty": return [say("is not empty"), ""];
  }
}

/** Does the clause compare dates at all? Used to choose the editor. */
export const isDateClause = (clause: Clause): boolean => isClause(clause) && isRef(clause[1]) && dateFromClause(clause) !== null;
