import { describe, expect, it } from "vitest";
import { flatColumns, visibleColumns } from "../columns";
import { ordersQuery, shop } from "../test_shop";
import type { Expression } from "../types";
import { callAt, complete } from "./complete";
import { nearest, parseFormula, type FormulaContext } from "./parse";
import { prettyFormula, printFormula } from "./print";
import { FormulaError } from "./tokens";

const columns = flatColumns(visibleColumns(shop, ordersQuery()));
const expression: FormulaContext = { columns, for: "expression" };
const filter: FormulaContext = { columns, for: "filter" };
const aggregation: FormulaContext = { columns, for: "aggregation", metrics: [{ id: 9, name: "Revenue" }] };
const total = ["field", 4, null];
const quantity = ["field", 6, null];

describe("reading a formula", () => {
  const cases: [string, Expression, FormulaContext?][] = [
    ["[Total] + 1", ["+", total, 1]], ["1 + 2 * 3", ["+", 1, ["*", 2, 3]]], ["(1 + 2) * 3", ["*", ["+", 1, 2], 3]], ["[Total] - [Quantity] - 1", ["-", total, quantity, 1]],
    ["[Total] - ([Quantity] - 1)", ["-", total, ["-", quantity, 1]]], ["[Total] / 2 / 3", ["/", ["/", total, 2], 3]], ["-[Total]", ["-", total]], ["-3", -3],
    ["[Total] × 2 ÷ 3", ["/", ["*", total, 2], 3]], ["case([Total] > 10, \"big\", \"small\")", ["case", [[[">", total, 10], "big"]], { default: "small" }]],
    ["IF([Total] > 10, 1)", ["case", [[[">", total, 10], 1]]]], ["coalesce([Total], 0)", ["coalesce", total, 0]],
    ["concat([Product → Category], \" \", [User → State])", ["concat", ["field", 12, { "source-field": 3 }], " ", ["field", 22, { "source-field": 2 }]]],
    ["concat([Product -> Category], 'x')", ["concat", ["field", 12, { "source-field": 3 }], "x"]],
    ["round([total])", ["round", total]], ["datetimeAdd([Created At], 3, \"days\")", ["datetime-add", ["field", 5, null], 3, "day"]], ["now", ["now"]],
    ["[Created At] + timeSpan(3, 'day')", ["+", ["field", 5, null], ["interval", 3, "day"]]],
    ["[Total] > 1 AND [Quantity] < 2 or not isNull([Total])", ["or", ["and", [">", total, 1], ["<", quantity, 2]], ["not", ["is-null", total]]], filter],
    ["contains([Product → Title], \"x\", \"case-insensitive\")", ["contains", ["field", 15, { "source-field": 3 }], "x", { "case-sensitive": false }], filter],
    ["[Created At] >= \"2024-01-01\"", [">=", ["field", 5, null], "2024-01-01"], filter], ["Sum([Total]) / Count", ["/", ["sum", total], ["count"]], aggregation],
    ["CountIf([Total] > 1)", ["count-where", [">", total, 1]], aggregation], ["[Revenue] * 2", ["*", ["metric", 9], 2], aggregation], ["Count", ["count"], aggregation],
  ];
  it.each(cases)("%s", (text, wanted, context) => expect(parseFormula(text, context ?? expression).expression).toEqual(wanted));
});

describe("a mistake in a formula", () => {
  const cases: [string, FormulaContext, string, number, number][] = [
    ["", expression, "Write a formula", 0, 0], ["[Totl] + 1", expression, "Did you mean [Total]?", 0, 6], ["[Total] +", expression, "missing after “+”", 8, 9],
    ["[Total", expression, "no closing bracket", 0, 6], ["rond([Total])", expression, "Did you mean round?", 0, 4], ["(1 + 2", expression, "never closed", 0, 1], ["1 + 2)", expression, "closes nothing", 5, 6],
    ["[Total] [Quantity]", expression, "Something is missing before", 8, 18], ["Total + 1", expression, "square brackets: [Total]", 0, 5], ["Sum([Total])", expression, "use it in Summarize", 0, 3],
    ["[Product → Title] * 2", expression, "“*” needs a number", 0, 17], ["month([Total])", expression, "month needs a date", 6, 13], ["round()", expression, "takes round(number)", 0, 7],
    ["[Total] + 1", filter, "must be true or false", 0, 11], ["[Total]", aggregation, "needs a function", 0, 7], ["Sum([Total]) + [Quantity]", aggregation, "must stand inside", 15, 25],
    ["Sum(Count)", aggregation, "cannot stand around another summary", 4, 9], ["\"abc", expression, "no closing quote", 0, 4], ["1 # 2", expression, "has no meaning", 2, 3], ["round(1,)", expression, "after this comma", 7, 8],
    ["[Product → Title] = 3", filter, "compares a text with a number", 0, 21], ["datetimeAdd([Created At], 1, \"dai\")", expression, "needs a unit of time", 29, 34], ["\"a\" + \"b\"", expression, "join texts with concat", 4, 5],
  ];
  it.each(cases)("%s", (text, context, message, start, end) => {
    let error: unknown;
    try {
      parseFormula(text, context);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FormulaError);
    expect((error as FormulaError).message).toContain(message);
    expect([(error as FormulaError).start, (error as FormulaError).end]).toEqual([start, end]);
  });
});

describe("printing", () => {
  const texts: [string, FormulaContext?][] = [
    ["[Total] + 1"], ["([Total] + 1) * 2"], ["[Total] - ([Quantity] - 1)"], ["[Total] / 2 / 3"], ["[Total] / (2 / 3)"], ["-[Total]"], ["2 * (-[Total])"], ["case([Total] > 10, \"big\", \"small\")"],
    ["[Total] > 1 AND ([Quantity] < 2 OR isNull([Total]))", filter], ["contains([Product → Title], \"a\", \"b\", \"case-insensitive\")", filter], ["Sum([Total]) / Count", aggregation], ["Sum([Total] * [Quantity])", aggregation],
    ["datetimeDiff([Created At], now(), \"day\")"], ["substring([Product → Title], 1, 3)"], ["[Created At] + timeSpan(3, \"day\")"], ["concat(\"a\\\"b\", \"c\")"],
  ];
  it.each(texts)("%s comes back as it was", (text, context) => {
    const used = context ?? expression;
    expect(printFormula(parseFormula(text, used).expression, used)).toBe(text);
  });
  it("shows × for reading, but not in texts", () => {
    expect(prettyFormula(["*", total, 2], expression)).toBe("[Total] × 2");
    expect(prettyFormula(["concat", "a*b", "c"], expression)).toBe('concat("a*b", "c")');
  });
  it("writes several values as alternatives", () => expect(printFormula(["=", total, 1, 2], filter)).toBe("[Total] = 1 OR [Total] = 2"));
});

describe("completing", () => {
  const labels = (text: string, context = expression) => complete(text, text.length, context).options.map((option) => option.label);
  it("offers functions and columns that start so", () => {
    expect(labels("ro")[0]).toBe("round");
    expect(labels("Tot")).toContain("Total");
    expect(labels("Sum")).not.toContain("Sum");
    expect(labels("Sum", aggregation)[0]).toBe("Sum");
  });
  it("offers columns inside an open bracket and replaces it whole", () => {
    const found = complete("1 + [Cat", 8, expression);
    expect(found.from).toBe(4);
    expect(found.options[0]!.insert).toBe("[Product → Category]");
    expect(complete("[To] + 1", 3, expression).to).toBe(4);
  });
  it("stays silent inside a text and after a finished value", () => {
    expect(labels("concat(\"to")).toEqual([]);
    expect(labels("[Total] ")).toEqual([]);
  });
  it("tells the call that the cursor is in", () => {
    expect(callAt("round(", 6)?.known.name).toBe("round");
    expect(callAt("substring([a, b], 1", 19)).toMatchObject({ argument: 1 });
    expect(callAt("round(1)", 8)).toBeNull();
  });
  it("finds what was meant only when it is close", () => {
    expect(nearest("Totel", ["Total", "Quantity"])).toBe("Total");
    expect(nearest("xyz", ["Total"])).toBeNull();
  });
});
