import type { Database, Table } from '../../api/types';

export interface SchemaGroup {
  /** Empty for databases without schemas. */
  name: string;
  tables: Table[];
}

/** Visible tables by schema, both sorted as people look for them. */
export function schemaGroups(tables: Table[] | undefined): SchemaGroup[] {
  const groups = new Map<string, Table[]>();
  for (const table of tables ?? []) {
    if (table.active === false || table.visibility_type === 'hidden') continue;
    const name = table.schema ?? '';
    groups.set(name, [...(groups.get(name) ?? []), table]);
  }
  return [...groups.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([name, list]) => ({ name, tables: list.sort((a, b) => a.name.localeCompare(b.name)) }));
}

export function matching(groups: SchemaGroup[], words: string): SchemaGroup[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return groups;
  return groups.map((group) => ({ ...group, tables: group.tables.filter((table) => table.name.toLowerCase().includes(wanted) || (table.fields ?? []).some((field) => field.name.toLowerCase().includes(wanted))) })).filter((group) => group.tables.length > 0);
}

/** Names as the completion of the editor wants them: schema → table → columns; plain tables for the usual schema. */
export function completionSchema(groups: SchemaGroup[]): { schema: Record<string, Record<string, string[]>>; usual: string | undefined } {
  const schema: Record<string, Record<string, string[]>> = {};
  for (const group of groups) schema[group.name || 'main'] = Object.fromEntries(group.tables.map((table) => [table.name, (table.fields ?? []).map((field) => field.name)]));
  const names = groups.map((group) => group.name || 'main');
  return { schema, usual: names.find((name) => name === 'public' || name === 'main' || name === 'dbo') ?? (names.length === 1 ? names[0] : undefined) };
}

/** Every name of the database, to find what a mistyped one may mean. */
export function knownNames(database: Database | undefined): Set<string> {
  const names = new Set<string>();
  for (const table of database?.tables ?? []) {
    names.add(table.name);
    for (const field of table.fields ?? []) names.add(field.name);
  }
  return names;
}

const plain = /^[a-z_][a-z0-9_]*$/;
const reserved = new Set(['user', 'order', 'group', 'table', 'select', 'from', 'where', 'column', 'index', 'default', 'check', 'references', 'primary', 'limit', 'offset', 'end', 'case']);
/** A name as it must stand in the text: quoted where it would be read as something else. */
export function quoted(name: string, engine: string): string {
  if (plain.test(name) && !reserved.has(name)) return name;
  if (engine === 'mysql' || engine === 'mariadb') return `\`${name.replace(/`/g, '``')}\``;
  if (engine === 'sqlserver') return `[${name.replace(/]/g, ']]')}]`;
  return `"${name.replace(/"/g, '""')}"`;
}
/** "SELECT *" of a table, for an empty editor. */
export function tableSql(table: Table, engine: string): string {
  const where = table.schema && engine !== 'sqlite' ? `${quoted(table.schema, engine)}.` : '';
  return `SELECT *\nFROM ${where}${quoted(table.name, engine)}\nLIMIT 100`;
}
