import { say } from "../words";

/** A mistake in a formula: what is wrong and what would be right, and where (offsets into the text). */
export class FormulaError extends Error {
  constructor(message: string, readonly start: number, readonly end: number) {
    super(message);
    this.name = "FormulaError";
  }
}
export interface Token {
  type: "number" | "string" | "column" | "name" | "operator" | "(" | ")" | "," | "end";
  /** The number's or text's value, the column's or function's name, the operator's sign. */
  value: string;
  start: number;
  end: number;
}

const SIGNS: Record<string, string> = { "×": "*", "÷": "/", "−": "-", "–": "-", "≠": "!=", "≤": "<=", "≥": ">=", "<>": "!=", "==": "=" };

/** Splits a formula into tokens; the last one is the end. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (type: Token["type"], value: string, end: number) => {
    tokens.push({ type, value, start: at, end });
    at = end;
  };
  while (at < text.length) {
    const char = text[at]!;
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    const number = /^(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/.exec(text.slice(at));
    if (number) {
      push("number", number[0], at + number[0].length);
    } else if (char === "[") {
      let value = "";
      let end = at + 1;
      for (; end < text.length && text[end] !== "]"; end++) {
        if (text[end] === "\\" && end + 1 < text.length) end++;
        value += text[end];
      }
      if (end >= text.length) throw new FormulaError(say("This column has no closing bracket: write [{{name}}].", { name: value.trim() || say("Column") }), at, text.length);
      push("column", value.trim(), end + 1);
    } else if (char === '"' || char === "'" || char === "“" || char === "”") {
      const close = char === "“" || char === "”" ? ["”", "“", '"'] : [char];
      let value = "";
      let end = at + 1;
      for (; end < text.length && !close.includes(text[end]!); end++) {
        if (text[end] === "\\" && end + 1 < text.length) end++;
        value += text[end];
      }
      if (end >= text.length) throw new FormulaError(say("This text has no closing quote."), at, text.length);
      push("string", value, end + 1);
    } else if (char === "(" || char === ")" || char === ",") {
      push(char, char, at + 1);
    } else {
      const sign = /^(<=|>=|!=|<>|==|[-+*/=<>×÷−–≠≤≥])/.exec(text.slice(at));
      const name = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(text.slice(at));
      if (sign) push("operator", SIGNS[sign[0]] ?? sign[0], at + sign[0].length);
      else if (name) push("name", name[0], at + name[0].length);
      else throw new FormulaError(say("“{{sign}}” has no meaning here.", { sign: char }), at, at + 1);
    }
  }
  tokens.push({ type: "end", value: "", start: text.length, end: text.length });
  return tokens;
}
