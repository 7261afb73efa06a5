import { Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { IconArrowLeft, IconChevronDown, IconChevronRight, IconDatabase, IconFolder, IconLayersLinked, IconTable } from '@tabler/icons-react';
import { Fragment, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { permissions, useGroups } from '@/api/admin';
import { ApiError } from '@/api/client';
import { useCollection, useCollectionTree } from '@/api/collections';
import { databases as database_api, useDatabases } from '@/api/databases';
import { query_client } from '@/api/query_client';
import type { CollectionPermission, Group, PermissionsGraph, QueryPermission, Table } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { useShortcuts } from '@/lib/shortcuts';
import { Button } from '@/ui/Button';
import { PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import admin from '../admin.module.css';
import { Choice } from './Choice';
import { changed_collections, changed_data, choices_at, collection_permission, collection_rows, type KnownSchema, permission_at, type Place, with_collection_permission, with_permission } from './graph';
import styles from './permissions.module.css';
import '../strings';
import './strings';

const is_admin_group = (group: Group) => group.magic_group_type === 'admin';

/** A copy of a graph to work on, what differs, and saving with the revision check. */
function useDraft<T extends { revision: number }>(key: string, load: (signal: AbortSignal) => Promise<T>, save: (changes: T) => Promise<T>, compare: (before: T, after: T) => { graph: T; count: number }) {
  const { t } = useTranslation('admin_permissions');
  const stored = useQuery({ queryKey: ['permissions', key], queryFn: ({ signal }) => load(signal), staleTime: 0 });
  const [draft, set_draft] = useState<T>();
  const [busy, set_busy] = useState(false);
  const graph = draft ?? stored.data;
  const changes = stored.data && draft ? compare(stored.data, draft) : undefined;
  const count = changes?.count ?? 0;
  async function send() {
    if (!changes || count === 0) return;
    set_busy(true);
    try {
      await save(changes.graph);
      await query_client.invalidateQueries({ queryKey: ['permissions'] });
      set_draft(undefined);
      toast(t('saved'));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) {
        set_draft(undefined);
        await stored.refetch();
        toast(t('conflict'), { tone: 'problem' });
      } else {
        toast_failure(error);
        throw error;
      }
    } finally {
      set_busy(false);
    }
  }
  return { stored, graph, set_draft, count, busy, send, discard: () => set_draft(undefined) };
}

function UnsavedBar({ count, busy, onSave, onDiscard }: { count: number; busy: boolean; onSave: () => Promise<void>; onDiscard: () => void }) {
  const { t } = useTranslation('admin_permissions');
  useShortcuts([{ keys: 'mod+s', label: t('save'), group: t('unsaved'), in_fields: true, run: () => void onSave().catch(() => undefined) }]);
  return (
    <>
      {count > 0 && (
        <div className={styles.bar} role="region" aria-label={t('unsaved')}>
          <span role="status">{t('changes', { count })}</span>
          <Button kind="dock" onClick={onDiscard}>
            {t('discard')}
          </Button>
          <Button kind="primary" busy={busy} onClick={() => void onSave().catch(() => undefined)}>
            {t('save')}
          </Button>
        </div>
      )}
      <UnsavedGuard dirty={count > 0} onSave={onSave} />
    </>
  );
}

function Matrix({ label, corner, groups, children }: { label: string; corner: string; groups: Group[]; children: ReactNode }) {
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label={label}>
      <table className={styles.matrix} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{corner}</th>
            {groups.map((group) => (
              <th key={group.id} scope="col">
                {group.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function DataPermissionsPage() {
  const { t } = useTranslation('admin_permissions');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('data_title'));
  const groups = useGroups();
  const sources = useDatabases();
  const draft = useDraft('data', (signal) => permissions.graph({ signal }), permissions.save, changed_data);
  const [opened, set_opened] = useState<number>();
  const shown = (sources.data ?? []).filter((one) => !one.is_saved_questions);
  const one = shown.find((database) => database.id === opened);
  const problem = groups.error ?? sources.error ?? draft.stored.error;
  const list = groups.data ?? [];

  const cells = (place: Place, name: string, schemas?: KnownSchema[]) =>
    list.map((group) => <DataCell key={group.id} graph={draft.graph!} before={draft.stored.data!} group={group} place={place} name={name} schemas={schemas} onOpen={place.schema === undefined ? () => set_opened(place.database) : undefined} onChange={draft.set_draft} />);

  return (
    <div className={styles.page}>
      <PageHead title={t('data_title')} text={t('data_text')} />
      {problem ? (
        <ErrorCard title={common('failed')} detail={problem.message} onRetry={() => void Promise.all([groups.refetch(), sources.refetch(), draft.stored.refetch()])} />
      ) : !groups.data || !sources.data || !draft.graph ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : shown.length === 0 ? (
        <EmptyState title={t('none')} />
      ) : one ? (
        <>
          <div className={admin.tools}>
            <Button icon={<IconArrowLeft size={16} aria-hidden />} onClick={() => set_opened(undefined)}>
              {t('close_schemas')}
            </Button>
          </div>
          <OneDatabase key={one.id} id={one.id} name={one.name} groups={list} cells={cells} />
        </>
      ) : (
        <Matrix label={t('data_title')} corner={t('database')} groups={list}>
          {shown.map((database) => (
            <tr key={database.id}>
              <th scope="row">
                <span className={styles.place}>
                  <button type="button" className={styles.open} aria-label={t('open_schemas', { name: database.name })} onClick={() => set_opened(database.id)}>
                    <IconChevronRight size={16} aria-hidden />
                  </button>
                  <IconDatabase size={16} stroke={1.6} aria-hidden />
                  <span>{database.name}</span>
                </span>
              </th>
              {cells({ database: database.id }, database.name)}
            </tr>
          ))}
        </Matrix>
      )}
      <UnsavedBar count={draft.count} busy={draft.busy} onSave={draft.send} onDiscard={draft.discard} />
    </div>
  );
}

function DataCell({ graph, before, group, place, name, schemas, onOpen, onChange }: {
  graph: PermissionsGraph;
  before: PermissionsGraph;
  group: Group;
  place: Place;
  name: string;
  schemas?: KnownSchema[];
  onOpen?: () => void;
  onChange: (graph: PermissionsGraph) => void;
}) {
  const { t } = useTranslation('admin_permissions');
  const fixed = is_admin_group(group);
  const value = fixed ? 'query-builder-and-native' : permission_at(graph, group.id, place);
  // SQL for the whole database shows on a table as what it means there.
  const there = place.schema !== undefined && value === 'query-builder-and-native' && !fixed ? 'query-builder' : value;
  return (
    <td title={fixed ? t('admin_fixed') : undefined}>
      <Choice<QueryPermission>
        label={t('value_for', { group: group.name, place: name })}
        value={there}
        shown={value === 'query-builder-and-native' && place.schema !== undefined ? t('query-builder-and-native') : t(there)}
        options={choices_at(place).map((one) => ({ value: one, label: t(one) }))}
        changed={!fixed && permission_at(before, group.id, place) !== permission_at(graph, group.id, place)}
        disabled={fixed}
        extra={
          onOpen && (
            <>
              <Menu.Divider />
              <Menu.Item onClick={onOpen}>{t('custom')}</Menu.Item>
            </>
          )
        }
        onChange={(next) => onChange(with_permission(graph, group.id, place, next, schemas))}
      />
    </td>
  );
}

function OneDatabase({ id, name, groups, cells }: { id: number; name: string; groups: Group[]; cells: (place: Place, name: string, schemas?: KnownSchema[]) => ReactNode }) {
  const { t } = useTranslation('admin_permissions');
  const { t: common } = useTranslation('admin');
  const found = useQuery({
    queryKey: ['databases', id, 'all-tables'],
    queryFn: async ({ signal }) => {
      const names = await database_api.schemas(id, { signal });
      return Promise.all(names.map(async (schema) => ({ schema, tables: await database_api.tables(id, schema, { signal }) })));
    },
  });
  const [closed, set_closed] = useState<Set<string>>(new Set());
  const schemas: KnownSchema[] = useMemo(() => (found.data ?? []).map((one) => ({ name: one.schema, tables: one.tables.map((table: Table) => table.id) })), [found.data]);
  if (found.isError) return <ErrorCard title={common('failed')} detail={found.error.message} onRetry={() => void found.refetch()} />;
  if (!found.data) {
    return (
      <div className={admin.loading}>
        <ListSkeleton />
      </div>
    );
  }
  return (
    <Matrix label={t('open_schemas', { name })} corner={name} groups={groups}>
      {found.data.map(({ schema, tables }) => (
        <Fragment key={schema}>
          <tr>
            <th scope="row">
              <span className={styles.place}>
                <button
                  type="button"
                  className={styles.open}
                  aria-expanded={!closed.has(schema)}
                  aria-label={t('open_tables', { name: schema || name })}
                  onClick={() => {
                    const next = new Set(closed);
                    if (!next.delete(schema)) next.add(schema);
                    set_closed(next);
                  }}
                >
                  {closed.has(schema) ? <IconChevronRight size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
                </button>
                <IconLayersLinked size={16} stroke={1.6} aria-hidden />
                <span>{schema || name}</span>
              </span>
            </th>
            {cells({ database: id, schema }, schema || name, schemas)}
          </tr>
          {!closed.has(schema) &&
            tables.map((table) => (
              <tr key={table.id}>
                <th scope="row">
                  <span className={styles.place} style={{ paddingInlineStart: 32 }}>
                    <IconTable size={16} stroke={1.6} aria-hidden />
                    <span>{table.display_name}</span>
                  </span>
                </th>
                {cells({ database: id, schema, table: table.id }, table.display_name, schemas)}
              </tr>
            ))}
        </Fragment>
      ))}
    </Matrix>
  );
}

export function CollectionPermissionsPage() {
  const { t } = useTranslation('admin_permissions');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('collections_title'));
  const asked = (useSearch({ strict: false }) as { collection?: string }).collection;
  const groups = useGroups();
  const tree = useCollectionTree();
  const root = useCollection('root').data;
  const draft = useDraft('collections', (signal) => permissions.collection_graph({ signal }), permissions.save_collections, changed_collections);
  const rows = useMemo(() => collection_rows(tree.data ?? [], root?.name ?? t('root')), [tree.data, root, t]);
  const wanted = useRef<HTMLTableRowElement>(null);
  const ready = Boolean(tree.data && draft.graph);
  useEffect(() => {
    if (ready) wanted.current?.scrollIntoView?.({ block: 'center' });
  }, [ready]);
  const problem = groups.error ?? tree.error ?? draft.stored.error;
  const words: Record<CollectionPermission, string> = { none: t('none_permission'), read: t('read'), write: t('write') };
  return (
    <div className={styles.page}>
      <PageHead title={t('collections_title')} text={t('collections_text')} />
      {problem ? (
        <ErrorCard title={common('failed')} detail={problem.message} onRetry={() => void Promise.all([groups.refetch(), tree.refetch(), draft.stored.refetch()])} />
      ) : !groups.data || !ready ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : (
        <Matrix label={t('collections_title')} corner={t('collection')} groups={groups.data}>
          {rows.map((row) => (
            <tr key={row.id} ref={row.id === asked ? wanted : undefined}>
              <th scope="row">
                <span className={styles.place} style={{ paddingInlineStart: row.depth * 16 }}>
                  <IconFolder size={16} stroke={1.6} aria-hidden />
                  <span>{row.name}</span>
                </span>
              </th>
              {groups.data.map((group) => {
                const fixed = is_admin_group(group);
                const value = fixed ? 'write' : collection_permission(draft.graph!, group.id, row.id);
                return (
                  <td key={group.id} title={fixed ? t('admin_fixed') : undefined}>
                    <Choice<CollectionPermission>
                      label={t('value_for', { group: group.name, place: row.name })}
                      value={value}
                      shown={words[value]}
                      options={(['none', 'read', 'write'] as const).map((one) => ({ value: one, label: words[one] }))}
                      changed={!fixed && collection_permission(draft.stored.data!, group.id, row.id) !== value}
                      disabled={fixed}
                      extra={
                        row.below.length > 0 && (
                          <>
                            <Menu.Divider />
                            <Menu.Item aria-label={t('below_for', { group: group.name, place: row.name })} onClick={() => draft.set_draft(with_collection_permission(draft.graph!, group.id, row.below, value))}>
                              {t('below')}
                            </Menu.Item>
                          </>
                        )
                      }
                      onChange={(next) => draft.set_draft(with_collection_permission(draft.graph!, group.id, [row.id], next))}
                    />
                  </td>
                );
              })}
            </tr>
          ))}
        </Matrix>
      )}
      <UnsavedBar count={draft.count} busy={draft.busy} onSave={draft.send} onDiscard={draft.discard} />
    </div>
  );
}
