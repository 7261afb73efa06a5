/** What a value is, as far as formulas check it. "any" fits everything. */
export type ValueType = "number" | "text" | "date" | "boolean" | "any";
export interface Parameter {
  name: string;
  type: ValueType;
}
export interface FormulaFunction {
  /** As people write it. */
  name: string;
  /** The clause it stands for. */
  clause: string;
  kind: "aggregation" | "expression";
  gives: ValueType | "same";
  /** Arguments in order. */
  takes: Parameter[];
  /** How many of them must be there; all when left out. */
  needs?: number;
  /** The last argument may be repeated. */
  repeats?: true;
  help: string;
}

const n = (name: string): Parameter => ({ name, type: "number" });
const t = (name: string): Parameter => ({ name, type: "text" });
const d = (name: string): Parameter => ({ name, type: "date" });
const b = (name: string): Parameter => ({ name, type: "boolean" });
const x = (name: string): Parameter => ({ name, type: "any" });
type Rest = Partial<Pick<FormulaFunction, "needs" | "repeats">>;
const call = (name: string, clause: string, gives: FormulaFunction["gives"], takes: Parameter[], help: string, rest: Rest = {}): FormulaFunction =>
  ({ name, clause, kind: "expression", gives, takes, help, ...rest });
const sum = (name: string, clause: string, gives: FormulaFunction["gives"], takes: Parameter[], help: string, rest: Rest = {}): FormulaFunction =>
  ({ name, clause, kind: "aggregation", gives, takes, help, ...rest });

/** Every function a formula may call. `case`, `if` and the options of text tests have their own shape in the parser. */
export const FUNCTIONS: FormulaFunction[] = [
  sum("Count", "count", "number", [], "The number of rows."),
  sum("CountIf", "count-where", "number", [b("condition")], "The number of rows where the condition holds."),
  sum("Sum", "sum", "number", [n("column")], "All values added up."),
  sum("SumIf", "sum-where", "number", [n("column"), b("condition")], "The values added up where the condition holds."),
  sum("Distinct", "distinct", "number", [x("column")], "The number of different values."),
  sum("DistinctIf", "distinct-where", "number", [x("column"), b("condition")], "The number of different values where the condition holds."),
  sum("Average", "avg", "number", [n("column")], "The mean of the values."),
  sum("Median", "median", "number", [n("column")], "The value in the middle."),
  sum("Min", "min", "same", [x("column")], "The smallest value."),
  sum("Max", "max", "same", [x("column")], "The largest value."),
  sum("Percentile", "percentile", "number", [n("column"), n("share")], "The value below which a share of all values lies: 0.9 for 90 %."),
  sum("StandardDeviation", "stddev", "number", [n("column")], "How far values lie from their mean."),
  sum("Variance", "var", "number", [n("column")], "The square of the standard deviation."),
  sum("Share", "share", "number", [b("condition")], "The share of rows where the condition holds, from 0 to 1."),
  sum("CumulativeSum", "cum-sum", "number", [n("column")], "The running total over the groups."),
  sum("CumulativeCount", "cum-count", "number", [], "The running number of rows over the groups."),

  call("abs", "abs", "number", [n("number")], "The number without its sign."),
  call("ceil", "ceil", "number", [n("number")], "Rounded up."),
  call("floor", "floor", "number", [n("number")], "Rounded down."),
  call("round", "round", "number", [n("number")], "Rounded to the nearest whole number."),
  call("sqrt", "sqrt", "number", [n("number")], "The square root."),
  call("exp", "exp", "number", [n("number")], "e to that power."),
  call("log", "log", "number", [n("number")], "The logarithm to base 10."),
  call("power", "power", "number", [n("number"), n("exponent")], "The number to that power."),
  call("integer", "integer", "number", [x("value")], "A whole number from a text or a number."),
  call("float", "float", "number", [t("text")], "A number from a text."),

  call("concat", "concat", "text", [x("value"), x("more")], "The values put together as one text.", { repeats: true }),
  call("substring", "substring", "text", [t("text"), n("position"), n("length")], "A part of the text; the first character has position 1.", { needs: 2 }),
  call("replace", "replace", "text", [t("text"), t("find"), t("with")], "The text with every find replaced."),
  call("regexExtract", "regex-match-first", "text", [t("text"), t("pattern")], "The first part that matches the pattern."),
  call("splitPart", "split-part", "text", [t("text"), t("delimiter"), n("position")], "One part of a text that a delimiter splits; the first is 1."),
  call("trim", "trim", "text", [t("text")], "Without blanks at both ends."),
  call("lTrim", "ltrim", "text", [t("text")], "Without blanks at the start."),
  call("rTrim", "rtrim", "text", [t("text")], "Without blanks at the end."),
  call("upper", "upper", "text", [t("text")], "In capitals."),
  call("lower", "lower", "text", [t("text")], "In small letters."),
  call("length", "length", "number", [t("text")], "The number of characters."),
  call("text", "text", "text", [x("value")], "The value as a text."),
  call("host", "host", "text", [t("address")], "The host of a web or e-mail address."),
  call("domain", "domain", "text", [t("address")], "The domain of an address, without its ending."),
  call("subdomain", "subdomain", "text", [t("address")], "The subdomain of an address."),
  call("path", "path", "text", [t("address")], "The path of a web address."),

  call("contains", "contains", "boolean", [t("text"), t("part")], "Does the text contain the part?", { repeats: true }),
  call("doesNotContain", "does-not-contain", "boolean", [t("text"), t("part")], "Does the text not contain the part?", { repeats: true }),
  call("startsWith", "starts-with", "boolean", [t("text"), t("start")], "Does the text start so?", { repeats: true }),
  call("endsWith", "ends-with", "boolean", [t("text"), t("end")], "Does the text end so?", { repeats: true }),
  call("isEmpty", "is-empty", "boolean", [x("value")], "Is it empty?"),
  call("notEmpty", "not-empty", "boolean", [x("value")], "Is it not empty?"),
  call("isNull", "is-null", "boolean", [x("value")], "Is there no value?"),
  call("notNull", "not-null", "boolean", [x("value")], "Is there a value?"),
  call("between", "between", "boolean", [x("value"), x("low"), x("high")], "Does it lie between the two, ends included?"),
  call("interval", "time-interval", "boolean", [d("date"), n("number"), t("unit")], "Does the date lie in the last (negative) or next so many units?"),
  call("timeSpan", "interval", "any", [n("number"), t("unit")], "A length of time, to add to or take from a date."),
  call("coalesce", "coalesce", "same", [x("value"), x("else")], "The first value that is there.", { repeats: true }),

  call("now", "now", "date", [], "This moment."),
  call("today", "today", "date", [], "The current day."),
  call("date", "date", "date", [x("value")], "The day of a text or a time."),
  call("datetimeAdd", "datetime-add", "date", [d("date"), n("amount"), t("unit")], "Later by so many units."),
  call("datetimeSubtract", "datetime-subtract", "date", [d("date"), n("amount"), t("unit")], "Earlier by so many units."),
  call("datetimeDiff", "datetime-diff", "number", [d("from"), d("to"), t("unit")], "How many whole units lie between the two."),
  call("convertTimezone", "convert-timezone", "date", [d("date"), t("target"), t("source")], "The time in another time zone.", { needs: 2 }),
  call("year", "get-year", "number", [d("date")], "The year."),
  call("quarter", "get-quarter", "number", [d("date")], "The quarter, 1 to 4."),
  call("month", "get-month", "number", [d("date")], "The month, 1 to 12."),
  call("week", "get-week", "number", [d("date"), t("mode")], "The week of the year.", { needs: 1 }),
  call("day", "get-day", "number", [d("date")], "The day of the month."),
  call("weekday", "get-day-of-week", "number", [d("date"), t("mode")], "The day of the week, 1 to 7.", { needs: 1 }),
  call("hour", "get-hour", "number", [d("date")], "The hour, 0 to 23."),
  call("minute", "get-minute", "number", [d("date")], "The minute."),
  call("second", "get-second", "number", [d("date")], "The second."),
  call("monthName", "month-name", "text", [n("month")], "Jan for 1."),
  call("quarterName", "quarter-name", "text", [n("quarter")], "Q1 for 1."),
  call("dayName", "day-name", "text", [n("weekday")], "The name of a day of the week."),

  call("case", "case", "same", [b("condition"), x("value"), x("else")], "The value of the first condition that holds, else the last one.", { repeats: true, needs: 2 }),
  call("not", "not", "boolean", [b("condition")], "The opposite."),
];

const BY_NAME = new Map(FUNCTIONS.map((item) => [item.name.toLowerCase(), item]));
BY_NAME.set("if", BY_NAME.get("case")!);
const BY_CLAUSE = new Map(FUNCTIONS.map((item) => [item.clause, item]));
/** By the name people write, in whatever case. */
export const functionNamed = (name: string): FormulaFunction | undefined => BY_NAME.get(name.toLowerCase());
export const functionOfClause = (clause: string): FormulaFunction | undefined => BY_CLAUSE.get(clause);

export const UNIT_NAMES = ["millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"];
/** Arguments that name a unit of time. */
export const UNIT_ARGUMENTS: Record<string, number> = { interval: 1, "time-interval": 2, "datetime-add": 2, "datetime-subtract": 2, "datetime-diff": 2 };
/** How tight operators bind; more is tighter. */
export const BINDING: Record<string, number> = { or: 1, and: 2, not: 3, "=": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6 };
