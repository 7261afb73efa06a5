import { useParams } from '@tanstack/react-router';
import { IconBox, IconDots, IconLayersLinked, IconPlus, IconRulerMeasure, IconSearch, IconSettings } from '@tabler/icons-react';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearch as useItemSearch } from '@/api/collections';
import { useDatabase, useDatabases, useSchemas, useTables } from '@/api/databases';
import { useCurrentUser, useEngines } from '@/api/session';
import type { Database, SearchResult, Table } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { count } from '@/lib/numbers';
import { id_of_slug, item_path, paths } from '@/lib/paths';
import { exact, when } from '@/lib/time';
import { ButtonLink, IconButton, Link } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { DataTable } from '@/ui/DataTable';
import { EngineIcon } from '@/ui/engine_form/EngineTiles';
import { TextInput } from '@/ui/fields';
import { ItemIcon } from '@/ui/icons';
import { Menu, MenuLink } from '@/ui/Overlays';
import { Crumbs, Page, PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import styles from './browse.module.css';
import { words_fit } from './words_fit';
import './strings';

function Find({ label, value, onChange }: { label: string; value: string; onChange: (words: string) => void }) {
  return (
    <TextInput
      className={styles.find}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const { t } = useTranslation('browse');
  return <ErrorCard title={t('failed')} detail={error.message} onRetry={retry} />;
}

function Loading() {
  return (
    <div className={styles.loading}>
      <ListSkeleton />
    </div>
  );
}

/** How far the server is with reading a database's tables; nothing once it is done. */
function SyncState({ database }: { database: Database }) {
  const { t } = useTranslation('browse');
  if (database.initial_sync_status === 'aborted') return <Tag tone="amber">{t('aborted')}</Tag>;
  if (database.initial_sync_status !== 'incomplete' && !database.sync_progress) return null;
  const progress = database.sync_progress;
  return <Tag tone="ember">{progress ? t(`sync_phase_${progress.phase}`, { done: progress.done, total: progress.total }) : t('syncing')}</Tag>;
}

export function DatabasesPage() {
  const { t } = useTranslation('browse');
  usePageTitle(t('databases'));
  const user = useCurrentUser();
  const engines = useEngines();
  const list = useDatabases();
  const [words, set_words] = useState('');
  const shown = (list.data ?? []).filter((one) => !one.is_saved_questions && words_fit(words, one.name, engines[one.engine]?.['driver-name']));
  const add = user?.is_superuser && (
    <ButtonLink icon={<IconPlus size={16} aria-hidden />} href={paths.admin('databases/create')}>
      {t('add')}
    </ButtonLink>
  );
  return (
    <Page>
      <PageHead title={t('databases')} text={t('databases_text')} tools={add} />
      {list.isPending ? (
        <Loading />
      ) : list.isError ? (
        <Failed error={list.error} retry={() => void list.refetch()} />
      ) : list.data.length === 0 ? (
        <EmptyState title={t('none_title')} actions={add}>
          {user?.is_superuser ? t('none_text') : t('none_text_person')}
        </EmptyState>
      ) : (
        <>
          {list.data.length > 6 && <Find label={t('find_database')} value={words} onChange={set_words} />}
          {shown.length === 0 && <p className={styles.none}>{t('none_found', { words })}</p>}
          <ul className={styles.cards}>
            {shown.map((database) => (
              <li key={database.id}>
                <Link href={paths.database(database)} className={styles.card}>
                  <span className={styles.engine}>
                    <EngineIcon engine={database.engine} size={20} />
                  </span>
                  <span className={styles.card_words}>
                    <b>{database.name}</b>
                    <span>
                      {[engines[database.engine]?.['driver-name'] ?? database.engine, database.dbms_version?.version?.replace(/^v/, '')].filter(Boolean).join(' ')}
                    </span>
                  </span>
                  <SyncState database={database} />
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}

function useDatabaseOfPage() {
  const { idSlug, schema } = useParams({ strict: false }) as { idSlug?: string; schema?: string };
  const id = id_of_slug(idSlug);
  const database = useDatabase(id ?? -1);
  return { id, database, schema };
}

function Manage({ database }: { database: Database | undefined }) {
  const { t } = useTranslation('browse');
  const user = useCurrentUser();
  if (!database || !user?.is_superuser) return null;
  return (
    <ButtonLink icon={<IconSettings size={16} aria-hidden />} href={paths.admin(`databases/${database.id}`)}>
      {t('manage')}
    </ButtonLink>
  );
}

export function DatabasePage() {
  const { t } = useTranslation('browse');
  const { id, database } = useDatabaseOfPage();
  const schemas = useSchemas(id);
  const [words, set_words] = useState('');
  usePageTitle(database.data?.name);
  const only = schemas.data?.length === 1 ? schemas.data[0] : undefined;
  const problem = database.error ?? schemas.error;
  return (
    <Page>
      <PageHead
        crumbs={<Crumbs label={t('crumbs')} items={[{ name: t('databases'), href: paths.databases() }, { name: database.data?.name ?? '' }]} />}
        title={database.data?.name ?? '\u00a0'}
        text={database.data?.description || (database.data && <SyncState database={database.data} />)}
        tools={<Manage database={database.data} />}
      />
      {problem ? (
        <Failed error={problem} retry={() => void Promise.all([database.refetch(), schemas.refetch()])} />
      ) : !schemas.data || !database.data ? (
        <Loading />
      ) : schemas.data.length === 0 ? (
        <EmptyState title={t('tables_none')}>{t('tables_none_text')}</EmptyState>
      ) : only !== undefined ? (
        <Tables database={database.data} schema={only} />
      ) : (
        <>
          {schemas.data.length > 8 && <Find label={t('find_table')} value={words} onChange={set_words} />}
          <ul className={styles.cards} aria-label={t('schemas', { name: database.data.name })}>
            {schemas.data
              .filter((schema) => words_fit(words, schema))
              .map((schema) => (
                <li key={schema}>
                  <Link href={paths.schema(database.data, schema)} className={styles.card}>
                    <span className={styles.engine}>
                      <IconLayersLinked size={20} stroke={1.6} aria-hidden />
                    </span>
                    <span className={styles.card_words}>
                      <b>{schema || t('no_schema')}</b>
                    </span>
                  </Link>
                </li>
              ))}
          </ul>
        </>
      )}
    </Page>
  );
}

export function SchemaPage() {
  const { t } = useTranslation('browse');
  const { database, schema = '' } = useDatabaseOfPage();
  usePageTitle(schema || database.data?.name);
  return (
    <Page>
      <PageHead
        crumbs={
          <Crumbs
            label={t('crumbs')}
            items={[{ name: t('databases'), href: paths.databases() }, ...(database.data ? [{ name: database.data.name, href: paths.database(database.data) }] : []), { name: schema || t('no_schema') }]}
          />
        }
        title={schema || t('no_schema')}
        tools={<Manage database={database.data} />}
      />
      {database.isError ? <Failed error={database.error} retry={() => void database.refetch()} /> : database.data ? <Tables database={database.data} schema={schema} /> : <Loading />}
    </Page>
  );
}

function Tables({ database, schema }: { database: Database; schema: string }) {
  const { t } = useTranslation('browse');
  const tables = useTables(database.id, schema);
  const [words, set_words] = useState('');
  const shown = useMemo(() => (tables.data ?? []).filter((table) => words_fit(words, table.display_name, table.name)), [tables.data, words]);
  if (tables.isPending) return <Loading />;
  if (tables.isError) return <Failed error={tables.error} retry={() => void tables.refetch()} />;
  if (tables.data.length === 0) return <EmptyState title={t('tables_none')}>{t('tables_none_text')}</EmptyState>;
  const ask = (table: Table) => paths.builder({ dataset_query: { database: database.id, type: 'query', query: { 'source-table': table.id } }, display: 'table', visualization_settings: {} });
  const sql = (table: Table) =>
    paths.sql({ dataset_query: { database: database.id, type: 'native', native: { query: `SELECT *\nFROM ${[table.schema, table.name].filter(Boolean).join('.')}\nLIMIT 100`, 'template-tags': {} } }, display: 'table', visualization_settings: {} });
  return (
    <>
      <Find label={t('find_table')} value={words} onChange={set_words} />
      <DataTable<Table>
        label={t('tables_of', { name: schema || database.name })}
        rows={shown}
        row_key={(table) => table.id}
        empty={t('none_found', { words })}
        columns={[
          {
            key: 'name',
            title: t('table'),
            value: (table) => table.display_name,
            render: (table) => (
              <Link href={paths.table({ id: table.id, db_id: database.id })} className={styles.item}>
                <ItemIcon item={{ model: 'table' }} size={18} />
                <span>{table.display_name}</span>
                {table.visibility_type && <Tag>{t('hidden')}</Tag>}
              </Link>
            ),
          },
          { key: 'description', title: t('description'), wide_only: true, render: (table) => <span className={styles.muted}>{table.description ?? ''}</span> },
          {
            key: 'rows',
            title: t('rows'),
            align: 'end',
            width: 140,
            wide_only: true,
            value: (table) => table.estimated_row_count,
            render: (table) => <span className={styles.muted}>{typeof table.estimated_row_count === 'number' ? t('about_rows', { count: count(table.estimated_row_count) as never }) : ''}</span>,
          },
          {
            key: 'menu',
            title: '',
            label: t('actions'),
            align: 'end',
            width: 56,
            render: (table) => (
              <Menu width={200}>
                <Menu.Target>
                  <IconButton label={t('menu', { name: table.display_name })} icon={<IconDots size={18} aria-hidden />} />
                </Menu.Target>
                <Menu.Dropdown>
                  <MenuLink href={paths.table({ id: table.id, db_id: database.id })}>{t('rows_open')}</MenuLink>
                  <MenuLink href={ask(table)}>{t('ask')}</MenuLink>
                  {database.native_permissions !== 'none' && <MenuLink href={sql(table)}>{t('sql')}</MenuLink>}
                </Menu.Dropdown>
              </Menu>
            ),
          },
        ]}
      />
    </>
  );
}

export function ModelsPage() {
  const { t } = useTranslation('browse');
  return (
    <Cards
      model="dataset"
      title={t('models')}
      text={t('models_text')}
      find={t('find_model')}
      icon={<IconBox size={22} stroke={1.6} aria-hidden />}
      none={t('models_none')}
      none_text={t('models_none_text')}
      create={{ href: `${paths.builder()}?type=model`, label: t('new_model') }}
    />
  );
}

export function MetricsPage() {
  const { t } = useTranslation('browse');
  return (
    <Cards
      model="metric"
      title={t('metrics')}
      text={t('metrics_text')}
      find={t('find_metric')}
      icon={<IconRulerMeasure size={22} stroke={1.6} aria-hidden />}
      none={t('metrics_none')}
      none_text={t('metrics_none_text')}
      create={{ href: `${paths.builder()}?type=metric`, label: t('new_metric') }}
    />
  );
}

function Cards({ model, title, text, find, icon, none, none_text, create }: { model: string; title: string; text: string; find: string; icon: ReactNode; none: string; none_text: string; create: { href: string; label: string } }) {
  const { t } = useTranslation('browse');
  usePageTitle(title);
  const [words, set_words] = useState('');
  const found = useItemSearch({ models: [model], limit: 500, offset: 0 });
  const shown = (found.data?.data ?? []).filter((item) => words_fit(words, item.name, item.description));
  const button = (
    <ButtonLink icon={<IconPlus size={16} aria-hidden />} href={create.href}>
      {create.label}
    </ButtonLink>
  );
  return (
    <Page>
      <PageHead title={title} text={text} tools={button} />
      {found.isPending ? (
        <Loading />
      ) : found.isError ? (
        <Failed error={found.error} retry={() => void found.refetch()} />
      ) : found.data.data.length === 0 ? (
        <EmptyState icon={icon} title={none} actions={button}>
          {none_text}
        </EmptyState>
      ) : (
        <>
          <Find label={find} value={words} onChange={set_words} />
          <DataTable<SearchResult>
            label={title}
            rows={shown}
            row_key={(item) => item.id}
            empty={t('none_found', { words })}
            columns={[
              {
                key: 'name',
                title,
                value: (item) => item.name,
                render: (item) => (
                  <Link href={item_path(item)} className={styles.item}>
                    <ItemIcon item={item} size={18} />
                    <span>{item.name}</span>
                  </Link>
                ),
              },
              { key: 'description', title: t('description'), wide_only: true, render: (item) => <span className={styles.muted}>{item.description ?? ''}</span> },
              {
                key: 'collection',
                title: t('collection'),
                wide_only: true,
                value: (item) => item.collection?.name ?? '',
                render: (item) => <Link href={paths.collection({ id: item.collection?.id ?? null, name: item.collection?.name })}>{item.collection?.name ?? t('root')}</Link>,
              },
              {
                key: 'changed',
                title: t('changed'),
                wide_only: true,
                value: (item) => item.last_edited_at ?? item.updated_at,
                render: (item) => (
                  <span className={styles.muted} title={exact(item.last_edited_at ?? item.updated_at)}>
                    {[when(item.last_edited_at ?? item.updated_at), item.last_editor_common_name].filter(Boolean).join(', ')}
                  </span>
                ),
              },
            ]}
          />
        </>
      )}
    </Page>
  );
}
