import { describe, expect, it } from 'vitest';
import { distance, errorPlace, nearest } from './error_place';
import { completionSchema, matching, quoted, schemaGroups, tableSql } from './schema';
import { statementAt, statements } from './statements';
import type { Table } from '../../api/types';

describe('statements', () => {
  it('end at semicolons outside texts, names and comments', () => {
    const sql = "SELECT ';' -- a;b\n;\n/* ; */ SELECT \"a;\" ; $$ ; $$ ;";
    expect(statements(sql).map((one) => sql.slice(one.from, one.to))).toEqual(["SELECT ';' -- a;b", '/* ; */ SELECT "a;"', '$$ ; $$']);
  });
  it('find the one with the cursor', () => {
    const sql = 'SELECT 1;\n\nSELECT 2;';
    expect(statementAt(sql, 3)).toEqual({ from: 0, to: 8 });
    expect(statementAt(sql, 14)).toEqual({ from: 11, to: 19 });
    expect(statementAt(sql, 10)).toEqual({ from: 0, to: 8 });
    expect(statementAt('', 0)).toBeNull();
  });
});

describe('where a complaint points', () => {
  const sql = 'SELECT title,\n  s.categry\nFROM sold s';
  it('reads PostgreSQL: the column, the position and the hint', () => {
    const place = errorPlace('ERROR: column s.categry does not exist\n  Hint: Perhaps you meant to reference the column "s.category".\n  Position: 17', sql, 0, {}, []);
    expect(place).toEqual({ message: 'column s.categry does not exist', from: 18, to: 25, fix: 'category' });
  });
  it('reads SQLite and looks for a name like it', () => {
    expect(errorPlace('no such column: categry', sql, 5, {}, ['category', 'title'])).toEqual({ message: 'no such column: categry', from: 23, to: 30, fix: 'category' });
    expect(errorPlace('near "FORM": syntax error', 'SELECT 1 FORM x', 0, {}, [])).toMatchObject({ from: 9, to: 13, fix: null });
  });
  it('reads DuckDB: the name, the candidates, and the sign below the line', () => {
    const ran = 'SELECT TITLE, catgory FROM PRODUCTS';
    expect(errorPlace('Binder Error: Referenced column "catgory" not found in FROM clause!\nCandidate bindings: "CATEGORY"\n\nLINE 1: SELECT TITLE, catgory FROM PRODUCTS\n                      ^', ran, 0, {}, []))
      .toEqual({ message: 'Referenced column "catgory" not found in FROM clause!', from: 14, to: 21, fix: 'CATEGORY' });
    expect(errorPlace('Catalog Error: Table with name PRODUCT does not exist!\nDid you mean "PRODUCTS"?', 'SELECT 1 FROM PRODUCT', 0, {}, [])).toMatchObject({ from: 14, to: 21, fix: 'PRODUCTS' });
    expect(errorPlace('Conversion Error: no\n\nLINE 2: AND wrong\n            ^', 'SELECT 1\nAND wrong', 0, {}, [])).toMatchObject({ from: 13, to: 18 });
  });
  it('uses the position the server gives', () => {
    expect(errorPlace('division by zero', sql, 0, { position: 8 }, [])).toMatchObject({ from: 7, to: 12 });
  });
  it('falls back to the line, and to nowhere', () => {
    expect(errorPlace('syntax error on line 3', sql, 0, {}, [])).toMatchObject({ from: 26, to: 37 });
    expect(errorPlace('out of memory', sql, 0, {}, [])).toEqual({ message: 'out of memory', from: null, to: null, fix: null });
  });
  it('measures how alike words are', () => {
    expect(distance('categry', 'category')).toBe(1);
    expect(nearest('ordres', ['orders', 'people'])).toBe('orders');
    expect(nearest('zzz', ['orders'])).toBeNull();
  });
});

describe('the schema', () => {
  const table = (name: string, schema: string | null, fields: string[]): Table => ({ id: 1, db_id: 1, name, display_name: name, schema, fields: fields.map((field) => ({ name: field })) } as unknown as Table);
  const groups = schemaGroups([table('people', 'shop', ['id']), table('orders', 'shop', ['id', 'total']), { ...table('x', 'shop', []), visibility_type: 'hidden' }, table('events', 'audit', [])]);
  it('is grouped, sorted, and found by tables and columns', () => {
    expect(groups.map((group) => [group.name, group.tables.map((one) => one.name)])).toEqual([['audit', ['events']], ['shop', ['orders', 'people']]]);
    expect(matching(groups, 'tota').flatMap((group) => group.tables.map((one) => one.name))).toEqual(['orders']);
  });
  it('feeds the completion', () => {
    expect(completionSchema(groups).schema['shop']).toEqual({ orders: ['id', 'total'], people: ['id'] });
    expect(completionSchema(schemaGroups([table('t', null, ['a'])])).usual).toBe('main');
  });
  it('quotes what would be read as something else', () => {
    expect(quoted('orders', 'postgres')).toBe('orders');
    expect(quoted('Order"s', 'postgres')).toBe('"Order""s"');
    expect(quoted('order', 'mysql')).toBe('`order`');
    expect(tableSql(table('orders', 'shop', []), 'postgres')).toBe('SELECT *\nFROM shop.orders\nLIMIT 100');
    expect(tableSql(table('orders', null, []), 'sqlite')).toBe('SELECT *\nFROM orders\nLIMIT 100');
  });
});
