import { describe, expect, it } from "vitest";
import * as edit from "./edit";
import { flatColumns, missingTables, catalogOf, outputColumns, visibleColumns, findColumn, expressionType } from "./columns";
import { aggregationName, columnName, suggestedName } from "./names";
import { writeQuery } from "./read";
import { ordersQuery, ORDERS, PRODUCTS, shop, shopTables } from "./test_shop";
import type { Clause, ColumnRef } from "./types";

const total: ColumnRef = ["field", ORDERS.TOTAL, null];
const month: ColumnRef = ["field", ORDERS.CREATED, { "temporal-unit": "month" }];
const category: ColumnRef = ["field", PRODUCTS.CATEGORY, { "source-field": ORDERS.PRODUCT }];
const summary = () => edit.addBreakout(edit.addAggregation(ordersQuery(), 0, ["sum", total]), 0, month);

describe("columns of a stage", () => {
  it("are the table's and those that keys lead to", () => {
    const groups = visibleColumns(shop, ordersQuery());
    expect(groups.map((group) => group.name)).toEqual(["Orders", "User", "Product"]);
    expect(flatColumns(groups).find((column) => column.longName === "Product → Category")?.ref).toEqual(category);
  });
  it("are the results before in a later stage, by name", () => {
    const query = edit.addStage(summary());
    expect(visibleColumns(shop, query)[0]!.columns.map((column) => [column.displayName, column.ref])).toEqual([
      ["Created At: Month", ["field", "CREATED_AT", { "base-type": "type/DateTime" }]], ["Sum of Total", ["field", "sum", { "base-type": "type/Float" }]],
    ]);
  });
  it("get unique names in a result, whatever their case", () => {
    const query = edit.addAggregation(edit.addAggregation(ordersQuery(), 0, ["sum", total]), 0, ["sum", ["field", ORDERS.QUANTITY, null]]);
    expect(outputColumns(shop, query).map((column) => column.name)).toEqual(["sum", "sum_2"]);
    const joined = edit.addJoin(ordersQuery(), 0, edit.newJoin(shop, ordersQuery(), 0, { type: "table", id: 2 }));
    expect(outputColumns(shop, joined).map((column) => column.name)).toEqual(["ID", "USER_ID", "PRODUCT_ID", "TOTAL", "CREATED_AT", "QUANTITY", "ID_2", "TITLE", "CATEGORY", "PRICE", "CREATED_AT_2"]);
  });
  it("of a saved question are addressed by name", () => {
    const query = edit.withSource(ordersQuery(), 1, { type: "card", id: 42 });
    expect(visibleColumns(shop, query)[0]!.columns.map((column) => column.ref)).toEqual([["field", "CREATED_AT", { "base-type": "type/DateTime" }], ["field", "count", { "base-type": "type/BigInteger" }]]);
  });
  it("of a join carry its name", () => {
    const query = edit.addJoin(ordersQuery(), 0, edit.newJoin(shop, ordersQuery(), 0, { type: "table", id: 2 }));
    expect(findColumn(shop, query, 0, ["field", PRODUCTS.PRICE, { "join-alias": "Products" }])?.longName).toBe("Products → Price");
  });
  it("say which tables must be loaded for them", () => {
    const bare = catalogOf([shopTables[0]!]);
    expect(missingTables(ordersQuery(), bare).sort()).toEqual([2, 3]);
    expect(missingTables(ordersQuery(), shop)).toEqual([]);
  });
  it("may speak of each other, even in a circle", () => {
    let query = edit.addExpression(ordersQuery(), 0, "A", ["*", ["round", total], ["field", ORDERS.QUANTITY, null]]);
    query = edit.addExpression(query, 0, "B", ["+", ["expression", "A"], 1]);
    expect(findColumn(shop, query, 0, ["expression", "B"])?.effectiveType).toBe("type/Float");
    const circle = edit.addExpression(edit.addExpression(ordersQuery(), 0, "A", ["+", ["expression", "B"], 1]), 0, "B", ["+", ["expression", "A"], 1]);
    expect(visibleColumns(shop, circle).find((group) => group.kind === "expression")?.columns).toHaveLength(2);
  });
  it("have the type that their formula gives", () => {
    expect(expressionType(shop, ordersQuery(), 0, ["+", total, 1])).toBe("type/Float");
    expect(expressionType(shop, ordersQuery(), 0, ["case", [[[">", total, 1], "big"]]])).toBe("type/Text");
    expect(expressionType(shop, ordersQuery(), 0, ["datetime-add", month, 1, "day"])).toBe("type/DateTime");
  });
});

describe("joins", () => {
  it("follow the foreign key of the table", () => {
    expect(edit.newJoin(shop, ordersQuery(), 0, { type: "table", id: 2 })).toMatchObject({
      alias: "Products", strategy: "left-join", conditions: [["=", ["field", ORDERS.PRODUCT, null], ["field", PRODUCTS.ID, { "join-alias": "Products" }]]],
    });
  });
  it("get an alias of their own when the same table comes twice", () => {
    const once = edit.addJoin(ordersQuery(), 0, edit.newJoin(shop, ordersQuery(), 0, { type: "table", id: 2 }));
    expect(edit.newJoin(shop, once, 0, { type: "table", id: 2 }).alias).toBe("Products 2");
  });
  it("take all that spoke of them along when removed", () => {
    let query = edit.addJoin(ordersQuery(), 0, edit.newJoin(shop, ordersQuery(), 0, { type: "table", id: 2 }));
    const price: ColumnRef = ["field", PRODUCTS.PRICE, { "join-alias": "Products" }];
    query = edit.addExpression(query, 0, "Twice", ["*", price, 2]);
    query = edit.addFilter(query, 0, [">", ["expression", "Twice"], 3]);
    query = edit.addAggregation(query, 0, ["sum", price]);
    query = edit.addAggregation(query, 0, ["count"]);
    query = edit.addOrder(query, 0, ["desc", ["aggregation", 1]]);
    expect(writeQuery(edit.removeJoin(query, 0, 0))["query"]).toEqual({ "source-table": 1, aggregation: [["count"]], "order-by": [["desc", ["aggregation", 0]]] });
  });
});

describe("changing a query", () => {
  it("leaves the old one as it was", () => {
    const query = ordersQuery();
    const before = JSON.stringify(query);
    edit.setLimit(edit.addFilter(query, 0, [">", total, 1]), 0, 3);
    expect(JSON.stringify(query)).toBe(before);
  });
  it("carries a new name of a custom column to its users", () => {
    let query = edit.addExpression(ordersQuery(), 0, "A", ["+", total, 1]);
    query = edit.addFilter(query, 0, [">", ["expression", "A"], 3]);
    query = edit.replaceExpression(query, 0, 0, "B", ["+", total, 2]);
    expect(query.stages[0]!.filters).toEqual([[">", ["expression", "B"], 3]]);
  });
  it("shifts orders when a summary goes", () => {
    let query = edit.addAggregation(edit.addAggregation(ordersQuery(), 0, ["count"]), 0, ["sum", total]);
    query = edit.addOrder(query, 0, ["desc", ["aggregation", 1]]);
    query = edit.removeAggregation(query, 0, 0);
    expect(query.stages[0]!.orderBy).toEqual([["desc", ["aggregation", 0]]]);
    expect(edit.removeAggregation(query, 0, 0).stages[0]!.orderBy).toEqual([]);
  });
  it("drops later stages when the summary they read goes", () => {
    const query = edit.addFilter(edit.addStage(edit.addAggregation(ordersQuery(), 0, ["count"])), 1, [">", ["field", "count", null], 1]);
    expect(edit.removeAggregation(query, 0, 0).stages).toHaveLength(1);
  });
  it("drops orders by columns that a summary hides", () => {
    const sorted = edit.addOrder(ordersQuery(), 0, ["asc", total]);
    expect(edit.addAggregation(sorted, 0, ["count"]).stages[0]!.orderBy).toEqual([]);
  });
  it("carries a new bucket to the order", () => {
    const query = edit.addOrder(summary(), 0, ["desc", month]);
    expect(edit.replaceBreakout(query, 0, 0, edit.rebucket(month, "year")).stages[0]!.orderBy).toEqual([["desc", ["field", ORDERS.CREATED, { "temporal-unit": "year" }]]]);
  });
  it("cuts at a step for its first rows", () => {
    let query = edit.addFilter(summary(), 0, [">", total, 1]);
    query = edit.setLimit(edit.addStage(query), 1, 3);
    expect(writeQuery(edit.upTo(query, 0, "filter"))["query"]).toEqual({ "source-table": 1, filter: [">", total, 1] });
    expect(writeQuery(edit.upTo(query, 0, "summarize"))["query"]).toMatchObject({ aggregation: [["sum", total]] });
  });
  it("groups dates by month and measures into bins", () => {
    const columns = flatColumns(visibleColumns(shop, ordersQuery()));
    const by = (name: string) => edit.defaultBreakout(columns.find((column) => column.longName === name)!);
    expect(by("Created At")).toEqual(month);
    expect(by("Total")).toEqual(["field", ORDERS.TOTAL, { binning: { strategy: "default" } }]);
    expect(by("Product → Category")).toEqual(category);
  });
  it("refuses a limit that is none", () => {
    expect(edit.setLimit(ordersQuery(), 0, 0).stages[0]!.limit).toBeNull();
    expect(edit.setLimit(ordersQuery(), 0, 2.7).stages[0]!.limit).toBe(2);
  });
  it("trims stages that do nothing", () => {
    expect(edit.trimStages(edit.addStage(edit.addStage(summary()))).stages).toHaveLength(1);
  });
});

describe("names", () => {
  const names: [Clause, string][] = [
    [["count"], "Count"], [["sum", total], "Sum of Total"], [["distinct", category], "Distinct values of Product → Category"],
    [["/", ["sum", total], ["count"]], "Sum of Total ÷ Count"], [["percentile", total, 0.9], "90th percentile of Total"],
    [["aggregation-options", ["sum", total], { "display-name": "Revenue" }], "Revenue"], [["cum-count"], "Cumulative count"],
    [["sum", ["*", total, 2]], "Sum of Total × 2"],
  ];
  it.each(names)("of %j is %s", (clause, name) => expect(aggregationName(shop, ordersQuery(), 0, clause)).toBe(name));
  it("of columns tell bucket and bins", () => {
    expect(columnName(shop, ordersQuery(), 0, month)).toBe("Created At: Month");
    expect(columnName(shop, ordersQuery(), 0, ["field", ORDERS.TOTAL, { binning: { strategy: "num-bins", "num-bins": 10 } }])).toBe("Total: 10 bins");
  });
  it("of a question tell what it shows", () => {
    expect(suggestedName(shop, summary())).toBe("Orders, Sum of Total, grouped by Created At: Month");
    expect(suggestedName(shop, ordersQuery())).toBe("Orders");
  });
});
