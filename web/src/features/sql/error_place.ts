export interface ErrorPlace {
  /** The words for beside the line: without "ERROR:", hints and positions. */
  message: string;
  /** Offsets in the text; null when the database does not say where. */
  from: number | null;
  to: number | null;
  /** What may be meant instead of the marked word. */
  fix: string | null;
}

const word = /[\p{L}\p{N}_$]/u;
function wordAt(sql: string, at: number): { from: number; to: number } {
  let from = Math.max(0, Math.min(at, sql.length));
  if (!word.test(sql[from] ?? '')) return { from, to: Math.min(sql.length, from + 1) };
  while (from > 0 && word.test(sql[from - 1]!)) from -= 1;
  let to = from;
  while (to < sql.length && word.test(sql[to]!)) to += 1;
  return { from, to };
}
function findWord(sql: string, name: string): { from: number; to: number } | null {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const match = new RegExp(`(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])`, 'iu').exec(sql);
  return match ? { from: match.index, to: match.index + match[0].length } : null;
}

/** Steps to turn one word into another; stops counting past `most`. */
export function distance(a: string, b: string, most = 3): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
/** The known name most like a mistyped one, if any is like it. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let least = wanted.length <= 3 ? 2 : 3;
  for (const one of known) {
    if (one.toLowerCase() === wanted) continue;
    const steps = distance(wanted, one.toLowerCase(), 2);
    if (steps < least) [least, best] = [steps, one];
  }
  return best;
}

/**
 * Where in the text a database's complaint points, from what it says in words. `ran` is the text that was sent and
 * `offset` where it stands in the editor's text (a selection may have been run).
 */
export function errorPlace(raw: string, ran: string, offset: number, data: Record<string, unknown>, known: Iterable<string>): ErrorPlace {
  const message = raw.replace(/^\s*(?:(?:Binder|Parser|Catalog|Conversion|Constraint|Invalid Input|SQL)?\s*error)\s*:\s*/i, '').split(/\s*(?:\n\s*(?:Hint|HINT|Detail|DETAIL|Position|LINE\b)|\bCandidate bindings\b|\bDid you mean\b)/)[0]!.trim();
  let at: number | null = null;
  let span: { from: number; to: number } | null = null;
  const told = data['position'] ?? /Position:\s*(\d+)/i.exec(raw)?.[1];
  const position = typeof told === 'number' ? told : typeof told === 'string' && /^\d+$/.test(told) ? Number(told) : null;
  // The name in the complaint is surer than a position, which counts in the text that was really sent, with values in.
  const named = /Referenced (?:column|table) "([\w.$]+)" not found|(?:Table|Function|Macro) with name "?([\w.$]+)"? does not exist|column "?([\w.$]+)"? (?:does not exist|must appear|reference)|no such (?:column|table|function): ([\w.$]+)|relation "([\w.$]+)" does not exist|function ([\w.$]+)\([^)]*\) does not exist|near "([^"]+)"|at or near "([^"]+)"|Unknown column '([^']+)'|Table '([^']+)' doesn't exist/i.exec(raw);
  const full = named?.slice(1).find((part) => part !== undefined) ?? null;
  const short = full === null ? null : (full.split('.').pop() ?? full);
  if (position !== null && position >= 1 && position <= ran.length) at = position - 1;
  if (short !== null) {
    const around = at === null ? null : wordAt(ran, at);
    const matches = around && ran.slice(around.from, around.to).toLowerCase() === short.toLowerCase();
    const qualified = full !== null && full !== short ? findWord(ran, full) : null;
    span = matches ? around : qualified ? { from: qualified.to - short.length, to: qualified.to } : findWord(ran, short);
    // A dotted reference such as s.categry: mark the part that is wrong.
    if (!span && around) span = around;
  } else if (at !== null) span = wordAt(ran, at);
  // "LINE 2: SELECT x\n           ^": the sign stands below the place.
  const caret = /\bLINE (\d+): ([^\n]*)\n(\s*)\^/.exec(raw);
  if (!span && caret && !caret[2]!.startsWith('...')) {
    const lines = ran.split('\n');
    const line = Number(caret[1]);
    const column = caret[3]!.length - `LINE ${caret[1]}: `.length;
    if (line >= 1 && line <= lines.length && column >= 0) span = wordAt(ran, lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column);
  }
  if (!span) {
    const line = Number(/\bline (\d+)/i.exec(raw)?.[1] ?? 0);
    const lines = ran.split('\n');
    if (line >= 1 && line <= lines.length) {
      const from = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      const lead = lines[line - 1]!.length - lines[line - 1]!.trimStart().length;
      span = { from: from + lead, to: from + Math.max(lead, lines[line - 1]!.trimEnd().length) };
    }
  }
  const hint = /(?:Candidate bindings: |Did you mean )"?([\w.$]+)"?/i.exec(raw)?.[1] ?? /perhaps you meant (?:to reference )?(?:the )?(?:column|table|function)? ?"?([\w.$]+)"?/i.exec(raw)?.[1];
  const marked = span ? ran.slice(span.from, span.to) : null;
  const fix = hint ? hint.split('.').pop()! : short !== null && marked !== null && /column|table|relation|function/i.test(raw) ? nearest(short, known) : null;
  return { message, from: span ? span.from + offset : null, to: span ? span.to + offset : null, fix: fix && fix !== marked ? fix : null };
}
