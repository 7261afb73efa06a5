import { describe, expect, it } from "vitest";
import { dateFromClause, dateFromParameter, dateToClause, dateToParameter, describeDate, type DateFilter } from "./dates";
import type { ColumnRef } from "./types";

const created: ColumnRef = ["field", 5, null];
const texts: [string, string][] = [
  ["today", "Today"], ["yesterday", "Yesterday"], ["thismonth", "This month"], ["lastweek", "Last week"], ["past12months", "Last 12 months"],
  ["past30days~", "Last 30 days and this one"], ["next3months", "Next 3 months"], ["past7days-from-1months", "Last 7 days, starting 1 month ago"],
  ["2024-05-17", "17 May 2024"], ["2024-05-17T08:30", "17 May 2024, 08:30"], ["2024-05-01~2024-05-17", "1 May 2024 – 17 May 2024"],
  ["~2024-05-17", "Before 17 May 2024"], ["2024-05-17~", "After 17 May 2024"], ["2024-05", "May 2024"], ["Q2-2024", "Q2 2024"],
  ["exclude-days-Mon-Tue", "Not Monday, Tuesday"], ["exclude-months-Jan", "Not January"], ["exclude-quarters-1-4", "Not Q1, Q4"], ["exclude-hours-0-23", "Not 0:00, 23:00"],
];
describe("a date value", () => {
  it.each(texts)("%s reads as %s and is written back", (text, words) => {
    const filter = dateFromParameter(text);
    expect(filter).not.toBeNull();
    expect(describeDate(filter!)).toBe(words);
    expect(dateToParameter(filter!)).toBe(text);
  });
  it.each(["", "never", "past0days", "2024-13", "2024-05-17~x", "exclude-days-Xyz", "Q5-2024", null, 7])("refuses %j", (text) => expect(dateFromParameter(text)).toBeNull());
});
describe("a date filter", () => {
  const filters: DateFilter[] = [
    { kind: "relative", n: -12, unit: "month", current: false }, { kind: "relative", n: -3, unit: "week", current: true }, { kind: "relative", n: 0, unit: "quarter", current: true },
    { kind: "relative", n: 2, unit: "day", current: false }, { kind: "relative", n: -7, unit: "day", current: false, offset: { n: -1, unit: "month" } },
    { kind: "on", date: "2024-05-17" }, { kind: "before", date: "2024-05-17" }, { kind: "after", date: "2024-05-17" }, { kind: "between", from: "2024-05-01", to: "2024-05-17" },
    { kind: "month", month: "2024-05" }, { kind: "quarter", year: 2024, quarter: 2 }, { kind: "exclude", unit: "day-of-week", values: [1, 7] },
    { kind: "exclude", unit: "month-of-year", values: [12] }, { kind: "exclude", unit: "quarter-of-year", values: [4] }, { kind: "exclude", unit: "hour-of-day", values: [0, 23] },
    { kind: "empty" }, { kind: "not-empty" },
  ];
  it.each(filters)("$kind survives the way to a clause and back", (filter) => {
    expect(dateFromClause(dateToClause(created, filter))).toEqual({ ref: created, filter });
  });
  it("excludes days by a date of that day, so that the start of the week does not matter", () => {
    expect(dateToClause(created, { kind: "exclude", unit: "day-of-week", values: [1] })).toEqual(["!=", ["field", 5, { "temporal-unit": "day-of-week" }], "2024-01-01"]);
  });
  it("drops the bucket of the column it filters", () => {
    expect(dateToClause(["field", 5, { "temporal-unit": "month" }], { kind: "relative", n: -1, unit: "day", current: false })).toEqual(["time-interval", created, -1, "day"]);
  });
});
