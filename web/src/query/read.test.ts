import { describe, expect, it } from "vitest";
import { readClause, readQuery, sameQuery, writeQuery, isNative, nativeOf } from "./read";

const legacy = (query: Record<string, unknown>) => ({ database: 1, type: "query", query });
const roundTrip = (query: Record<string, unknown>) => (writeQuery(readQuery(legacy(query))!)["query"]);

describe("reading the older spelling", () => {
  it("writes back what it read", () => {
    const query = {
      "source-table": 1, joins: [{ "source-table": 2, alias: "Products", condition: ["=", ["field", 3, null], ["field", 11, { "join-alias": "Products" }]], strategy: "left-join", fields: "all" }],
      expressions: { Margin: ["-", ["field", 4, null], 1] }, filter: ["and", [">", ["field", 4, null], 10], ["or", ["=", ["field", 6, null], 1], ["=", ["field", 6, null], 2]]],
      aggregation: [["sum", ["field", 4, null]], ["count"]], breakout: [["field", 5, { "temporal-unit": "month" }]],
      "order-by": [["desc", ["aggregation", 0]]], limit: 5,
    };
    expect(roundTrip(query)).toEqual(query);
  });
  it("turns nested queries into stages, innermost first", () => {
    const nested = { "source-query": { "source-table": 1, aggregation: [["count"]], breakout: [["field", 5, null]] }, filter: [">", ["field", "count", { "base-type": "type/Integer" }], 3] };
    const query = readQuery(legacy(nested))!;
    expect(query.stages).toHaveLength(2);
    expect(query.stages[0]!.source).toEqual({ type: "table", id: 1 });
    expect(query.stages[1]!.source).toBeNull();
    expect(writeQuery(query)["query"]).toEqual(nested);
  });
  it("keeps keys it does not know", () => {
    expect(roundTrip({ "source-table": 1, page: { page: 1, items: 5 } })).toEqual({ "source-table": 1, page: { page: 1, items: 5 } });
    expect(writeQuery(readQuery({ ...legacy({ "source-table": 1 }), parameters: [{ id: "x" }] })!)["parameters"]).toEqual([{ id: "x" }]);
  });
  it("reads a saved question and SQL as sources", () => {
    expect(readQuery(legacy({ "source-table": "card__42" }))!.stages[0]!.source).toEqual({ type: "card", id: 42 });
    expect(roundTrip({ "source-query": { native: "select 1" } })).toEqual({ "source-query": { native: "select 1" } });
  });
  it("understands spellings of long ago", () => {
    expect(readClause(["datetime-field", ["field-id", 5], "month"])).toEqual(["field", 5, { "temporal-unit": "month" }]);
    expect(readClause(["fk->", 3, 12])).toEqual(["field", 12, { "source-field": 3 }]);
    expect(readClause(["joined-field", "P", ["field-id", 12]])).toEqual(["field", 12, { "join-alias": "P" }]);
    expect(readClause(["binning-strategy", ["field-id", 4], "num-bins", 10])).toEqual(["field", 4, { binning: { strategy: "num-bins", "num-bins": 10 } }]);
    expect(readClause(["field-literal", "NAME", "type/Text"])).toEqual(["field", "NAME", { "base-type": "type/Text" }]);
    expect(roundTrip({ source_table: 1, aggregation: "count", breakout: [5], order_by: [[5, "descending"]] })).toEqual({
      "source-table": 1, aggregation: [["count"]], breakout: [["field", 5, null]], "order-by": [["desc", ["field", 5, null]]],
    });
    expect(roundTrip({ "source-table": 1, aggregation: ["count"] })).toEqual({ "source-table": 1, aggregation: [["count"]] });
    expect(roundTrip({ "source-table": 1, aggregation: ["rows"] })).toEqual({ "source-table": 1 });
    expect(readClause(["COUNT_WHERE", [">", ["field", 1, null], 3]])).toEqual(["count-where", [">", ["field", 1, null], 3]]);
  });
  it("flattens and, drops empty members and double not", () => {
    expect(roundTrip({ "source-table": 1, filter: ["and", ["and", [">", 1, 2]], null, ["not", ["not", ["<", 3, 4]]]] })).toEqual({ "source-table": 1, filter: ["and", [">", 1, 2], ["<", 3, 4]] });
    expect(roundTrip({ "source-table": 1, filter: ["and"], fields: [], limit: null, joins: null })).toEqual({ "source-table": 1 });
  });
});

describe("reading the newer spelling", () => {
  const query = {
    "lib/type": "mbql/query", database: 1,
    stages: [
      {
        "lib/type": "mbql.stage/mbql", "source-table": 1,
        expressions: [["+", { "lib/uuid": "e", "lib/expression-name": "Double" }, ["field", { "lib/uuid": "f" }, 4], 1]],
        filters: [["contains", { "lib/uuid": "a", "case-sensitive": false }, ["field", { "lib/uuid": "b", "join-alias": "P" }, 12], "x"], ["time-interval", { "lib/uuid": "t", "include-current": true }, ["field", {}, 5], -3, "month"]],
        joins: [{ "lib/type": "mbql/join", alias: "P", strategy: "inner-join", fields: "none", stages: [{ "lib/type": "mbql.stage/mbql", "source-table": 2 }], conditions: [["=", {}, ["field", {}, 3], ["field", { "join-alias": "P" }, 11]]] }],
        aggregation: [["sum", { "lib/uuid": "agg-1", "display-name": "Revenue" }, ["field", {}, 4]], ["count", { "lib/uuid": "agg-2" }]],
        breakout: [["field", { "lib/uuid": "c", "temporal-unit": "month", "base-type": "type/DateTime" }, 5]],
        "order-by": [["desc", {}, ["aggregation", {}, "agg-2"]]],
      },
      { "lib/type": "mbql.stage/mbql", filters: [[">", {}, ["field", { "base-type": "type/Integer" }, "count"], 3]], limit: 10 },
    ],
  };
  it("gives the same model as the older one", () => {
    expect(writeQuery(readQuery(query)!)).toEqual({
      database: 1, type: "query",
      query: {
        "source-query": {
          "source-table": 1, expressions: { Double: ["+", ["field", 4, null], 1] },
          joins: [{ alias: "P", strategy: "inner-join", fields: "none", "source-table": 2, condition: ["=", ["field", 3, null], ["field", 11, { "join-alias": "P" }]] }],
          filter: ["and", ["contains", ["field", 12, { "join-alias": "P" }], "x", { "case-sensitive": false }], ["time-interval", ["field", 5, null], -3, "month", { "include-current": true }]],
          aggregation: [["aggregation-options", ["sum", ["field", 4, null]], { "display-name": "Revenue" }], ["count"]],
          breakout: [["field", 5, { "temporal-unit": "month", "base-type": "type/DateTime" }]], "order-by": [["desc", ["aggregation", 1]]],
        },
        filter: [">", ["field", "count", { "base-type": "type/Integer" }], 3], limit: 10,
      },
    });
  });
  it("tells SQL from structured queries in both spellings", () => {
    const sql = { "lib/type": "mbql/query", database: 1, stages: [{ "lib/type": "mbql.stage/native", native: "select {{x}}", "template-tags": { x: { name: "x", type: "text" } } }] };
    expect(isNative(sql)).toBe(true);
    expect(nativeOf(sql)).toEqual({ query: "select {{x}}", "template-tags": { x: { name: "x", type: "text" } } });
    expect(readQuery(sql)).toBeNull();
    expect(isNative({ type: "native", native: { query: "select 1" } })).toBe(true);
    expect(isNative(query)).toBe(false);
    expect(readQuery(null)).toBeNull();
  });
});

it("finds the same query the same, however its keys are ordered", () => {
  expect(sameQuery(legacy({ "source-table": 1, limit: 3 }), { query: { limit: 3, "source-table": 1 }, type: "query", database: 1 })).toBe(true);
  expect(sameQuery(legacy({ "source-table": 1, limit: 3 }), legacy({ "source-table": 1, limit: 4 }))).toBe(false);
});
