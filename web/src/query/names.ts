import type { Binning, Catalog, Clause, Query, Ref, Source, TemporalUnit } from "./types";
import { aggregationOptions, bareAggregation, binningOf, isClause, isRef, unitOf } from "./clauses";
import { findColumn, sourceTableId } from "./columns";
import { say } from "./words";

export function sourceName(catalog: Catalog, source: Source | null): string {
  if (!source) return "";
  const id = sourceTableId(source);
  if (id === null) return say("SQL");
  return catalog.table(id)?.display_name ?? (source.type === "card" ? say("Question {{id}}", { id: source.id }) : say("Table {{id}}", { id: String(id) }));
}

const UNIT_NAMES: Record<string, string> = {
  default: "Don't bucket", millisecond: "Millisecond", second: "Second", minute: "Minute", hour: "Hour", day: "Day", week: "Week", month: "Month", quarter: "Quarter", year: "Year",
  "second-of-minute": "Second of minute", "minute-of-hour": "Minute of hour", "hour-of-day": "Hour of day", "day-of-week": "Day of week", "day-of-month": "Day of month",
  "day-of-year": "Day of year", "week-of-year": "Week of year", "month-of-year": "Month of year", "quarter-of-year": "Quarter of year", "year-of-era": "Year of era",
};
export const unitName = (unit: TemporalUnit | string): string => say(UNIT_NAMES[unit] ?? unit);

export function binningName(binning: Binning, coordinate = false): string {
  if (binning.strategy === "num-bins") return say("{{n}} bins", { n: binning["num-bins"] });
  if (binning.strategy === "bin-width") return coordinate ? `${binning["bin-width"]}°` : say("Steps of {{width}}", { width: binning["bin-width"] });
  return say("Auto binned");
}

/** "Created At: Month", "Product → Category", "Total: 10 bins". */
export function columnName(catalog: Catalog, query: Query, stageIndex: number, ref: Ref): string {
  const column = findColumn(catalog, query, stageIndex, ref);
  const name = column?.longName ?? (ref[0] === "aggregation" ? say("Aggregation {{n}}", { n: ref[1] + 1 }) : String(ref[1]));
  const unit = unitOf(ref);
  const binning = binningOf(ref);
  if (unit && unit !== "default") return `${name}: ${unitName(unit)}`;
  if (binning) return `${name}: ${binningName(binning, column?.semanticType === "type/Latitude" || column?.semanticType === "type/Longitude")}`;
  return name;
}

const AGGREGATION_SENTENCES: Record<string, string> = {
  distinct: "Distinct values of {{column}}", sum: "Sum of {{column}}", avg: "Average of {{column}}", min: "Min of {{column}}", max: "Max of {{column}}",
  stddev: "Standard deviation of {{column}}", var: "Variance of {{column}}", median: "Median of {{column}}", "cum-sum": "Cumulative sum of {{column}}",
  "sum-where": "Sum of {{column}} matching condition", "distinct-where": "Distinct values of {{column}} matching condition",
};
const SIGNS: Record<string, string> = { "+": "+", "-": "-", "*": "×", "/": "÷" };

/** "Sum of Total", "Count", "Sum of Total ÷ Count", or the name the user gave. */
export function aggregationName(catalog: Catalog, query: Query, stageIndex: number, aggregation: Clause): string {
  const given = aggregationOptions(aggregation)["display-name"];
  if (given) return given;
  const bare = bareAggregation(aggregation);
  if (bare[0] === "aggregation") {
    const other = query.stages[stageIndex]?.aggregations[bare[1] as number];
    return other && other !== aggregation ? aggregationName(catalog, query, stageIndex, other) : say("Aggregation");
  }
  const [operator, ...args] = bare;
  const argument = (value: unknown) => expressionName(catalog, query, stageIndex, value);
  switch (operator) {
    case "count": return args.length === 0 || args[0] == null ? say("Count") : say("Count of {{column}}", { column: argument(args[0]) });
    case "cum-count": return args.length === 0 || args[0] == null ? say("Cumulative count") : say("Cumulative count of {{column}}", { column: argument(args[0]) });
    case "count-where": return say("Count of rows matching condition");
    case "share": return say("Share of rows matching condition");
    case "percentile": return say("{{p}}th percentile of {{column}}", { p: Math.round(Number(args[1]) * 100), column: argument(args[0]) });
    case "offset": return say("Offset of {{column}}", { column: argument(args[1]) });
    case "metric": {
      const id = Number(args[0]);
      const stage = query.stages[0];
      const tables = stage?.source ? [sourceTableId(stage.source)] : [];
      for (const table of tables) {
        const found = table === null ? undefined : catalog.table(table)?.metrics?.find((metric) => metric.id === id);
        if (found) return found.name;
      }
      return say("Metric {{id}}", { id });
    }
    default: {
      const sentence = AGGREGATION_SENTENCES[operator];
      return sentence ? say(sentence, { column: argument(args[0]) }) : argument(bare);
    }
  }
}

/** An expression in words: columns by name, arithmetic infix. Long ones are cut to their function's name. */
export function expressionName(catalog: Catalog, query: Query, stageIndex: number, value: unknown, nested = false): string {
  if (isRef(value)) return columnName(catalog, query, stageIndex, value);
  if (typeof value === "string") return `"${value}"`;
  if (!isClause(value)) return String(value);
  const [operator, ...args] = value;
  const sign = SIGNS[operator];
  if (sign && args.length > 1) {
    const text = args.map((item) => expressionName(catalog, query, stageIndex, item, true)).join(` ${sign} `);
    return nested ? `(${text})` : text;
  }
  if (operator in AGGREGATION_SENTENCES || ["count", "cum-count", "count-where", "share", "percentile", "metric", "offset", "aggregation-options"].includes(operator))
    return aggregationName(catalog, query, stageIndex, value);
  if (operator === "case") return say("Case");
  if (operator === "interval") return `${String(args[0])} ${String(args[1])}`;
  return `${operator}(${args.filter((item) => item === null || typeof item !== "object" || Array.isArray(item)).map((item) => expressionName(catalog, query, stageIndex, item)).join(", ")})`;
}

/** A title for a question that has none yet: "Orders, Sum of Total, grouped by Created At: Month". */
export function suggestedName(catalog: Catalog, query: Query): string {
  const index = query.stages.length - 1;
  const stage = query.stages[index]!;
  const first = sourceName(catalog, query.stages[0]?.source ?? null);
  const parts = [first];
  const reading = (i: number) => query.stages[i]!;
  const shown = stage.aggregations.length + stage.breakouts.length > 0 || index === 0 ? index : index - 1;
  const named = reading(shown);
  if (named.aggregations.length > 0)
    parts.push(named.aggregations.map((item) => aggregationName(catalog, query, shown, item)).join(say(" and ")));
  if (named.breakouts.length > 0)
    parts.push(say("grouped by {{columns}}", { columns: named.breakouts.map((ref) => columnName(catalog, query, shown, ref)).join(say(" and ")) }));
  if (named.filters.length > 0 && named.aggregations.length === 0) parts.push(say("filtered"));
  return parts.filter((part) => part !== "").join(", ");
}

