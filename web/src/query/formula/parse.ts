import type { Clause, Column, Expression, Ref } from "../types";
import { kindOfType } from "../kinds";
import { say } from "../words";
import { BINDING, FUNCTIONS, UNIT_ARGUMENTS, UNIT_NAMES, functionNamed, type FormulaFunction, type ValueType } from "./functions";
import { FormulaError, tokensOf, type Token } from "./tokens";

/** What a formula may speak of. */
export interface FormulaContext {
  columns: Column[];
  /** A custom column, a filter (must be true or false), or a summary (must aggregate). */
  for: "expression" | "filter" | "aggregation";
  /** Saved metrics by name, usable in summaries. */
  metrics?: { id: number; name: string }[];
}
interface Node {
  value: Expression;
  type: ValueType;
  /** Does it aggregate? A bare column beside an aggregation is a mistake. */
  aggregates: boolean;
  /** A column outside any aggregation, to point at. */
  bare: { start: number; end: number; name: string } | null;
  start: number;
  end: number;
}
export interface Parsed {
  expression: Expression;
  type: ValueType;
}

export function typeOfColumn(column: Column): ValueType {
  const kind = kindOfType(column.effectiveType);
  return kind === "datetime" || kind === "date" || kind === "time" ? "date" : kind === "other" ? "any" : kind;
}
const TYPE_NAMES: Record<ValueType, string> = { number: "a number", text: "a text", date: "a date", boolean: "true or false", any: "a value" };
export const typeName = (type: ValueType): string => say(TYPE_NAMES[type]);

/** Reads a formula. Throws FormulaError with the place of the first mistake. */
export function parseFormula(text: string, context: FormulaContext): Parsed {
  const parser = new Parser(text, tokensOf(text), context);
  const node = parser.whole();
  if (context.for === "aggregation") {
    if (!node.aggregates) throw new FormulaError(say("A summary needs a function such as Sum or Count around its columns."), node.start, node.end);
    if (node.bare) throw new FormulaError(say("[{{name}}] must stand inside a function such as Sum or Average.", { name: node.bare.name }), node.bare.start, node.bare.end);
  }
  if (context.for === "filter" && node.type !== "boolean" && node.type !== "any")
    throw new FormulaError(say("A filter must be true or false; this is {{type}}. Compare it with something.", { type: typeName(node.type) }), node.start, node.end);
  if (context.for === "expression" && !Array.isArray(node.value))
    return { expression: node.value, type: node.type };
  return { expression: node.value, type: node.type };
}

class Parser {
  private at = 0;
  constructor(private text: string, private tokens: Token[], private context: FormulaContext) {}

  whole(): Node {
    if (this.peek().type === "end") throw new FormulaError(say("Write a formula, for example [Total] * 2."), 0, 0);
    const node = this.binary(0);
    const rest = this.peek();
    if (rest.type === ")") throw new FormulaError(say("This bracket closes nothing."), rest.start, rest.end);
    if (rest.type === ",") throw new FormulaError(say("A comma only stands between the arguments of a function."), rest.start, rest.end);
    if (rest.type !== "end") throw new FormulaError(say("Something is missing before “{{word}}”: an operator such as + or a comma.", { word: this.text.slice(rest.start, rest.end) }), rest.start, rest.end);
    return node;
  }

  private peek(): Token {
    return this.tokens[this.at]!;
  }
  private next(): Token {
    return this.tokens[this.at++]!;
  }
  private operator(): string | null {
    const token = this.peek();
    if (token.type === "operator") return token.value;
    const word = token.type === "name" ? token.value.toLowerCase() : "";
    return word === "and" || word === "or" ? word : null;
  }

  private binary(tightest: number): Node {
    let left = this.unary();
    for (;;) {
      const operator = this.operator();
      if (operator === null || BINDING[operator]! <= tightest) return left;
      const token = this.next();
      if (this.peek().type === "end") throw new FormulaError(say("Something is missing after “{{sign}}”.", { sign: this.text.slice(token.start, token.end) }), token.start, token.end);
      const right = this.binary(BINDING[operator]!);
      left = this.combine(operator, left, right, token);
    }
  }

  private combine(operator: string, left: Node, right: Node, token: Token): Node {
    const joined = (value: Expression, type: ValueType): Node => ({
      value, type, aggregates: left.aggregates || right.aggregates, bare: left.bare ?? right.bare, start: left.start, end: right.end,
    });
    // a + b + c is one clause, as long as the left side was not bracketed differently.
    const flat = (sign: string): Clause => {
      const head = Array.isArray(left.value) && left.value[0] === sign && !this.bracketed.has(left.value) && left.value.length > 2 && sign !== "/" ? left.value.slice(1) : [left.value];
      return [sign, ...head, right.value];
    };
    const expect = (node: Node, type: ValueType) => this.expect(node, type, token.value);
    switch (operator) {
      case "and": case "or":
        expect(left, "boolean");
        expect(right, "boolean");
        return joined(flat(operator), "boolean");
      case "+": case "-": {
        const interval = Array.isArray(right.value) && right.value[0] === "interval";
        if (left.type === "date" && interval) return joined([operator, left.value, right.value], "date");
        if (left.type === "text" && operator === "+") throw new FormulaError(say("“+” adds numbers; join texts with concat."), token.start, token.end);
        expect(left, "number");
        expect(right, "number");
        return joined(flat(operator), "number");
      }
      case "*": case "/":
        expect(left, "number");
        expect(right, "number");
        return joined(flat(operator), "number");
      default: {
        const [a, b] = [left.type, right.type];
        const dates = (a === "date" && b === "text") || (a === "text" && b === "date");
        if (a !== "any" && b !== "any" && a !== b && !dates)
          throw new FormulaError(say("This compares {{a}} with {{b}}.", { a: typeName(a), b: typeName(b) }), left.start, right.end);
        return joined([operator, left.value, right.value], "boolean");
      }
    }
  }

  private bracketed = new Set<unknown>();

  private expect(node: Node, type: ValueType, where: string): void {
    if (type === "any" || node.type === "any" || node.type === type) return;
    // A text may be a date that is written out.
    if (type === "date" && node.type === "text" && typeof node.value === "string" && /^\d{4}-\d{2}/.test(node.value)) return;
    const shown = this.text.slice(node.start, node.end);
    throw new FormulaError(
      say("{{function}} needs {{wanted}}; {{shown}} is {{given}}.", { function: where.length <= 2 ? `“${where}”` : where, wanted: typeName(type), shown: shown.length > 40 ? say("this") : shown, given: typeName(node.type) }),
      node.start, node.end,
    );
  }

  private unary(): Node {
    const token = this.peek();
    if (token.type === "operator" && (token.value === "-" || token.value === "+")) {
      this.next();
      const node = this.binary(BINDING["*"]!);
      this.expect(node, "number", token.value);
      if (token.value === "+") return node;
      return { ...node, value: typeof node.value === "number" ? -node.value : ["-", node.value], start: token.start };
    }
    if (token.type === "name" && token.value.toLowerCase() === "not" && this.tokens[this.at + 1]?.type !== "(") {
      this.next();
      const node = this.binary(BINDING["not"]!);
      this.expect(node, "boolean", "NOT");
      return { ...node, value: ["not", node.value], start: token.start };
    }
    return this.primary();
  }

  private primary(): Node {
    const token = this.next();
    const literal = (value: Expression, type: ValueType): Node => ({ value, type, aggregates: false, bare: null, start: token.start, end: token.end });
    switch (token.type) {
      case "number": return literal(Number(token.value), "number");
      case "string": return literal(token.value, "text");
      case "column": return this.column(token);
      case "(": {
        const inner = this.binary(0);
        const close = this.next();
        if (close.type !== ")") throw new FormulaError(say("This bracket is never closed."), token.start, token.end);
        if (Array.isArray(inner.value)) this.bracketed.add(inner.value);
        return { ...inner, start: token.start, end: close.end };
      }
      case "name": {
        const word = token.value.toLowerCase();
        if (this.peek().type === "(") return this.call(token);
        if (word === "true" || word === "false") return literal(word === "true", "boolean");
        if (word === "null") return literal(null, "any");
        const known = functionNamed(token.value);
        if (known && known.takes.length === 0) return { ...literal([known.clause], known.gives === "same" ? "any" : known.gives), aggregates: known.kind === "aggregation" };
        if (known) throw new FormulaError(say("{{name}} needs its arguments in brackets: {{usage}}.", { name: known.name, usage: usageOf(known) }), token.start, token.end);
        const column = this.lookup(token.value);
        throw new FormulaError(
          column ? say("Write columns in square brackets: [{{name}}].", { name: column.longName }) : say("There is no function “{{name}}”. Columns stand in square brackets: [{{name}}].", { name: token.value }),
          token.start, token.end,
        );
      }
      case "end": throw new FormulaError(say("Something is missing at the end."), Math.max(0, token.start - 1), token.end);
      default: throw new FormulaError(say("“{{sign}}” cannot stand here.", { sign: token.value }), token.start, token.end);
    }
  }

  private lookup(name: string): Column | undefined {
    const wanted = name.toLowerCase().replace(/\s*(->|→)\s*/g, " → ");
    const { columns } = this.context;
    return columns.find((column) => column.longName.toLowerCase() === wanted) ?? columns.find((column) => column.displayName.toLowerCase() === wanted) ?? columns.find((column) => column.name.toLowerCase() === wanted);
  }
  private column(token: Token): Node {
    const found = this.lookup(token.value);
    if (found) {
      const aggregates = found.ref[0] === "aggregation";
      return { value: found.ref as Ref as Expression, type: typeOfColumn(found), aggregates, bare: aggregates ? null : { start: token.start, end: token.end, name: token.value }, start: token.start, end: token.end };
    }
    const metric = this.context.metrics?.find((item) => item.name.toLowerCase() === token.value.toLowerCase());
    if (metric && this.context.for === "aggregation") return { value: ["metric", metric.id], type: "number", aggregates: true, bare: null, start: token.start, end: token.end };
    const near = nearest(token.value, this.context.columns.map((column) => column.longName));
    throw new FormulaError(
      near ? say("There is no column “{{name}}” here. Did you mean [{{near}}]?", { name: token.value, near }) : say("There is no column “{{name}}” here.", { name: token.value }),
      token.start, token.end,
    );
  }

  private call(token: Token): Node {
    const known = functionNamed(token.value);
    const open = this.next();
    if (!known) {
      const near = nearest(token.value, FUNCTION_NAMES());
      throw new FormulaError(near ? say("There is no function “{{name}}”. Did you mean {{near}}?", { name: token.value, near }) : say("There is no function “{{name}}”.", { name: token.value }), token.start, token.end);
    }
    const args: Node[] = [];
    while (this.peek().type !== ")") {
      if (this.peek().type === "end") throw new FormulaError(say("This bracket is never closed."), open.start, open.end);
      args.push(this.binary(0));
      const separator = this.peek();
      if (separator.type === ",") {
        this.next();
        if (this.peek().type === ")") throw new FormulaError(say("Something is missing after this comma."), separator.start, separator.end);
      } else if (separator.type !== ")") {
        if (separator.type === "end") throw new FormulaError(say("This bracket is never closed."), open.start, open.end);
        throw new FormulaError(say("Separate arguments with a comma."), separator.start, separator.end);
      }
    }
    const close = this.next();
    return this.build(known, args, token, close.end);
  }

  private build(known: FormulaFunction, args: Node[], token: Token, end: number): Node {
    if (known.kind === "aggregation") {
      if (this.context.for !== "aggregation")
        throw new FormulaError(say("{{name}} summarizes many rows: use it in Summarize.", { name: known.name }), token.start, token.end);
      const nested = args.find((arg) => arg.aggregates);
      if (nested) throw new FormulaError(say("{{name}} cannot stand around another summary.", { name: known.name }), nested.start, nested.end);
    }
    const fewest = known.needs ?? known.takes.length;
    const most = known.repeats ? Infinity : known.takes.length + (["count", "cum-count"].includes(known.clause) ? 1 : 0);
    if (args.length < fewest || args.length > most)
      throw new FormulaError(say("{{name}} takes {{usage}}; there are {{n}} arguments.", { name: known.name, usage: usageOf(known), n: args.length }), token.start, end);
    args.forEach((arg, index) => {
      if (known.clause === "case") {
        if (index % 2 === 0 && index < args.length - (args.length % 2)) this.expect(arg, "boolean", known.name);
        return;
      }
      const takes = known.takes[Math.min(index, known.takes.length - 1)];
      if (takes) this.expect(arg, takes.type, known.name);
    });
    const unitAt = UNIT_ARGUMENTS[known.clause];
    if (unitAt !== undefined && args[unitAt]) {
      const unit = args[unitAt];
      const word = typeof unit.value === "string" ? unit.value.toLowerCase().replace(/s$/, "") : "";
      if (!UNIT_NAMES.includes(word)) throw new FormulaError(say("{{name}} needs a unit of time: {{units}}.", { name: known.name, units: UNIT_NAMES.slice(1).map((u) => `"${u}"`).join(", ") }), unit.start, unit.end);
      args[unitAt] = { ...unit, value: word };
    }
    const values = args.map((arg) => arg.value);
    const aggregates = known.kind === "aggregation" || args.some((arg) => arg.aggregates);
    const bare = known.kind === "aggregation" ? null : (args.find((arg) => arg.bare)?.bare ?? null);
    const type = known.gives !== "same" ? known.gives : known.clause === "case" ? (args[1]?.type ?? "any") : (args.find((arg) => arg.type !== "any")?.type ?? "any");
    const made = (value: Expression): Node => ({ value, type, aggregates, bare, start: token.start, end });
    switch (known.clause) {
      case "case": {
        const pairs: Expression[][] = [];
        for (let i = 0; i + 1 < values.length; i += 2) pairs.push([values[i]!, values[i + 1]!]);
        const otherwise = values.length % 2 === 1 ? values[values.length - 1] : undefined;
        const wrong = args.find((arg, i) => (i % 2 === 1 || (i === args.length - 1 && args.length % 2 === 1)) && arg.type !== "any" && type !== "any" && arg.type !== type);
        if (wrong) throw new FormulaError(say("All values of case must be alike: this is {{given}}, the first is {{wanted}}.", { given: typeName(wrong.type), wanted: typeName(type) }), wrong.start, wrong.end);
        return made(otherwise === undefined ? ["case", pairs] : ["case", pairs, { default: otherwise }]);
      }
      case "contains": case "does-not-contain": case "starts-with": case "ends-with": {
        const last = values[values.length - 1];
        const insensitive = last === "case-insensitive" && values.length > 2;
        const needles = insensitive ? values.slice(0, -1) : values;
        if (needles.length > 2) return made([known.clause, { "case-sensitive": !insensitive }, ...needles]);
        return made(insensitive ? [known.clause, ...needles, { "case-sensitive": false }] : [known.clause, ...needles]);
      }
      default: return made([known.clause, ...values]);
    }
  }
}

const FUNCTION_NAMES = () => FUNCTIONS.map((item) => item.name);

/** "substring(text, position, [length])" */
export function usageOf(known: FormulaFunction): string {
  const names = known.takes.map((item, index) => (index < (known.needs ?? known.takes.length) ? item.name : `[${item.name}]`));
  return `${known.name}(${names.join(", ")}${known.repeats ? ", …" : ""})`;
}

/** The most similar of some names, if it is similar enough to have been meant. */
export function nearest(word: string, names: string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.ceil(word.length / 3)) + 1;
  for (const name of names) {
    const far = distance(word.toLowerCase(), name.toLowerCase());
    if (far < least) [best, least] = [name, far];
  }
  return best;
}
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
