import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { IconDatabase, IconDots, IconPlus, IconRefresh, IconSearch, IconTrash } from '@tabler/icons-react';
import { type FormEvent, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { type ConnectionTest, databases } from '@/api/databases';
import { useEngines } from '@/api/session';
import type { Database } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { useGo } from '@/lib/navigate';
import { id_of_slug, paths } from '@/lib/paths';
import { duration, exact, when } from '@/lib/time';
import { Button, ButtonLink, IconButton, Link } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { EngineForm } from '@/ui/engine_form/EngineForm';
import { EngineIcon, EngineTiles } from '@/ui/engine_form/EngineTiles';
import { details_to_send, missing_fields, start_values, type FormValues } from '@/ui/engine_form/fields';
import { TextInput } from '@/ui/fields';
import { ConfirmDialog } from '@/ui/Dialog';
import { Menu, MenuLink } from '@/ui/Overlays';
import { Crumbs, PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import admin from '../admin.module.css';
import styles from './databases.module.css';
import { is_syncing, SyncState } from './SyncState';
import '../strings';
import './strings';

/** While one of them is being read the list looks again every two seconds. */
function useWatchedDatabases() {
  return useQuery({
    queryKey: ['databases', 'admin'],
    queryFn: ({ signal }) => databases.list({}, { signal }),
    refetchInterval: (query) => (query.state.data?.some(is_syncing) ? 2000 : false),
  });
}

async function start(work: () => Promise<unknown>, words: string) {
  try {
    await work();
    toast(words);
    await databases.refresh();
  } catch (error) {
    toast_failure(error);
  }
}

export function DatabaseListPage() {
  const { t } = useTranslation('admin_databases');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('title'));
  const engines = useEngines();
  const list = useWatchedDatabases();
  const [deleting, set_deleting] = useState<Database>();
  const shown = (list.data ?? []).filter((one) => !one.is_saved_questions);
  return (
    <div>
      <PageHead
        title={t('title')}
        text={t('text')}
        tools={
          <ButtonLink kind="primary" icon={<IconPlus size={16} aria-hidden />} href={paths.admin('databases/create')}>
            {t('add')}
          </ButtonLink>
        }
      />
      {list.isPending ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : list.isError ? (
        <ErrorCard title={common('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : shown.length === 0 ? (
        <EmptyState
          title={t('none_title')}
          actions={
            <>
              <ButtonLink kind="primary" size="large" href={paths.admin('databases/create')}>
                {t('add')}
              </ButtonLink>
              <Button size="large" onClick={() => void start(() => databases.add_sample(), t('sample'))}>
                {t('sample')}
              </Button>
            </>
          }
        >
          {t('none_text')}
        </EmptyState>
      ) : (
        <DataTable<Database>
          label={t('title')}
          rows={shown}
          row_key={(one) => one.id}
          columns={[
            {
              key: 'name',
              title: t('name'),
              value: (one) => one.name,
              render: (one) => (
                <Link href={paths.admin(`databases/${one.id}`)} className={`${admin.line} ${admin.strong}`}>
                  <EngineIcon engine={one.engine} />
                  {one.name}
                </Link>
              ),
            },
            {
              key: 'engine',
              title: t('engine'),
              wide_only: true,
              value: (one) => one.engine,
              render: (one) => <span className={admin.muted}>{[engines[one.engine]?.['driver-name'] ?? one.engine, one.dbms_version?.version?.replace(/^v/, '')].filter(Boolean).join(' ')}</span>,
            },
            { key: 'state', title: t('state'), render: (one) => <SyncState database={one} /> },
            {
              key: 'added',
              title: t('added'),
              wide_only: true,
              value: (one) => one.created_at,
              render: (one) => (
                <span className={admin.muted} title={exact(one.created_at)}>
                  {when(one.created_at)}
                </span>
              ),
            },
            {
              key: 'menu',
              title: '',
              label: common('actions'),
              align: 'end',
              width: 56,
              render: (one) => (
                <Menu width={220}>
                  <Menu.Target>
                    <IconButton label={t('menu', { name: one.name })} icon={<IconDots size={18} aria-hidden />} />
                  </Menu.Target>
                  <Menu.Dropdown>
                    <MenuLink href={paths.admin(`databases/${one.id}`)} icon={<IconDatabase size={16} aria-hidden />}>
                      {t('edit')}
                    </MenuLink>
                    <MenuLink href={paths.database(one)} icon={<IconSearch size={16} aria-hidden />}>
                      {t('browse')}
                    </MenuLink>
                    <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => void start(() => databases.sync(one.id), t('sync_started', { name: one.name }))}>
                      {t('sync')}
                    </Menu.Item>
                    <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => void start(() => databases.rescan(one.id), t('rescan_started', { name: one.name }))}>
                      {t('rescan')}
                    </Menu.Item>
                    <Menu.Divider />
                    <Menu.Item data-danger leftSection={<IconTrash size={16} aria-hidden />} onClick={() => set_deleting(one)}>
                      {t('remove')}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              ),
            },
          ]}
        />
      )}
      {deleting && <DeleteDialog database={deleting} onClose={() => set_deleting(undefined)} />}
    </div>
  );
}

function DeleteDialog({ database, onClose, onDone }: { database: Database; onClose: () => void; onDone?: () => void }) {
  const { t } = useTranslation('admin_databases');
  const usage = useQuery({ queryKey: ['databases', database.id, 'usage'], queryFn: () => databases.usage(database.id) }).data;
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t('delete_title', { name: database.name })}
      confirm={t('delete')}
      danger
      typed_name={database.name}
      onConfirm={async () => {
        await databases.remove(database.id);
        await databases.refresh();
        toast(t('deleted', { name: database.name }));
        onDone?.();
      }}
    >
      <p>{t('delete_text')}</p>
      {usage && <p>{t('delete_usage', { questions: usage.question ?? 0, models: usage.dataset ?? 0, metrics: usage.metric ?? 0 })}</p>}
    </ConfirmDialog>
  );
}

export function DatabaseCreatePage() {
  const { t } = useTranslation('admin_databases');
  usePageTitle(t('create_title'));
  const go = useGo();
  const engines = useEngines();
  const choices = useMemo(
    () => Object.entries(engines).filter(([, engine]) => !engine['superseded-by']).map(([id, engine]) => ({ id, name: engine['driver-name'] })),
    [engines],
  );
  const [engine, set_engine] = useState<string>();
  const chosen = engine ?? choices[0]?.id ?? '';
  return (
    <div>
      <PageHead crumbs={<Crumbs label={t('crumbs')} items={[{ name: t('title'), href: paths.admin('databases') }, { name: t('create_title') }]} />} title={t('create_title')} />
      <div style={{ maxWidth: 640 }} className={admin.form}>
        <EngineTiles label={t('pick')} engines={choices} value={chosen} onChange={set_engine} />
        {chosen && (
          <ConnectionForm
            key={chosen}
            engine={chosen}
            confirm={t('create')}
            onSave={async (name, details) => {
              const made = await databases.create({ name, engine: chosen, details });
              await databases.refresh();
              toast(t('created', { name: made.name }));
              setTimeout(() => go(paths.admin('databases')));
            }}
          />
        )}
      </div>
    </div>
  );
}

export function DatabaseEditPage() {
  const { t } = useTranslation('admin_databases');
  const { t: common } = useTranslation('admin');
  const { id: text } = useParams({ strict: false }) as { id?: string };
  const id = id_of_slug(text) ?? -1;
  const go = useGo();
  const engines = useEngines();
  const database = useQuery({
    queryKey: ['databases', id],
    queryFn: ({ signal }) => databases.one(id, { signal }),
    refetchInterval: (query) => (query.state.data && is_syncing(query.state.data) ? 2000 : false),
  });
  const [deleting, set_deleting] = useState(false);
  usePageTitle(database.data?.name);
  const one = database.data;
  return (
    <div>
      <PageHead
        crumbs={<Crumbs label={t('crumbs')} items={[{ name: t('title'), href: paths.admin('databases') }, { name: one?.name ?? '' }]} />}
        title={one?.name ?? '\u00a0'}
        tools={
          one && (
            <>
              <Button icon={<IconRefresh size={16} aria-hidden />} onClick={() => void start(() => databases.sync(id), t('sync_started', { name: one.name }))}>
                {t('sync')}
              </Button>
              <Menu width={220}>
                <Menu.Target>
                  <IconButton label={t('menu', { name: one.name })} icon={<IconDots size={18} aria-hidden />} />
                </Menu.Target>
                <Menu.Dropdown>
                  <MenuLink href={paths.database(one)}>{t('browse')}</MenuLink>
                  <Menu.Item onClick={() => void start(() => databases.rescan(id), t('rescan_started', { name: one.name }))}>{t('rescan')}</Menu.Item>
                  <Menu.Divider />
                  <Menu.Item data-danger onClick={() => set_deleting(true)}>
                    {t('remove')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </>
          )
        }
      />
      {database.isError ? (
        <ErrorCard title={common('failed')} detail={database.error.message} onRetry={() => void database.refetch()} />
      ) : !one ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : (
        <div className={styles.split}>
          <ConnectionForm
            key={one.id}
            engine={one.engine}
            database={one}
            confirm={t('save')}
            onSave={async (name, details) => {
              await databases.update(id, { name, engine: one.engine, details });
              await databases.refresh();
              toast(t('saved'));
            }}
          />
          <aside className={admin.card}>
            <div className={admin.card_head}>
              <h2>{t('facts')}</h2>
            </div>
            <dl className={styles.facts}>
              <dt>{t('state')}</dt>
              <dd>
                <SyncState database={one} />
              </dd>
              <dt>{t('engine')}</dt>
              <dd>{engines[one.engine]?.['driver-name'] ?? one.engine}</dd>
              {one.dbms_version?.version && (
                <>
                  <dt>{t('version')}</dt>
                  <dd>{[one.dbms_version.flavor, one.dbms_version.version].filter(Boolean).join(' ')}</dd>
                </>
              )}
              {one.timezone && (
                <>
                  <dt>{t('timezone')}</dt>
                  <dd>{one.timezone}</dd>
                </>
              )}
              <dt>{t('added')}</dt>
              <dd title={exact(one.created_at)}>{when(one.created_at)}</dd>
            </dl>
          </aside>
        </div>
      )}
      {deleting && one && <DeleteDialog database={one} onClose={() => set_deleting(false)} onDone={() => setTimeout(() => go(paths.admin('databases')))} />}
    </div>
  );
}

function ConnectionForm({ engine, database, confirm, onSave }: { engine: string; database?: Database; confirm: string; onSave: (name: string, details: FormValues) => Promise<void> }) {
  const { t } = useTranslation('admin_databases');
  const { t: common } = useTranslation('admin');
  const engines = useEngines();
  const fields = engines[engine]?.['details-fields'] ?? [];
  const stored = useMemo(() => start_values(fields, database?.details ?? {}), [engine, database?.id, fields.length]);
  const [name, set_name] = useState(database?.name ?? '');
  const [values, set_values] = useState<FormValues>(stored);
  const [dirty, set_dirty] = useState(false);
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [test, set_test] = useState<ConnectionTest & { ms?: number }>();
  const [busy, set_busy] = useState<'test' | 'save'>();
  useEffect(() => {
    if (!dirty) set_values(stored);
  }, [stored, dirty]);

  function complete(with_name: boolean): boolean {
    const missing = missing_fields(fields, values);
    const found: Record<string, string> = Object.fromEntries(missing.map((field) => [field, common('needed')]));
    if (with_name && name.trim() === '') found.basalt_name = common('needed');
    set_problems(found);
    return Object.keys(found).length === 0;
  }

  async function try_out() {
    if (!complete(false)) return;
    set_busy('test');
    set_test(undefined);
    const started = performance.now();
    try {
      const answer = await databases.test(engine, details_to_send(fields, values));
      set_test({ ...answer, ms: performance.now() - started });
      set_problems(answer.errors ?? {});
    } catch (error) {
      set_test({ valid: false, message: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(undefined);
    }
  }

  async function save(event: FormEvent) {
    event.preventDefault();
    if (!complete(true)) return;
    set_busy('save');
    try {
      await onSave(name.trim(), details_to_send(fields, values));
      set_dirty(false);
      set_test(undefined);
    } catch (error) {
      if (error instanceof ApiError) set_problems(error.fields);
      set_test({ valid: false, message: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(undefined);
    }
  }

  return (
    <form className={admin.form} onSubmit={(event) => void save(event)} noValidate>
      <TextInput
        label={t('shown_name')}
        value={name}
        error={problems.basalt_name ?? problems.name}
        maxLength={120}
        onChange={(event) => {
          set_name(event.currentTarget.value);
          set_dirty(true);
        }}
      />
      <EngineForm
        engine={engine}
        fields={fields}
        values={values}
        problems={problems}
        more_label={t('more_options')}
        onChange={(next) => {
          set_values(next);
          set_dirty(true);
          set_test(undefined);
        }}
      />
      {test && (
        <p className={admin.note} data-tone={test.valid ? 'green' : 'red'} role="status">
          {test.valid ? t('connected', { time: duration(test.ms) }) : t('not_connected', { message: test.message ?? '' })}
        </p>
      )}
      <div className={admin.actions}>
        <Button busy={busy === 'test'} onClick={() => void try_out()}>
          {t('test')}
        </Button>
        <span className={admin.grow} />
        <ButtonLink kind="quiet" href={paths.admin('databases')}>
          {common('cancel')}
        </ButtonLink>
        <Button kind="primary" type="submit" busy={busy === 'save'}>
          {confirm}
        </Button>
      </div>
      <UnsavedGuard dirty={dirty && busy === undefined && database !== undefined} />
    </form>
  );
}
