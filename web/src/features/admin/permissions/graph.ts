// Pure work on permission graphs: read what holds for a place, change it, send only what changed.
import type { CollectionGraph, CollectionNode, CollectionPermission, DataPermission, PermissionsGraph, QueryPermission, SchemaPermission } from '@/api/types';

export type Shown = QueryPermission | 'custom';

export interface Place {
  database: number;
  schema?: string;
  table?: number | string;
}

type Queries = DataPermission['create-queries'];

function same(values: unknown[]): boolean {
  return values.every((value) => value === values[0]);
}

/** What a group may do at a database, schema or table; `custom` when it differs below. A missing entry means no. */
export function permission_at(graph: PermissionsGraph, group: number, place: Place): Shown {
  const of_database: Queries = graph.groups[group]?.[place.database]?.['create-queries'] ?? 'no';
  if (typeof of_database === 'string') return of_database;
  if (place.schema === undefined) {
    const values = Object.values(of_database);
    return values.length > 0 && values.every((value) => value === 'no') ? 'no' : 'custom';
  }
  const of_schema: SchemaPermission = of_database[place.schema] ?? 'no';
  if (typeof of_schema === 'string') return of_schema;
  if (place.table === undefined) {
    const values = Object.values(of_schema);
    return values.length > 0 && same(values) && values[0] === 'no' ? 'no' : 'custom';
  }
  return of_schema[String(place.table)] ?? 'no';
}

/** Below the database only the builder or nothing can be given: SQL reaches every table. */
export function choices_at(place: Place): QueryPermission[] {
  return place.schema === undefined ? ['no', 'query-builder', 'query-builder-and-native'] : ['no', 'query-builder'];
}

export interface KnownSchema {
  name: string;
  /** Needed only when a table of this schema is set. */
  tables: (number | string)[];
}

/** A new graph with one place changed; coarser entries are spelled out first so that the neighbours keep what they had. */
export function with_permission(graph: PermissionsGraph, group: number, place: Place, value: QueryPermission, schemas: KnownSchema[] = []): PermissionsGraph {
  const of_group = graph.groups[group] ?? {};
  const entry = of_group[place.database] ?? {};
  const before: Queries = entry['create-queries'] ?? 'no';
  let after: Queries;
  if (place.schema === undefined) {
    after = value;
  } else {
    const downward: QueryPermission = typeof before === 'string' ? (before === 'query-builder-and-native' ? 'query-builder' : before) : 'no';
    const by_schema: Record<string, SchemaPermission> =
      typeof before === 'string' ? Object.fromEntries(schemas.map((schema) => [schema.name, downward])) : { ...before };
    if (place.table === undefined) {
      by_schema[place.schema] = value;
    } else {
      const of_schema = by_schema[place.schema] ?? 'no';
      const known = schemas.find((schema) => schema.name === place.schema)?.tables ?? [];
      const by_table: Record<string, QueryPermission> =
        typeof of_schema === 'string' ? Object.fromEntries(known.map((table) => [String(table), of_schema])) : { ...of_schema };
      by_table[String(place.table)] = value;
      const tables = Object.values(by_table);
      const complete = known.length > 0 && known.every((table) => String(table) in by_table);
      by_schema[place.schema] = complete && same(tables) ? tables[0] : by_table;
    }
    const all = Object.values(by_schema);
    const complete = schemas.length > 0 && schemas.every((schema) => schema.name in by_schema);
    after = complete && all.every((one) => typeof one === 'string') && same(all) ? (all[0] as QueryPermission) : by_schema;
  }
  return {
    ...graph,
    groups: {
      ...graph.groups,
      [group]: { ...of_group, [place.database]: { 'view-data': 'unrestricted', ...entry, 'create-queries': after } },
    },
  };
}

/** Only groups and databases that differ, with the revision the change is based on. */
export function changed_data(before: PermissionsGraph, after: PermissionsGraph): { graph: PermissionsGraph; count: number } {
  const groups: PermissionsGraph['groups'] = {};
  let count = 0;
  for (const [group, databases] of Object.entries(after.groups)) {
    for (const [database, entry] of Object.entries(databases)) {
      if (JSON.stringify(entry) !== JSON.stringify(before.groups[group]?.[database])) {
        (groups[group] ??= {})[database] = entry;
        count += 1;
      }
    }
  }
  return { graph: { revision: before.revision, groups }, count };
}

export function collection_permission(graph: CollectionGraph, group: number, collection: string): CollectionPermission {
  return graph.groups[group]?.[collection] ?? 'none';
}

export function with_collection_permission(graph: CollectionGraph, group: number, collections: string[], value: CollectionPermission): CollectionGraph {
  return { ...graph, groups: { ...graph.groups, [group]: { ...graph.groups[group], ...Object.fromEntries(collections.map((one) => [one, value])) } } };
}

export function changed_collections(before: CollectionGraph, after: CollectionGraph): { graph: CollectionGraph; count: number } {
  const groups: CollectionGraph['groups'] = {};
  let count = 0;
  for (const [group, collections] of Object.entries(after.groups)) {
    for (const [collection, value] of Object.entries(collections)) {
      if (value !== (before.groups[group]?.[collection] ?? 'none')) {
        (groups[group] ??= {})[collection] = value;
        count += 1;
      }
    }
  }
  return { graph: { revision: before.revision, groups }, count };
}

export interface CollectionRow {
  id: string;
  name: string;
  depth: number;
  below: string[];
}

/** The tree as rows, the root first; personal collections have no permissions to set. */
export function collection_rows(tree: CollectionNode[], root_name: string): CollectionRow[] {
  const walk = (nodes: CollectionNode[], depth: number): CollectionRow[] =>
    nodes
      .filter((node) => (node.personal_owner_id ?? null) === null && !node.is_personal && node.type !== 'trash' && node.id !== 'root')
      .flatMap((node) => {
        const children = walk(node.children, depth + 1);
        return [{ id: String(node.id), name: node.name, depth, below: children.map((child) => child.id) }, ...children];
      });
  return [{ id: 'root', name: root_name, depth: 0, below: [] }, ...walk(tree, 1)];
}
