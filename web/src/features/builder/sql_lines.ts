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

/**
 * Which step wrote each line: a keyword at the start of a line begins a part, the lines after it belong to it.
 * The columns of a SELECT are the summary's where its query groups; `summarized` tells for one that only aggregates.
 */
export function sqlLines(sql: string, summarized: boolean): SqlLine[] {
  const lines = broken(sql).split('\n');
  const indentOf = (text: string) => /^\s*/.exec(text)![0].length;
  const groups = (at: number): boolean => {
    const depth = indentOf(lines[at]!);
    for (const text of lines.slice(at + 1)) {
      if (text.trim() === '' || indentOf(text) > depth) continue;
      if (indentOf(text) < depth) return false;
      if (/^\s*GROUP\s+BY\b/i.test(text)) return true;
    }
    return summarized && !lines.some((text) => /^\s*FROM\s*\($/i.test(text));
  };
  let step: StepKind = 'data';
  return lines.map((text, at) => {
    const start = STARTS.find(([pattern]) => pattern.test(text));
    if (start) step = start[1] ?? (groups(at) ? 'summarize' : 'data');
    else if (/^\s*\)/.test(text)) step = 'data';
    return { text, step };
  });
}

const BREAKS = /^(SELECT(\s+DISTINCT)?|FROM|((LEFT|RIGHT|FULL|INNER|CROSS)\s+(OUTER\s+)?)?JOIN|ON|WHERE|GROUP\s+BY|HAVING|ORDER\s+BY|LIMIT|OFFSET|AND|OR)\b/i;
const INDENTED = /^(ON|AND|OR)$/i;

/**
 * SQL is broken before its keywords and between the columns of SELECT; what stands in quotes stays whole,
 * and so does what stands in brackets, unless it is a query of its own.
 */
export function broken(text: string): string {
  // Comments may hold anything, so SQL that someone wrote stays as it is.
  if (/--|\/\*/.test(text)) return text.trimEnd();
  const sql = text.replace(/('(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)|\(\s+|\s+\)|\s+/g, (found, kept: string | undefined) => kept ?? (found.includes('(') ? '(' : found.includes(')') ? ')' : ' ')).trim();
  // Per open bracket: how deep its query is indented, or null inside a plain bracket.
  const depths: (number | null)[] = [0];
  const clauses: string[] = [''];
  let between = false;
  let out = '';
  const indent = (extra = 0) => '  '.repeat((depths[depths.length - 1] ?? 0) + extra);
  for (let i = 0; i < sql.length; ) {
    const char = sql[i]!;
    const level = depths[depths.length - 1];
    if (char === "'" || char === '"' || char === '`') {
      let end = i + 1;
      while (end < sql.length && (sql[end] !== char || sql[end + 1] === char)) end += sql[end] === char ? 2 : 1;
      out += sql.slice(i, end + 1);
      i = end + 1;
      continue;
    }
    if (char === '(') {
      const query = /^\(\s*SELECT\b/i.test(sql.slice(i));
      depths.push(query ? (depths.findLast((depth) => depth !== null) ?? 0) + 1 : null);
      clauses.push('');
    } else if (char === ')' && depths.length > 1) {
      if (level !== null) out = `${out.trimEnd()}\n${'  '.repeat(level - 1)}`;
      depths.pop();
      clauses.pop();
    }
    const starts = level !== null && char !== '(' && (i === 0 || /[\s(]/.test(sql[i - 1]!));
    const word = starts ? BREAKS.exec(sql.slice(i)) : null;
    const name = word ? word[1]!.toUpperCase() : '';
    if (starts && /^BETWEEN\b/i.test(sql.slice(i))) between = true;
    if (word && name === 'AND' && between) {
      between = false;
      out += word[0];
      i += word[0].length;
    } else if (word) {
      if (!INDENTED.test(name)) clauses[clauses.length - 1] = name;
      out = `${out.trimEnd()}${out.trim() === '' ? '' : '\n'}${indent(INDENTED.test(name) ? 1 : 0)}${word[0]}`;
      i += word[0].length;
      if (name.startsWith('SELECT')) {
        out += `\n${indent(1)}`;
        while (/\s/.test(sql[i] ?? '')) i++;
      }
    } else if (char === ',' && level !== null && clauses[clauses.length - 1]!.startsWith('SELECT')) {
      out += `,\n${indent(1)}`;
      i++;
      while (/\s/.test(sql[i] ?? '')) i++;
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
