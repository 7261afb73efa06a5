export interface Statement {
  from: number;
  to: number;
}

/** Where statements begin and end: split at semicolons outside texts, quoted names and comments. Blank ones are left out. */
export function statements(sql: string): Statement[] {
  const found: Statement[] = [];
  let start = 0;
  let at = 0;
  const push = (end: number) => {
    const text = sql.slice(start, end);
    const blank = text.length - text.trimStart().length;
    if (text.trim() !== '') found.push({ from: start + blank, to: start + text.trimEnd().length });
  };
  while (at < sql.length) {
    const letter = sql[at]!;
    const two = sql.slice(at, at + 2);
    if (two === '--') {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end + 1;
    } else if (two === '/*') {
      const end = sql.indexOf('*/', at + 2);
      at = end < 0 ? sql.length : end + 2;
    } else if (letter === "'" || letter === '"' || letter === '`') {
      at += 1;
      while (at < sql.length) {
        if (sql[at] === letter && sql[at + 1] === letter) at += 2;
        else if (sql[at] === letter) break;
        else at += 1;
      }
      at += 1;
    } else if (letter === '$') {
      // Dollar-quoted text: $tag$ … $tag$
      const tag = /^\$[A-Za-z_]*\$/.exec(sql.slice(at))?.[0];
      if (!tag) at += 1;
      else {
        const end = sql.indexOf(tag, at + tag.length);
        at = end < 0 ? sql.length : end + tag.length;
      }
    } else if (letter === ';') {
      push(at);
      start = at + 1;
      at += 1;
    } else at += 1;
  }
  push(sql.length);
  return found;
}

/** The statement the cursor is in, or the one before it; the whole text when there is only one. */
export function statementAt(sql: string, cursor: number): Statement | null {
  const all = statements(sql);
  return all.find((one) => cursor >= one.from && cursor <= one.to + 1) ?? [...all].reverse().find((one) => one.from <= cursor) ?? all[0] ?? null;
}
