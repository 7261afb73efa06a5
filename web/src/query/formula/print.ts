import type { Column, Ref } from "../types";
import { isClause, isRef, sameColumn } from "../clauses";
import { BINDING, functionOfClause } from "./functions";

export interface PrintContext {
  columns: Column[];
  metrics?: { id: number; name: string }[];
}

/** The formula of an expression, such that reading it gives the expression again. */
export function printFormula(value: unknown, context: PrintContext): string {
  return print(value, context, 0);
}
/** For reading only: × for *. */
export const prettyFormula = (value: unknown, context: PrintContext): string => {
  const text = printFormula(value, context);
  return text.replace(/("(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\])|\*/g, (_, kept: string | undefined) => kept ?? "×");
};

const quoted = (text: string) => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
const bracketed = (name: string) => `[${name.replace(/\\/g, "\\\\").replace(/\]/g, "\\]")}]`;

function print(value: unknown, context: PrintContext, around: number): string {
  if (typeof value === "string") return quoted(value);
  if (value === null || value === undefined) return "null";
  if (isRef(value)) return column(value, context);
  if (!isClause(value)) return String(value);
  const [operator, ...args] = value;
  const inner = (item: unknown) => print(item, context, 0);
  const binding = BINDING[operator];
  if (binding !== undefined && operator !== "not" && args.length > 1) {
    const [first, ...rest] = args;
    if ((operator === "=" || operator === "!=") && rest.length > 1) {
      const text = rest.map((item) => `${print(first, context, binding)} ${operator} ${print(item, context, binding)}`).join(operator === "=" ? " OR " : " AND ");
      return around >= (operator === "=" ? BINDING["or"]! : BINDING["and"]!) ? `(${text})` : text;
    }
    const sign = operator === "and" || operator === "or" ? operator.toUpperCase() : operator;
    // The left side may bind as loosely as we do; the others must bind tighter: a - (b - c).
    const text = [print(first, context, binding - 1), ...rest.map((item) => print(item, context, binding))].join(` ${sign} `);
    return binding <= around ? `(${text})` : text;
  }
  if (operator === "-" && args.length === 1) {
    const text = `-${print(args[0], context, BINDING["*"]!)}`;
    return around >= BINDING["*"]! ? `(${text})` : text;
  }
  switch (operator) {
    case "case": {
      const pairs = (args[0] as unknown[][]).flatMap((pair) => pair.map(inner));
      const otherwise = (args[1] as { default?: unknown } | undefined)?.default;
      return `case(${[...pairs, ...(otherwise === undefined ? [] : [inner(otherwise)])].join(", ")})`;
    }
    case "contains": case "does-not-contain": case "starts-with": case "ends-with": {
      const isOptions = (item: unknown): item is { "case-sensitive"?: boolean } => item !== null && typeof item === "object" && !Array.isArray(item);
      const sensitive = args.filter(isOptions).every((options) => options["case-sensitive"] !== false);
      return `${functionOfClause(operator)!.name}(${[...args.filter((item) => !isOptions(item)).map(inner), ...(sensitive ? [] : ['"case-insensitive"'])].join(", ")})`;
    }
    case "metric": {
      const metric = context.metrics?.find((item) => item.id === args[0]);
      return bracketed(metric?.name ?? `Metric ${String(args[0])}`);
    }
    case "aggregation-options": return print(args[0], context, around);
  }
  const known = functionOfClause(operator);
  const shown = args.filter((item) => item === null || typeof item !== "object" || Array.isArray(item));
  if (known && shown.length === 0 && known.kind === "aggregation") return known.name;
  return `${known?.name ?? operator}(${shown.map(inner).join(", ")})`;
}
function column(ref: Ref, context: PrintContext): string {
  const found = context.columns.find((item) => sameColumn(item.ref as Ref, ref)) ?? (ref[0] === "field" ? context.columns.find((item) => (typeof ref[1] === "number" ? item.fieldId === ref[1] : item.name === ref[1])) : undefined);
  return bracketed(found?.longName ?? String(ref[1]));
}
