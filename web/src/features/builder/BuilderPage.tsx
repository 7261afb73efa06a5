import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation, useParams } from '@tanstack/react-router';
import { IconArrowBackUp, IconArrowForwardUp, IconCode } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { cards, useCard } from '@/api/cards';
import { search } from '@/api/collections';
import { tables, useDatabases } from '@/api/databases';
import type { Card, DatasetQuery } from '@/api/types';
import { useFoldedSide, usePageTitle } from '@/lib/frame';
import { useHistory } from '@/lib/history';
import { useNarrow } from '@/lib/narrow';
import { parse_search, useGo } from '@/lib/navigate';
import { id_of_slug, paths } from '@/lib/paths';
import { useShortcuts } from '@/lib/shortcuts';
import { Button, IconButton } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { SaveDialog } from '@/ui/SaveDialog';
import { ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { catalogOf } from '@/query/columns';
import { isRunnable, trimStages } from '@/query/edit';
import { useCatalog } from '@/query/editors/useCatalog';
import { decodeCard, encodeCard, type AdhocCard } from '@/query/hash';
import { sourceTableId } from '@/query/columns';
import { suggestedName } from '@/query/names';
import { blankQuery, readQuery, sameQuery, writeQuery } from '@/query/read';
import type { Catalog, Query, Source, TableMeta } from '@/query/types';
import { say } from '@/query/words';
import { Builder } from './parts';
import { SqlDrawer } from './SqlDrawer';
import { Steps } from './Steps';
import styles from './builder.module.css';

/** The builder: on a new question, on one in the address, or on a saved one. */
export function BuilderPage() {
  const params = useParams({ strict: false }) as { idSlug?: string };
  const location = useLocation();
  const asked = parse_search(location.searchStr ?? '')['type'];
  const id = id_of_slug(params.idSlug);
  const from_address = useMemo(() => decodeCard(location.hash), [location.hash]);
  const original = id ?? (from_address?.original_card_id as number | undefined);
  const saved = useCard(original);
  if (original !== undefined && saved.isPending) return <div className={styles.page}><ListSkeleton rows={4} height={68} /></div>;
  if (original !== undefined && saved.error) return <div className={styles.page} style={{ padding: 24 }}><ErrorCard title={say('This question cannot be opened.')} detail={saved.error.message} onRetry={() => void saved.refetch()} /></div>;
  const card = saved.data ?? null;
  const start = from_address ?? (card ? { dataset_query: card.dataset_query, display: card.display, visualization_settings: card.visualization_settings } : null);
  const query = start ? readQuery(start.dataset_query) : blankQuery();
  if (query === null) {
    return (
      <div className={styles.page} style={{ padding: 24 }}>
        <ErrorCard title={say('This question is written in SQL.')} actions={<NativeLink card={card} adhoc={from_address} />}>{say('The builder only opens questions that were built in it.')}</ErrorCard>
      </div>
    );
  }
  const type = card?.type ?? (asked === 'model' || asked === 'metric' ? asked : 'question');
  return <OpenBuilder key={`${original ?? 'new'}/${type}`} start={query} adhoc={start} card={card} type={type} />;
}
function NativeLink({ card, adhoc }: { card: Card | null; adhoc: AdhocCard | null }) {
  const go = useGo();
  return <Button kind="primary" onClick={() => go(card ? `${paths.card(card)}/native` : paths.sql(adhoc))}>{say('Open the SQL editor')}</Button>;
}

function OpenBuilder({ start, adhoc, card, type }: { start: Query; adhoc: AdhocCard | Partial<AdhocCard> | null; card: Card | null; type: Card['type'] }) {
  const go = useGo();
  const narrow = useNarrow();
  const client = useQueryClient();
  const history = useHistory(start);
  const query = history.value;
  const [sql, set_sql] = useState(!narrow && isRunnable(start));
  const [saving, set_saving] = useState(false);
  const leaving = useRef(false);
  const { catalog, tables: loaded } = useCatalog(query);
  const databases = useDatabases();
  const database = databases.data?.find((item) => item.id === query.database);
  useFoldedSide();
  const title = card?.name ?? (type === 'model' ? say('New model') : type === 'metric' ? say('New metric') : say('New question'));
  usePageTitle(title);

  const clean = useMemo(() => trimStages(query), [query]);
  const written = writeQuery(clean) as unknown as DatasetQuery;
  const dirty = card ? !sameQuery(card.dataset_query, written) : isRunnable(query) && history.steps > 0;
  const source = query.stages[0]?.source ?? null;
  const saved_metrics = useQuery({
    queryKey: ['search', 'metrics', query.database],
    queryFn: ({ signal }) => search({ models: ['metric'], limit: 200, table_db_id: query.database ?? undefined }, { signal }),
    enabled: query.database !== null, staleTime: 60_000,
  });
  const metrics = useMemo(() => {
    const id = source ? sourceTableId(source) : null;
    if (id === null) return [];
    const known = (catalog.table(id)?.metrics ?? []).map((metric) => ({ id: metric.id, name: metric.name }));
    const found = (saved_metrics.data?.data ?? []).filter((metric) => metric.table_id === id).map((metric) => ({ id: Number(metric.id), name: metric.name }));
    // A metric cannot be made of itself.
    return [...new Map([...known, ...found].map((metric) => [metric.id, metric])).values()].filter((metric) => metric.id !== card?.id);
  }, [catalog, source, saved_metrics.data, card?.id]);

  /** The source's columns and what the query knows already. */
  const prepare = useCallback(async (wanted: Source): Promise<Catalog> => {
    const id = sourceTableId(wanted);
    if (id === null) return catalog;
    const table = await client.ensureQueryData({ queryKey: ['tables', id, 'metadata'], queryFn: ({ signal }) => tables.query_metadata(id, { signal }) });
    return catalogOf([...loaded, table as unknown as TableMeta]);
  }, [catalog, client, loaded]);

  const leave = (to: string) => {
    leaving.current = true;
    go(to);
  };
  const adhoc_card = (): AdhocCard => ({
    dataset_query: written, display: adhoc?.display ?? 'table', visualization_settings: adhoc?.visualization_settings ?? {},
    ...(card ? { name: card.name, original_card_id: card.id } : {}),
  });
  const visualize = () => {
    if (!isRunnable(query)) return;
    // Coming back from the question finds the builder as it was left.
    window.history.replaceState(window.history.state, '', `${window.location.pathname}${window.location.search}#${encodeCard(adhoc_card())}`);
    if (card && !dirty) leave(paths.card(card));
    // A new summary deserves a chart that fits it: the question page chooses when no display is given.
    else leave(paths.adhoc(sameShape(start, query) ? adhoc_card() : { ...adhoc_card(), display: undefined }));
  };
  async function save_over() {
    if (!card) return;
    await cards.update(card.id, { dataset_query: written });
    leaving.current = true;
    toast(say('Question saved.'));
  }
  const save = () => {
    if (!isRunnable(query)) return;
    const stage = clean.stages[clean.stages.length - 1]!;
    if (type === 'metric' && stage.aggregations.length !== 1) {
      toast(say('A metric has exactly one summary: add one in Summarize.'), { tone: 'problem' });
      return;
    }
    if (card?.can_write !== false && card) void save_over().then(() => go(paths.card(card))).catch(toast_failure);
    else set_saving(true);
  };
  const group = say('Builder');
  useShortcuts([
    { keys: 'mod+z', label: say('Undo'), group, run: history.undo },
    { keys: 'mod+shift+z', label: say('Redo'), group, run: history.redo },
    { keys: 'mod+s', label: say('Save question'), group, run: save, in_fields: true },
    { keys: 'mod+enter', label: say('Visualize'), group, run: visualize, in_fields: true },
  ]);
  useEffect(() => {
    if (!isRunnable(query)) set_sql(false);
  }, [query]);
  const context = useMemo(() => ({ query, change: history.set, catalog, metrics }), [query, history.set, catalog, metrics]);
  return (
    <div className={styles.page}>
      <div className={styles.title}>
        <h1>{title}</h1>
        {(dirty || (!card && isRunnable(query))) && <Tag tone="ember">{say('Not saved')}</Tag>}
        <span className={styles.spring} />
        <IconButton label={say('Undo')} icon={<IconArrowBackUp size={20} stroke={1.6} aria-hidden />} onClick={history.undo} disabled={!history.can_undo} />
        <IconButton label={say('Redo')} icon={<IconArrowForwardUp size={20} stroke={1.6} aria-hidden />} onClick={history.redo} disabled={!history.can_redo} />
        <span className={`${styles.rule} ${styles.hide_narrow}`} />
        <Button className={sql ? styles.on : ''} icon={<IconCode size={16} aria-hidden />} onClick={() => set_sql(!sql)} aria-pressed={sql} disabled={!isRunnable(query)}>SQL</Button>
        <Button onClick={save} disabled={!isRunnable(query) || (card !== null && !dirty)}>{narrow ? say('Save') : type === 'model' ? say('Save model') : type === 'metric' ? say('Save metric') : say('Save question')}</Button>
      </div>
      <div className={styles.body}>
        <div className={styles.steps}>
          <Builder.Provider value={context}>
            <Steps database_name={database?.name ?? null} prepare={prepare} without={card?.id} onVisualize={visualize} />
          </Builder.Provider>
        </div>
        {sql && isRunnable(query) && (
          <SqlDrawer
            query={clean} engine={database ? engineName(database.engine) : null} onClose={() => set_sql(false)}
            onTurn={(text) => leave(paths.sql({ dataset_query: { database: query.database, type: 'native', native: { query: text, 'template-tags': {} } }, display: 'table', visualization_settings: {} }))}
          />
        )}
      </div>
      <SaveDialog
        opened={saving} onClose={() => set_saving(false)} kind={type}
        initial={{ name: card ? card.name : suggestedName(catalog, clean), collection_id: card?.collection_id ?? null, description: card?.description ?? null }}
        onSave={async (values) => {
          const made = await cards.create({ ...values, type, dataset_query: written, display: adhoc?.display ?? (query.stages.some((stage) => stage.breakouts.length > 0) ? 'bar' : 'table'), visualization_settings: (adhoc?.visualization_settings ?? {}) as Record<string, unknown> });
          leaving.current = true;
          toast(say('Question saved.'));
          go(paths.card(made));
        }}
      />
      <UnsavedGuard dirty={dirty} allow={() => leaving.current} onSave={card ? save_over : undefined} />
    </div>
  );
}
/** Do both give out the same kind of columns? Then the old chart still fits. */
const sameShape = (a: Query, b: Query): boolean => {
  const [x, y] = [a.stages[a.stages.length - 1]!, b.stages[b.stages.length - 1]!];
  return JSON.stringify([x.aggregations, x.breakouts]) === JSON.stringify([y.aggregations, y.breakouts]);
};
const engineName = (engine: string): string => ({ postgres: 'PostgreSQL', mysql: 'MySQL', sqlite: 'SQLite', mariadb: 'MariaDB', duckdb: 'DuckDB' })[engine] ?? engine;
