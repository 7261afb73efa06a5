import { describe, expect, it } from "vitest";
import { anyOf, filterSentence, groupMembers, makeFilter, operatorsFor, readFilter } from "./filters";
import { flatColumns, visibleColumns } from "./columns";
import { ordersQuery, shop } from "./test_shop";
import type { Clause, ColumnRef } from "./types";

const total: ColumnRef = ["field", 4, null];
const category: ColumnRef = ["field", 12, { "source-field": 3 }];
const columns = flatColumns(visibleColumns(shop, ordersQuery()));

describe("a filter in words", () => {
  const cases: [Clause, string][] = [
    [[">", total, 100], "Total is more than 100"], [["=", category, "Lighting", "Furniture"], "Product → Category is Lighting or Furniture"],
    [["time-interval", ["field", 5, null], -12, "month"], "Created At is in the last 12 months"], [["between", total, 1, 2], "Total is between 1 and 2"],
    [["=", ["field", 5, { "temporal-unit": "month" }], "2026-08-01"], "Created At is in August 2026"],
    [["contains", category, "li", { "case-sensitive": false }], "Product → Category contains li"],
    [["or", [">", total, 100], ["is-null", total]], "Total is more than 100 or Total is empty"],
    [["!=", ["field", 2, null], null], "User ID is not empty"], [["segment", 7], "Big orders"],
    [["=", category, "a", "b", "c", "d"], "Product → Category is a, b or 2 more"], [[">", ["+", total, 1], 3], "Total + 1 is more than 3"],
    [["=", ["field", 24, { "source-field": 2 }], true], "User → Active is true"],
  ];
  it.each(cases)("%j", (clause, words) => expect(filterSentence(shop, ordersQuery(), 0, clause)).toBe(words));
});
describe("making filters", () => {
  it("puts options behind one needle and before several", () => {
    expect(makeFilter({ operator: "contains", ref: category, values: ["a"], caseSensitive: false })).toEqual(["contains", category, "a", { "case-sensitive": false }]);
    expect(makeFilter({ operator: "contains", ref: category, values: ["a", "b"], caseSensitive: true })).toEqual(["contains", { "case-sensitive": true }, category, "a", "b"]);
  });
  it("reads what it made", () => {
    for (const filter of [
      { operator: "contains" as const, ref: category, values: ["a", "b"], caseSensitive: false }, { operator: "=" as const, ref: total, values: [1, 2], caseSensitive: true },
      { operator: "is-empty" as const, ref: category, values: [], caseSensitive: true },
    ]) expect(readFilter(makeFilter(filter))).toEqual(filter);
  });
  it("does not pretend to read what has no editor", () => {
    expect(readFilter([">", ["+", total, 1], 3])).toBeNull();
    expect(readFilter([">", total, ["field", 6, null]])).toBeNull();
  });
  it("keeps groups flat", () => {
    const group = anyOf([[">", total, 1], ["or", ["<", total, 0], ["is-null", total]]])!;
    expect(groupMembers(group)).toHaveLength(3);
    expect(anyOf([[">", total, 1]])).toEqual([">", total, 1]);
    expect(anyOf([])).toBeNull();
  });
  it("offers what fits the type, the usual first", () => {
    const first = (name: string) => operatorsFor(columns.find((column) => column.longName === name)!).map((item) => item.id);
    expect(first("Total")[0]).toBe("=");
    expect(first("Product → Category")).toContain("starts-with");
    expect(first("User → Active")).toEqual(["=", "is-null", "not-null"]);
    expect(first("User ID")).not.toContain("contains");
  });
});
