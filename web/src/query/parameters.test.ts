import { describe, expect, it } from "vitest";
import { addAggregation, addBreakout } from "./edit";
import {
  columnFits, describeValue, mappingOptions, matchingOption, newParameter, parameterClause, parameterKinds, slugFor, valueFromAddress, valueToAddress, widgetOf, withParameterValues, type Parameter,
} from "./parameters";
import { writeQuery } from "./read";
import { ordersQuery, shop } from "./test_shop";
import { flatColumns, visibleColumns } from "./columns";

const parameter = (type: string, more: Partial<Parameter> = {}): Parameter => ({ id: "a", name: "A", slug: "a", type, ...more });
const columns = flatColumns(visibleColumns(shop, ordersQuery()));

describe("linking a filter to a card", () => {
  it("offers the columns that fit", () => {
    const names = (type: string, more?: Partial<Parameter>) => mappingOptions(shop, writeQuery(ordersQuery()), parameter(type, more)).map((option) => option.name);
    expect(names("date/all-options")).toEqual(["Created At", "Product → Created At"]);
    expect(names("string/=")).toEqual(["User → State", "User → Name", "Product → Title", "Product → Category"]);
    expect(names("string/=", { sectionId: "location" })).toEqual(["User → State"]);
    expect(names("number/between")).toEqual(["Total", "Quantity", "Product → Price"]);
    expect(names("id")).toContain("Product ID");
    expect(names("boolean/=")).toEqual(["User → Active"]);
  });
  it("offers the first stage's columns of a summary too, and says which stage", () => {
    const query = addBreakout(addAggregation(ordersQuery(), 0, ["count"]), 0, ["field", 5, { "temporal-unit": "month" }]);
    expect(mappingOptions(shop, writeQuery(query), parameter("date/range"))[0]!.target).toEqual(["dimension", ["field", 5, null], { "stage-number": 0 }]);
    expect(mappingOptions(shop, writeQuery(query), parameter("temporal-unit"))[0]!.name).toBe("Created At");
  });
  it("offers the variables of SQL that fit", () => {
    const sql = { database: 1, type: "native", native: { query: "", "template-tags": {
      since: { name: "since", "display-name": "Since", type: "date" }, kind: { name: "kind", "display-name": "Kind", type: "dimension", "widget-type": "string/=" }, n: { name: "n", "display-name": "N", type: "number" },
    } } };
    const targets = (type: string) => mappingOptions(shop, sql, parameter(type)).map((option) => option.target);
    expect(targets("date/single")).toEqual([["variable", ["template-tag", "since"]]]);
    expect(targets("string/=")).toEqual([["dimension", ["template-tag", "kind"]]]);
    expect(targets("number/=")).toEqual([["variable", ["template-tag", "n"]]]);
  });
  it("finds the same field on another card", () => {
    const options = mappingOptions(shop, writeQuery(ordersQuery()), parameter("string/="));
    expect(matchingOption(options, ["dimension", ["field", 12, { "join-alias": "Products" }], null], null)?.name).toBe("Product → Category");
    expect(matchingOption(options, ["dimension", ["field", 999, null], null], null)).toBeNull();
  });
  it("keeps keys out of numbers", () => expect(columnFits(parameter("number/="), columns.find((column) => column.name === "USER_ID")!)).toBe(false));
});

describe("values", () => {
  it("are described for the chip", () => {
    expect(describeValue(parameter("date/all-options"), "past12months")).toBe("Last 12 months");
    expect(describeValue(parameter("string/="), ["Web", "shop"])).toBe("Web, shop");
    expect(describeValue(parameter("string/="), ["a", "b", "c"])).toBe("3 selected");
    expect(describeValue(parameter("number/between"), [10, 20])).toBe("10 – 20");
    expect(describeValue(parameter("number/between"), [null, 20])).toBe("up to 20");
    expect(describeValue(parameter("temporal-unit"), "month")).toBe("Month");
  });
  it("go through the address", () => {
    const through = (type: string, value: unknown) => valueFromAddress(parameter(type), valueToAddress(value));
    expect(through("string/=", ["a", "b,c"])).toEqual(["a", "b,c"]);
    expect(through("number/between", [1, 2])).toEqual([1, 2]);
    expect(through("date/all-options", "past7days~")).toBe("past7days~");
    expect(valueFromAddress(parameter("number/="), ["x"])).toBeUndefined();
    expect(valueFromAddress(parameter("date/all-options"), ["soon"])).toBeUndefined();
    expect(valueFromAddress(parameter("string/="), undefined)).toBeUndefined();
    expect(valueFromAddress(parameter("string/="), [""])).toBeNull();
  });
  it("become filters", () => {
    const total: ["field", number, null] = ["field", 4, null];
    expect(parameterClause("number/between", total, [1, 2])).toEqual(["between", total, 1, 2]);
    expect(parameterClause("number/between", total, [null, 2])).toEqual(["<=", total, 2]);
    expect(parameterClause("string/contains", total, ["a"])).toEqual(["contains", total, "a", { "case-sensitive": false }]);
    expect(parameterClause("date/all-options", total, "past7days")).toEqual(["time-interval", total, -7, "day"]);
    expect(parameterClause("string/=", total, [])).toBeNull();
  });
  it("are built into the question that a card's title opens", () => {
    const query = addBreakout(addAggregation(ordersQuery(), 0, ["count"]), 0, ["field", 5, { "temporal-unit": "month" }]);
    const unit = parameter("temporal-unit", { id: "u" });
    const out = withParameterValues(query, [
      { parameter_id: "a", card_id: 1, target: ["dimension", ["field", 12, { "source-field": 3 }], { "stage-number": 0 }] },
      { parameter_id: "u", card_id: 1, target: ["dimension", ["field", 5, { "temporal-unit": "month" }]] }, { parameter_id: "gone", card_id: 1, target: ["dimension", ["field", 1, null]] },
    ], [parameter("string/="), unit], { a: ["Gadget"], u: "year" });
    expect(writeQuery(out)["query"]).toMatchObject({ filter: ["=", ["field", 12, { "source-field": 3 }], "Gadget"], breakout: [["field", 5, { "temporal-unit": "year" }]] });
  });
});

describe("new filters", () => {
  it("get a name and a slug of their own", () => {
    const kind = parameterKinds()[1]!;
    const first = newParameter(kind, [], () => 0.5);
    const second = newParameter(kind, [first]);
    expect([first.slug, second.slug]).toEqual(["text_or_category", "text_or_category_2"]);
    expect(second.id).toMatch(/^[0-9a-f]{8}$/);
    expect(slugFor("Größe (m²)", [])).toBe("große_m2");
    expect(slugFor("Tab", [])).toBe("tab_filter");
  });
  it("know their widget", () => {
    expect(widgetOf(parameter("string/="))).toEqual({ kind: "list", many: true });
    expect(widgetOf(parameter("string/contains"))).toEqual({ kind: "text", many: true });
    expect(widgetOf(parameter("number/between"))).toEqual({ kind: "number", values: 2 });
    expect(widgetOf(parameter("date/month-year"))).toEqual({ kind: "date", choices: "month" });
  });
});
