import { describe, expect, it } from 'vitest';
import { broken, sqlLines, sqlPieces } from './sql_lines';

describe('lines of SQL', () => {
  it('belong to the step whose keyword starts them', () => {
    const sql = 'SELECT sum(a)\nFROM t LEFT JOIN p ON p.id = t.p\nWHERE a > 1 AND b < 2\nGROUP BY 1\nORDER BY 1 ASC\nLIMIT 5';
    expect(sqlLines(sql, true).map((line) => line.step)).toEqual(['summarize', 'summarize', 'data', 'join', 'join', 'filter', 'filter', 'summarize', 'sort', 'limit']);
    expect(sqlLines('SELECT a\nFROM t', false).map((line) => line.step)).toEqual(['data', 'data', 'data']);
  });
  it('tell the summary of an inner query from the columns around it', () => {
    const steps = sqlLines('SELECT a, n FROM (SELECT a, count(*) AS n FROM t GROUP BY 1) AS s WHERE n > 1', false).map((line) => `${line.step} ${line.text.trim()}`);
    expect(steps).toEqual(['data SELECT', 'data a,', 'data n', 'data FROM (', 'summarize SELECT', 'summarize a,', 'summarize count(*) AS n', 'data FROM t', 'summarize GROUP BY 1', 'data ) AS s', 'filter WHERE n > 1']);
    expect(sqlLines('SELECT count(*) FROM t', true)[1]!.step).toBe('summarize');
  });
  it('are broken before keywords when the text is one line, but not inside texts and brackets', () => {
    expect(broken("SELECT a, sum(b, c) FROM t WHERE b = ' FROM x' AND c BETWEEN 1 AND 2 AND (d = 1 OR e = 2) ORDER BY 1, 2")).toBe(
      "SELECT\n  a,\n  sum(b, c)\nFROM t\nWHERE b = ' FROM x'\n  AND c BETWEEN 1 AND 2\n  AND (d = 1 OR e = 2)\nORDER BY 1, 2",
    );
    expect(broken('SELECT "limit" FROM t')).toBe('SELECT\n  "limit"\nFROM t');
    expect(broken("SELECT '( a  )' FROM t")).toBe("SELECT\n  '( a  )'\nFROM t");
    expect(broken('SELECT 1')).toBe('SELECT\n  1');
  });
  it('stay as they are where they hold comments', () => {
    expect(broken('SELECT 1 -- FROM here\nFROM t')).toBe('SELECT 1 -- FROM here\nFROM t');
  });
  it('show a query inside a query further in', () => {
    expect(broken('SELECT a FROM (SELECT b FROM t WHERE c = 1) AS s WHERE a > 1')).toBe('SELECT\n  a\nFROM (\n  SELECT\n    b\n  FROM t\n  WHERE c = 1\n) AS s\nWHERE a > 1');
  });
  it('are coloured by what they hold', () => {
    expect(sqlPieces("WHERE sum(a) > 10 -- x").filter((piece) => piece.text.trim()).map((piece) => piece.kind)).toEqual(['key', 'call', 'name', 'number', 'comment']);
    expect(sqlPieces("'it''s'")).toEqual([{ text: "'it''s'", kind: 'text' }]);
  });
});
