import type { StepKind } from '@/query/edit';

export interface SqlLine {
  text: string;
  /** The step that wrote the line. */
  step: StepKind;
}

const STARTS: [RegExp, StepKind | null][] = [
  [/^\s*\(?\s*SELECT\b/i, null],
  [/^\s*FROM\b/i, 'data'],
  [/^\s*((LEFT|RIGHT|FULL|INNER|CROSS)(\s+OUTER)?\s+)?JOIN\b/i, 'join'],
  [/^\s*ON\b/i, 'join'],
  [/^\s*WHERE\b/i, 'filter'],
  [/^\s*GROUP\s+BY\b/i, 'summarize'],
  [/^\s*HAVING\b/i, 'summarize'],
  [/^\s*ORDER\s+BY\b/i, 'sort'],
  [/^\s*(LIMIT|OFFSET|FETCH|TOP)\b/i, 'limit'],
];

/** Which step wrote each line: a keyword at the start of a line begins a part, the lines after it belong to it. */
export function sqlLines(sql: string, summarized: boolean): SqlLine[] {
  let step: StepKind = 'data';
  return broken(sql).split('\n').map((text) => {
    const start = STARTS.find(([pattern]) => pattern.test(text));
    if (start) step = start[1] ?? (summarized ? 'summarize' : 'data');
    return { text, step };
  });
}

/** SQL on one line is broken before its keywords; text in quotes stays whole. */
export function broken(sql: string): string {
  if (sql.trim().includes('\n')) return sql.trimEnd();
  let out = '';
  let depth = 0;
  for (let i = 0; i < sql.length; ) {
    const char = sql[i]!;
    if (char === "'" || char === '"' || char === '`') {
      let end = i + 1;
      while (end < sql.length && (sql[end] !== char || sql[end + 1] === char)) end += sql[end] === char ? 2 : 1;
      out += sql.slice(i, end + 1);
      i = end + 1;
      continue;
    }
    if (char === '(') depth++;
    if (char === ')') depth--;
    const word = depth <= 0 && /\s/.test(sql[i - 1] ?? '') ? /^(FROM|((LEFT|RIGHT|FULL|INNER|CROSS)\s+(OUTER\s+)?)?JOIN|WHERE|GROUP\s+BY|HAVING|ORDER\s+BY|LIMIT|OFFSET)\b/i.exec(sql.slice(i)) : null;
    if (word) {
      out = `${out.trimEnd()}\n${word[0]}`;
      i += word[0].length;
    } else {
      out += char;
      i++;
    }
  }
  return out.trim();
}

export interface SqlPiece {
  text: string;
  kind: 'key' | 'text' | 'number' | 'call' | 'name' | 'comment';
}
const KEYWORDS = new Set(
  'select from where group by having order limit offset fetch as on left right full inner outer cross join and or not in is null between like ilike case when then else end distinct asc desc union all with over partition rows unbounded preceding cast interval escape using true false'.split(' '),
);
/** Pieces of a line with what they are, for colouring. */
export function sqlPieces(line: string): SqlPiece[] {
  const pieces: SqlPiece[] = [];
  const pattern = /--.*|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\b\d+(?:\.\d+)?\b|[A-Za-z_][\w$]*|\s+|./g;
  for (const match of line.matchAll(pattern)) {
    const text = match[0];
    const after = line.slice((match.index ?? 0) + text.length);
    const kind = text.startsWith('--') ? 'comment' : text.startsWith("'") ? 'text' : /^\d/.test(text) ? 'number'
      : KEYWORDS.has(text.toLowerCase()) ? 'key' : /^[A-Za-z_]/.test(text) && after.startsWith('(') ? 'call' : 'name';
    const last = pieces[pieces.length - 1];
    if (last && last.kind === kind && kind === 'name') last.text += text;
    else pieces.push({ text, kind });
  }
  return pieces;
}
