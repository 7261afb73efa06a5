import { describe, expect, it } from "vitest";
import { drillActions, zoomTime, type Click, type DrillAction, type ResultColumn } from "./drill";
import { addAggregation, addBreakout, addOrder, setLimit } from "./edit";
import { decodeCard, encodeCard } from "./hash";
import { writeQuery } from "./read";
import { ordersQuery, shop } from "./test_shop";

const total = ["field", 4, null];
const month = ["field", 5, { "temporal-unit": "month" }] as ["field", number, object];
const monthColumn: ResultColumn = { name: "CREATED_AT", display_name: "Created At: Month", base_type: "type/DateTime", unit: "month", field_ref: month, source: "breakout" };
const sumColumn: ResultColumn = { name: "sum", display_name: "Sum of Total", base_type: "type/Float", field_ref: ["aggregation", 0], source: "aggregation" };
const totalColumn: ResultColumn = { name: "TOTAL", display_name: "Total", base_type: "type/Float", field_ref: total, source: "fields" };
const summary = () => addOrder(addBreakout(addAggregation(ordersQuery(), 0, ["sum", total]), 0, month as never), 0, ["desc", ["aggregation", 0]]);
const point: Click = { column: sumColumn, value: 224, dimensions: [{ column: monthColumn, value: "2026-08-01T00:00:00Z" }] };
const all = (actions: DrillAction[]): DrillAction[] => actions.flatMap((action) => [action, ...all(action.children ?? [])]);
const inner = (click: Click, id: string, query = summary()) => {
  const found = all(drillActions(shop, query, click)).find((action) => action.id === id);
  return found?.query ? writeQuery(found.query)["query"] : found;
};

describe("a click on a point", () => {
  it("leads to the records behind it", () => {
    expect(inner(point, "records", setLimit(summary(), 0, 5))).toEqual({ "source-table": 1, filter: ["=", month, "2026-08-01"] });
  });
  it("zooms into its bucket", () => {
    expect(inner(point, "zoom")).toEqual({
      "source-table": 1, filter: ["=", month, "2026-08-01"], aggregation: [["sum", total]], breakout: [["field", 5, { "temporal-unit": "week" }]], "order-by": [["desc", ["aggregation", 0]]],
    });
  });
  it("replaces an earlier zoom", () => {
    const zoomed = zoomTime(summary(), point.dimensions![0]!, [], shop)!;
    const week: ResultColumn = { ...monthColumn, unit: "week", field_ref: ["field", 5, { "temporal-unit": "week" }] };
    const twice = zoomTime(zoomed.query, { column: week, value: "2026-08-03T00:00:00Z" }, [], shop)!;
    expect(twice.unit).toBe("day");
    expect(twice.query.stages[0]!.filters).toEqual([["=", ["field", 5, { "temporal-unit": "week" }], "2026-08-03"]]);
  });
  it("breaks out by another column", () => {
    expect(inner(point, 'breakout-category-["field",12,{"source-field":3}]')).toEqual({
      "source-table": 1, filter: ["=", month, "2026-08-01"], aggregation: [["sum", total]], breakout: [["field", 12, { "source-field": 3 }]], "order-by": [["desc", ["aggregation", 0]]],
    });
  });
  it("filters a result one stage on", () => {
    expect(inner(point, "filter->")).toMatchObject({ filter: [">", ["field", "sum", { "base-type": "type/Float" }], 224], "source-query": { "source-table": 1 } });
  });
});
describe("a click on a cell", () => {
  it("filters by its value", () => {
    expect(inner({ column: totalColumn, value: 12.5 }, "filter-<", ordersQuery())).toEqual({ "source-table": 1, filter: ["<", total, 12.5] });
    expect(inner({ column: totalColumn, value: null }, "filter-=", ordersQuery())).toEqual({ "source-table": 1, filter: ["is-null", total] });
  });
  it("filters a bucket of time as a bucket", () => {
    expect(inner({ column: monthColumn, value: "2026-08-01T00:00:00+02:00" }, "filter-!=")).toMatchObject({ filter: ["!=", month, "2026-08-01"] });
  });
  it("filters a bin by its two ends", () => {
    const bins = ["field", 4, { binning: { strategy: "default" } }];
    const query = addBreakout(addAggregation(ordersQuery(), 0, ["count"]), 0, bins as never);
    const column: ResultColumn = { name: "TOTAL", display_name: "Total", base_type: "type/Float", field_ref: bins, binning_info: { bin_width: 20 } };
    expect(inner({ column, value: 40 }, "filter-=", query)).toMatchObject({ filter: ["and", [">=", total, 40], ["<", total, 60]] });
  });
  it("leads along a foreign key", () => {
    const column: ResultColumn = { name: "USER_ID", display_name: "User ID", base_type: "type/Integer", semantic_type: "type/FK", fk_target_field_id: 21, field_ref: ["field", 2, null] };
    expect(drillActions(shop, ordersQuery(), { column, value: 9 }).find((action) => action.id === "record")?.record).toEqual({ tableField: 21, key: 9 });
  });
});
describe("a click on a header", () => {
  it("sorts, summarizes and hides", () => {
    const click = { column: totalColumn };
    expect(inner(click, "sort-desc", ordersQuery())).toEqual({ "source-table": 1, "order-by": [["desc", total]] });
    expect(inner(click, "distribution", ordersQuery())).toEqual({ "source-table": 1, aggregation: [["count"]], breakout: [["field", 4, { binning: { strategy: "default" } }]] });
    expect(inner(click, "hide", ordersQuery())).toMatchObject({ fields: [["field", 1, null], ["field", 2, null], ["field", 3, null], ["field", 5, null], ["field", 6, null]] });
  });
  it("summarizes results in a stage of their own", () => {
    expect(inner({ column: sumColumn }, "avg")).toMatchObject({ aggregation: [["avg", ["field", "sum", { "base-type": "type/Float" }]]] });
  });
});
describe("the card in the address", () => {
  it("survives, with letters of all alphabets", () => {
    const card = { dataset_query: writeQuery(ordersQuery()), display: "bar", name: "Ümsätze → 東京 🏔" };
    expect(decodeCard(`#${encodeCard(card)}`)).toEqual(card);
  });
  it.each(["", "#", "#%%%", "#bm90IGpzb24=", `#${btoa("[1,2]")}`, `#${btoa("{}")}`])("is refused when it is none: %s", (hash) => expect(decodeCard(hash)).toBeNull());
});
