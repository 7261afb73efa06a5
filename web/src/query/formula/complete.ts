import { FUNCTIONS, functionNamed, type FormulaFunction } from "./functions";
import type { FormulaContext } from "./parse";
import { usageOf } from "./parse";

export interface Completion {
  /** What is shown. */
  label: string;
  /** What replaces the text from `from` to `to`. */
  insert: string;
  kind: "column" | "function" | "metric";
  /** Where a column is from, how a function is called. */
  detail: string;
  help?: string;
}

/** What could be meant at the cursor: columns inside an open bracket, else functions and columns that start so. */
export function complete(text: string, cursor: number, context: FormulaContext): { from: number; to: number; options: Completion[] } {
  const before = text.slice(0, cursor);
  if (insideQuotes(before)) return { from: cursor, to: cursor, options: [] };
  const open = before.lastIndexOf("[");
  if (open > before.lastIndexOf("]")) {
    const word = before.slice(open + 1);
    const rest = /^[^[\]()*/+,=<>"']*\]/.exec(text.slice(cursor));
    return { from: open, to: cursor + (rest ? rest[0].length : 0), options: columns(word, context) };
  }
  const word = /[\p{L}_][\p{L}\p{N}_]*$/u.exec(before)?.[0] ?? "";
  const from = cursor - word.length;
  if (word === "" && /[\])\w]\s*$/.test(before)) return { from, to: cursor, options: [] };
  return { from, to: cursor, options: [...(word === "" ? [] : functions(word, context)), ...columns(word, context)].slice(0, 40) };
}
function insideQuotes(text: string): boolean {
  let open: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (open) {
      if (char === "\\") i++;
      else if (char === open) open = null;
    } else if (char === '"' || char === "'") open = char;
  }
  return open !== null;
}
/** Names that start so come before names where a later word starts so, before names that contain it. */
function rank(name: string, word: string): number {
  const [a, b] = [name.toLowerCase(), word.trim().toLowerCase()];
  if (a.startsWith(b)) return 0;
  if (a.split(/[\s→_]+/).some((part) => part.startsWith(b))) return 1;
  return a.includes(b) ? 2 : 3;
}
const ranked = <T>(items: T[], name: (item: T) => string, word: string): T[] =>
  items.map((item, index) => ({ item, index, rank: rank(name(item), word) })).filter((entry) => entry.rank < 3)
    .sort((a, b) => a.rank - b.rank || a.index - b.index).map((entry) => entry.item);

function columns(word: string, context: FormulaContext): Completion[] {
  const found: Completion[] = ranked(context.columns, (column) => column.longName, word).map((column) => ({
    label: column.longName, insert: `[${column.longName.replace(/\\/g, "\\\\").replace(/\]/g, "\\]")}]`, kind: "column", detail: column.effectiveType.replace("type/", "").toLowerCase(),
  }));
  const metrics: Completion[] = context.for === "aggregation"
    ? ranked(context.metrics ?? [], (metric) => metric.name, word).map((metric) => ({ label: metric.name, insert: `[${metric.name}]`, kind: "metric", detail: "" }))
    : [];
  return [...metrics, ...found];
}
function functions(word: string, context: FormulaContext): Completion[] {
  const usable = FUNCTIONS.filter((item) => item.kind === "expression" || context.for === "aggregation");
  const ordered = context.for === "aggregation" ? usable : usable.filter((item) => item.kind === "expression");
  return ranked(ordered, (item) => item.name, word).map((item) => ({
    label: item.name, insert: item.takes.length === 0 ? (item.kind === "aggregation" ? item.name : `${item.name}()`) : `${item.name}(`, kind: "function", detail: usageOf(item), help: item.help,
  }));
}

/** The function whose brackets the cursor stands in, and which argument it is at: for the hint under the editor. */
export function callAt(text: string, cursor: number): { known: FormulaFunction; argument: number } | null {
  const stack: { name: string; argument: number }[] = [];
  const source = text.slice(0, cursor);
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!;
    if (char === '"' || char === "'") {
      const end = source.indexOf(char, i + 1);
      if (end < 0) break;
      i = end;
    } else if (char === "[") {
      const end = source.indexOf("]", i);
      if (end < 0) break;
      i = end;
    } else if (char === "(") stack.push({ name: /[\p{L}_][\p{L}\p{N}_]*\s*$/u.exec(source.slice(0, i))?.[0].trim() ?? "", argument: 0 });
    else if (char === ")") stack.pop();
    else if (char === "," && stack.length > 0) stack[stack.length - 1]!.argument++;
  }
  for (const call of stack.reverse()) {
    const known = functionNamed(call.name);
    if (known) return { known, argument: call.argument };
  }
  return null;
}
