import { describe, expect, it } from 'vitest';
import type { CollectionGraph, CollectionNode, PermissionsGraph } from '@/api/types';
import { changed_collections, changed_data, choices_at, collection_permission, collection_rows, permission_at, with_collection_permission, with_permission } from './graph';

const graph: PermissionsGraph = {
  revision: 7,
  groups: {
    '1': { '1': { 'view-data': 'unrestricted', 'create-queries': 'query-builder-and-native' } },
    '3': { '1': { 'view-data': 'unrestricted', 'create-queries': { public: { '1': 'query-builder', '2': 'no' }, stage: 'no' } } },
  },
};
const schemas = [
  { name: 'public', tables: [1, 2, 3] },
  { name: 'stage', tables: [9] },
];

describe('reading what a group may do', () => {
  it('takes a missing entry for no', () => {
    expect(permission_at(graph, 9, { database: 1 })).toBe('no');
    expect(permission_at(graph, 3, { database: 2, schema: 'x', table: 4 })).toBe('no');
    expect(permission_at(graph, 3, { database: 1, schema: 'public', table: 3 })).toBe('no');
  });

  it('lets a coarse entry hold for everything below', () => {
    expect(permission_at(graph, 1, { database: 1, schema: 'public', table: 1 })).toBe('query-builder-and-native');
  });

  it('says custom where it differs below', () => {
    expect(permission_at(graph, 3, { database: 1 })).toBe('custom');
    expect(permission_at(graph, 3, { database: 1, schema: 'public' })).toBe('custom');
    expect(permission_at(graph, 3, { database: 1, schema: 'stage' })).toBe('no');
  });
});

describe('changing what a group may do', () => {
  it('replaces everything below when the database is set', () => {
    const next = with_permission(graph, 3, { database: 1 }, 'query-builder');
    expect(next.groups['3']['1']['create-queries']).toBe('query-builder');
    expect(graph.groups['3']['1']['create-queries']).not.toBe('query-builder');
  });

  it('spells out a coarse entry so that neighbours keep what they had, without SQL', () => {
    const next = with_permission(graph, 1, { database: 1, schema: 'public', table: 2 }, 'no', schemas);
    expect(next.groups['1']['1']['create-queries']).toEqual({ public: { '1': 'query-builder', '2': 'no', '3': 'query-builder' }, stage: 'query-builder' });
  });

  it('folds tables that agree back into their schema, and schemas into the database', () => {
    const first = with_permission(graph, 1, { database: 1, schema: 'public', table: 2 }, 'no', schemas);
    const back = with_permission(first, 1, { database: 1, schema: 'public', table: 2 }, 'query-builder', schemas);
    expect(back.groups['1']['1']['create-queries']).toBe('query-builder');
  });

  it('gives a group that had nothing an entry with unrestricted view', () => {
    const next = with_permission(graph, 8, { database: 4 }, 'query-builder');
    expect(next.groups['8']['4']).toEqual({ 'view-data': 'unrestricted', 'create-queries': 'query-builder' });
  });

  it('offers SQL only for a whole database', () => {
    expect(choices_at({ database: 1 })).toContain('query-builder-and-native');
    expect(choices_at({ database: 1, schema: 'public' })).not.toContain('query-builder-and-native');
  });

  it('sends only what changed, on the revision it was read at', () => {
    const next = with_permission(graph, 1, { database: 2 }, 'query-builder');
    expect(changed_data(graph, next)).toEqual({ count: 1, graph: { revision: 7, groups: { '1': { '2': { 'view-data': 'unrestricted', 'create-queries': 'query-builder' } } } } });
    expect(changed_data(graph, graph).count).toBe(0);
  });
});

describe('collections', () => {
  const collections: CollectionGraph = { revision: 3, groups: { '1': { root: 'read', '5': 'write' } } };

  it('reads, changes and sends only what changed', () => {
    expect(collection_permission(collections, 1, '9')).toBe('none');
    const next = with_collection_permission(collections, 1, ['5', '6'], 'read');
    expect(collection_permission(next, 1, '6')).toBe('read');
    expect(changed_collections(collections, next)).toEqual({ count: 2, graph: { revision: 3, groups: { '1': { '5': 'read', '6': 'read' } } } });
  });

  it('counts setting back to what it was as no change', () => {
    const there = with_collection_permission(collections, 1, ['9'], 'none');
    expect(changed_collections(collections, there).count).toBe(0);
  });

  it('lists the tree with the root first and without personal ones', () => {
    const node = (id: number, children: CollectionNode[] = [], personal_owner_id: number | null = null) => ({ id, name: `c${id}`, children, personal_owner_id }) as unknown as CollectionNode;
    const rows = collection_rows([node(5, [node(6, [node(7)])]), node(9, [], 1)], 'Root');
    expect(rows.map((row) => [row.id, row.depth])).toEqual([['root', 0], ['5', 1], ['6', 2], ['7', 3]]);
    expect(rows[1].below).toEqual(['6', '7']);
  });
});
