import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useParams } from '@tanstack/react-router';
import { IconBookmark, IconBookmarkFilled, IconDatabaseSearch, IconDeviceFloppy, IconDots, IconFilter, IconLayoutList, IconRefresh, IconSum, IconTerminal2 } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { cards, dataset, useCard } from '../../api/cards';
import { save_file } from '../../api/client';
import { bookmarks, useBookmarks } from '../../api/collections';
import { useDatabases } from '../../api/databases';
import type { Card, DatasetQuery, ParameterValue, VisualizationSettings } from '../../api/types';
import { usePageTitle } from '../../lib/frame';
import { useNarrow } from '../../lib/narrow';
import { useGo } from '../../lib/navigate';
import { id_of_slug, paths } from '../../lib/paths';
import { useShortcuts } from '../../lib/shortcuts';
import { findColumn } from '../../query/columns';
import { drillActions, refOf, type DrillAction } from '../../query/drill';
import { addFilter, allFilters, clearFilters, isSummarized, lastStage } from '../../query/edit';
import { bareAggregation, sameColumn, unitOf, withUnit } from '../../query/clauses';
import { useCatalog } from '../../query/editors/useCatalog';
import { suggestedName } from '../../query/names';
import { cardQuery, nativeOf, readQuery, tableQuery, writeQuery } from '../../query/read';
import type { Clause, Column as QueryColumn, Query } from '../../query/types';
import { say } from '../../query/words';
import { ResultFooter, type DownloadFormat } from '../../result/ResultFooter';
import { ResultPane } from '../../result/ResultPane';
import { valuesToSend, type TagMap, type TagValues } from '../../result/tags';
import { useRun } from '../../result/use_run';
import { VariableBar } from '../../result/Variables';
import { VizDrawer } from '../../result/VizDrawer';
import drawer from '../../result/drawer.module.css';
import { Button, IconButton, Link } from '../../ui/Button';
import { Tag } from '../../ui/Chip';
import { EditableText } from '../../ui/EditableText';
import { Hexagon } from '../../ui/Hexagon';
import { Dialog } from '../../ui/Dialog';
import { Menu, Popover } from '../../ui/Overlays';
import { SaveDialog } from '../../ui/SaveDialog';
import { EmptyState, ErrorCard, ListSkeleton } from '../../ui/States';
import { toast, toast_failure } from '../../ui/toast';
import { UnsavedGuard } from '../../ui/UnsavedGuard';
import { formatValue } from '../../viz/format';
import { columnSettings } from '../../viz/settings';
import type { PointEvent, RangeEvent } from '../../viz/Visualization';
import { headline } from '../../viz/number/headline';
import { AddToDashboard, MoveCard } from './dialogs';
import { DrillMenu } from './DrillMenu';
import { FilterChips, FilterPicker } from './FilterBar';
import { HistoryDrawer } from './HistoryDrawer';
import styles from './question.module.css';
import { addressOf, asksItself, draftOf, drilled, isChanged, runKey, sameData, shownAs, withQuery, type Draft } from './state';
import { SummarizeDrawer } from './SummarizeDrawer';

/** A question: from the address, from a saved card, or from both while the card is being changed. */
export function QuestionPage() {
  const params = useParams({ strict: false }) as { idSlug?: string };
  const location = useLocation();
  const go = useGo();
  const id = id_of_slug(params.idSlug);
  const start = useMemo(() => draftOf(location.hash, null), [location.hash]);
  const wanted = id ?? start?.original_card_id;
  const saved = useCard(wanted);
  const card = saved.data ?? null;
  const draft = useMemo(() => draftOf(location.hash, card), [location.hash, card]);
  if (wanted !== undefined && saved.isPending) return <div className={styles.page}><div style={{ padding: 24 }}><ListSkeleton rows={8} height={32} /></div></div>;
  if (id !== undefined && saved.error && !draft) {
    return (
      <div className={styles.page} style={{ padding: 24 }}>
        <ErrorCard title={(saved.error as { status?: number }).status === 404 ? say('This question is not there any more.') : say('This question cannot be opened.')} detail={saved.error.message} onRetry={() => void saved.refetch()} />
      </div>
    );
  }
  if (!draft) {
    return (
      <div className={styles.page}>
        <EmptyState title={say('No question yet')} actions={<Button kind="primary" onClick={() => go(paths.builder())}>{say('Build a question')}</Button>}>{say('Start with a table or a model, or write SQL.')}</EmptyState>
      </div>
    );
  }
  const native = nativeOf(draft.dataset_query as unknown as Record<string, unknown>);
  return <OpenQuestion key={String(wanted ?? 'new') + (native ? '/sql' : '')} draft={draft} card={card} path={id !== undefined ? location.pathname : null} />;
}

type Panel = 'summarize' | 'types' | 'settings' | 'history' | null;

function OpenQuestion({ draft, card, path }: { draft: Draft; card: Card | null; path: string | null }) {
  const go = useGo();
  const client = useQueryClient();
  const narrow = useNarrow();
  const [panel, setPanel] = useState<Panel>(null);
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const [filtering, setFiltering] = useState<false | true | { column: QueryColumn; query: Query; stage: number }>(false);
  const [point, setPoint] = useState<PointEvent | null>(null);
  const [dialog, setDialog] = useState<null | 'save' | 'save_choice' | 'copy' | 'move' | 'dashboard'>(null);
  const [values, setValues] = useState<TagValues>({});
  const leaving = useRef(false);
  const download_button = useRef<HTMLButtonElement>(null);

  const changed = isChanged(draft, card);
  const query = useMemo(() => readQuery(draft.dataset_query as unknown as Record<string, unknown>), [draft.dataset_query]);
  const native = useMemo(() => nativeOf(draft.dataset_query as unknown as Record<string, unknown>), [draft.dataset_query]);
  const tags = (native?.['template-tags'] ?? {}) as unknown as TagMap;
  // An SQL question that is saved can be asked further, as a source of its own.
  const source_query = useMemo(() => query ?? (card && native && sameData(draft, card) && card.database_id ? cardQuery(card.database_id, card.id) : null), [query, card, native, draft]);
  const { catalog } = useCatalog(source_query);
  const databases = useDatabases();
  const database = databases.data?.find((one) => one.id === draft.dataset_query.database);
  const may_ask = card?.can_run_adhoc_query !== false;

  const as_saved = card !== null && sameData(draft, card);
  const parameters: ParameterValue[] | undefined = native ? valuesToSend(tags, values) : undefined;
  const key = runKey(draft, card, !as_saved, parameters);
  const run = useRun(key, (signal, fresh) => (as_saved ? cards.run(card.id, { parameters, ignore_cache: fresh }, { signal }) : dataset.run({ ...draft.dataset_query, ...(parameters ? { parameters } : {}) }, { signal })));
  const { result } = run;
  const cols = result?.data.cols ?? [];
  const rows = result?.data.rows ?? [];
  const shown = useMemo(() => shownAs(draft, result?.data.cols ?? [], result?.data.rows ?? []), [draft, result]);
  const head = useMemo(() => {
    if (!result || !query || !['line', 'area', 'bar'].includes(shown.display)) return null;
    const { aggregations } = query.stages[lastStage(query)]!;
    const columns = result.data.cols;
    const measured = columns.filter((column) => column.source === 'aggregation');
    return headline(columns, result.data.rows, shown.visualization_settings, (column) => {
      const clause = aggregations[column.aggregation_index ?? measured.indexOf(column)];
      return clause !== undefined && (['count', 'sum', 'count-where', 'sum-where'].includes(bareAggregation(clause)[0]) || (bareAggregation(clause)[0] === 'offset' && measured.indexOf(column) > 0));
    });
  }, [result, query, shown]);
  const in_view = view === 'table' ? { ...shown, display: 'table' } : shown;

  const show = useCallback((next: Draft, options: { replace?: boolean } = {}) => {
    setPoint(null);
    if (asksItself(next, card)) {
      go(addressOf({ ...next, original_card_id: undefined, name: null }, null), options);
      return;
    }
    go(isChanged(next, card) || path === null ? addressOf(next, path) : path, options);
  }, [go, card, path]);
  const change = useCallback((next: Query) => {
    setView('chart');
    if (query) show(withQuery(draft, next));
    else show(drilled(draft, next));
  }, [draft, query, show]);
  const setSettings = (settings: VisualizationSettings) => show({ ...draft, display: shown.display, visualization_settings: settings }, { replace: true });
  const setDisplay = (display: string) => {
    setView('chart');
    show({ ...draft, display, visualization_settings: shown.visualization_settings }, { replace: draft.display !== undefined });
  };

  const name = card?.name ?? draft.name ?? (query ? suggestedName(catalog, query) : say('SQL question'));
  usePageTitle(name);

  /* ---- drilling ---- */
  const shown_text = point?.value && point.kind !== 'header' ? formatValue(point.value.value, point.value.column, columnSettings(in_view.visualization_settings, point.value.column)) : undefined;
  const actions = useMemo((): DrillAction[] => {
    if (!point || !source_query || !may_ask) return [];
    return drillActions(catalog, source_query, { column: point.value?.column as never, value: point.value?.value, text: shown_text, dimensions: point.dimensions as never });
  }, [point, source_query, catalog, may_ask, shown_text]);
  function pick(action: DrillAction) {
    setPoint(null);
    if (action.record && query) {
      const field = catalog.field(action.record.tableField);
      if (typeof field?.table_id === 'number' && query.database !== null) {
        show(drilled({ ...draft, name: null }, addFilter(tableQuery(query.database, field.table_id), 0, ['=', ['field', action.record.tableField, null], action.record.key])));
      }
    } else if (action.query) {
      setView('chart');
      if (action.section === 'see') show({ ...drilled(draft, action.query), display: 'table' });
      else if (query && (action.section === 'filter' || action.section === 'sort' || action.section === 'column')) show(withQuery(draft, action.query));
      else show(drilled(draft, action.query));
    }
  }
  function filterByColumn() {
    if (!point?.value || !source_query) return;
    const index = lastStage(source_query);
    const ref = refOf(source_query, point.value.column as never, catalog);
    const column = ref && ref[0] !== 'aggregation' ? findColumn(catalog, source_query, index, ref) : undefined;
    setPoint(null);
    setFiltering(column && ref && ref[0] !== 'aggregation' ? { column: { ...column, ref: withUnit(ref, null) }, query: source_query, stage: index } : true);
  }
  /** Dragging over the axis narrows it: dates by their buckets, numbers by their values. */
  function narrowTo(range: RangeEvent) {
    if (!source_query || range.from == null || range.to == null) return;
    const ref = refOf(source_query, range.column as never, catalog);
    if (!ref || ref[0] === 'aggregation') return;
    const unit = unitOf(ref);
    const width = range.column.binning_info?.bin_width;
    const text = (value: unknown) => (typeof value === 'string' ? (['hour', 'minute'].includes(unit ?? '') ? value.replace(/(Z|[+-]\d{2}:?\d{2})$/, '') : value.slice(0, 10)) : value);
    const clause: Clause = ['between', unit ? ref : withUnit(ref, null), text(range.from), typeof range.to === 'number' && width ? range.to + width : text(range.to)];
    const index = lastStage(source_query);
    const old = source_query.stages[index]!.filters.findIndex((filter) => filter[0] === 'between' && Array.isArray(filter[1]) && filter[1][0] !== 'aggregation' && sameColumn(filter[1] as never, ref));
    const base = old >= 0 ? { ...source_query, stages: source_query.stages.map((stage, at) => (at === index ? { ...stage, filters: stage.filters.filter((_, place) => place !== old) } : stage)) } : source_query;
    change(addFilter(base, index, clause));
  }

  /* ---- saving ---- */
  const values_of_card = (): { dataset_query: DatasetQuery; display: string; visualization_settings: VisualizationSettings } => ({
    dataset_query: query ? (writeQuery(query) as unknown as DatasetQuery) : draft.dataset_query, display: shown.display, visualization_settings: shown.visualization_settings,
  });
  const can_save_over = card !== null && card.can_write !== false;
  async function saveOver() {
    if (!card) return;
    const done = await cards.update(card.id, { ...values_of_card(), ...(draft.parameters ? { parameters: draft.parameters } : {}) });
    client.setQueryData(['cards', card.id], { ...card, ...done });
    leaving.current = true;
    toast(say('Question saved.'));
    go(paths.card(done), { replace: true });
  }
  function save() {
    if (!changed && card) return;
    setDialog(can_save_over && path !== null ? 'save_choice' : 'save');
  }
  async function download(format: DownloadFormat) {
    try {
      save_file(as_saved ? await cards.export(card.id, format, { parameters: parameters ?? [], format_rows: true }) : await dataset.export({ ...draft.dataset_query, ...(parameters ? { parameters } : {}) }, format, { format_rows: true, visualization_settings: shown.visualization_settings }));
    } catch (error) {
      toast_failure(error);
    }
  }
  const marked = useBookmarks().data?.some((one) => one.type === 'card' && one.item_id === card?.id) ?? false;
  const toggleBookmark = () => {
    if (card) void (marked ? bookmarks.remove('card', card.id) : bookmarks.add('card', card.id)).catch(toast_failure);
  };
  async function archive() {
    if (!card) return;
    await cards.update(card.id, { archived: true });
    leaving.current = true;
    toast(say('Moved to the trash.'), { undo: async () => { await cards.update(card.id, { archived: false }); go(paths.card(card)); } });
    go(paths.collection({ id: card.collection_id ?? 'root', name: card.collection?.name }));
  }
  function openEditor() {
    if (native) go(card && !changed ? `${paths.card(card)}/native` : paths.sql({ ...draft, display: shown.display }));
    else go(card && !changed ? `${paths.card(card)}/notebook` : paths.builder({ ...draft, display: draft.display }));
  }
  const toggle = (next: Panel) => setPanel((before) => (before === next ? null : next));
  useEffect(() => {
    if (panel === 'summarize' && !query) setPanel(null);
  }, [panel, query]);

  const group = say('Question');
  const can_edit_query = Boolean(query) && may_ask;
  useShortcuts([
    { keys: 'e', label: native ? say('Edit the SQL') : say('Open the editor'), group, run: openEditor },
    ...(can_edit_query ? [{ keys: 'f', label: say('Filter'), group, run: () => setFiltering(true) }, { keys: 's', label: say('Summarize'), group, run: () => toggle('summarize') }] : []),
    { keys: 'v', label: say('Chart or table'), group, run: () => setView((before) => (before === 'chart' ? 'table' : 'chart')) },
    { keys: 't', label: say('Choose a visualization'), group, run: () => toggle('types') },
    { keys: 'y', label: say('Settings of the visualization'), group, run: () => toggle('settings') },
    { keys: 'r', label: say('Refresh'), group, run: () => run.run() },
    ...(card ? [{ keys: 'o', label: say('Bookmark'), group, run: toggleBookmark }, { keys: ']', label: say('About this question'), group, run: () => toggle('history') }] : []),
    ...(can_save_over ? [{ keys: 'mod+backspace', label: say('Move to the trash'), group, run: () => void archive().catch(toast_failure) }] : []),
    { keys: 'mod+s', label: say('Save question'), group, run: save, in_fields: true },
  ]);

  const filters = query ? allFilters(query) : [];
  const started = changed && card && path !== null;
  const filter_words = filters.length > 0;
  const filter_popover = (target: React.ReactNode) => (
    <Popover opened={filtering !== false} onChange={(open) => setFiltering(open)} position="bottom-end" trapFocus returnFocus withinPortal>
      <Popover.Target>{target}</Popover.Target>
      <Popover.Dropdown p={0}>{source_query && filtering !== false && <FilterPicker query={source_query} catalog={catalog} column={filtering === true ? null : filtering} onChange={change} onClose={() => setFiltering(false)} />}</Popover.Dropdown>
    </Popover>
  );
  const sorted = query ? query.stages[lastStage(query)]!.orderBy.flatMap(([direction, ref]) => {
    const column = cols.find((one) => { const own = refOf(query, one as never, catalog); return own !== null && (own[0] === 'aggregation' ? ref[0] === 'aggregation' && own[1] === ref[1] : ref[0] !== 'aggregation' && sameColumn(own, ref)); });
    return column ? [{ name: column.name, direction }] : [];
  }) : [];

  return (
    <div className={styles.page}>
      <div className={`${styles.title} ${!filter_words && Object.keys(tags).length === 0 && !started ? styles.line : ''}`}>
        <div className={styles.name}>
          <div className={styles.name_row}>
          {card ? <EditableText as="h1" className={styles.heading} value={card.name} required readonly={card.can_write === false || narrow} label={say('Name of the question')} onSave={async (next) => { await cards.update(card.id, { name: next }); }} />
            : <h1 className={styles.heading} title={name}>{name}</h1>}
          {changed && <span title={say('Not saved')} style={{ display: 'inline-flex', flex: 'none' }}><Hexagon size={10} tone="ember" /><span className="visually-hidden">{say('Not saved')}</span></span>}
          </div>
          {card && <span className={styles.where}>{say('in')} <Link href={paths.collection({ id: card.collection_id ?? 'root', name: card.collection?.name })}>{card.collection_id === null ? say('Our analytics') : (card.collection?.name ?? say('its collection'))}</Link></span>}
        </div>
        <span className={styles.grow} />
        <div className={styles.tools}>
          {can_edit_query && !narrow && (
            <>
              {filter_popover(<Button kind="violet" icon={<IconFilter size={16} stroke={1.8} aria-hidden />} aria-expanded={filtering !== false} onClick={() => setFiltering(filtering === false)}>{say('Filter')}</Button>)}
              <Button kind="green" className={panel === 'summarize' ? drawer.solid_green : undefined} icon={<IconSum size={16} stroke={2} aria-hidden />} aria-expanded={panel === 'summarize'} onClick={() => toggle('summarize')}>{say('Summarize')}</Button>
            </>
          )}
          {!narrow && may_ask && <IconButton label={native ? say('Edit the SQL') : say('Open the editor')} icon={native ? <IconTerminal2 size={20} stroke={1.6} aria-hidden /> : <IconLayoutList size={20} stroke={1.6} aria-hidden />} onClick={openEditor} />}
          {!narrow && <IconButton label={say('Refresh')} icon={<IconRefresh size={20} stroke={1.6} aria-hidden />} onClick={() => run.run()} />}
          {!narrow && card && <IconButton label={marked ? say('Remove the bookmark') : say('Bookmark')} active={marked} icon={marked ? <IconBookmarkFilled size={20} aria-hidden /> : <IconBookmark size={20} stroke={1.6} aria-hidden />} onClick={toggleBookmark} />}
          {changed && (narrow ? <IconButton kind="default" size="large" label={say('Save')} icon={<IconDeviceFloppy size={20} stroke={1.6} aria-hidden />} onClick={save} /> : <Button kind="primary" onClick={save}>{say('Save')}</Button>)}
          <Menu position="bottom-end" withinPortal>
            <Menu.Target><IconButton kind={narrow ? 'default' : 'quiet'} size={narrow ? 'large' : 'normal'} label={say('More')} icon={<IconDots size={20} stroke={1.8} aria-hidden />} /></Menu.Target>
            <Menu.Dropdown>
              {narrow && <Menu.Item onClick={() => run.run()}>{say('Refresh')}</Menu.Item>}
              {narrow && may_ask && <Menu.Item onClick={openEditor}>{native ? say('Edit the SQL') : say('Open the editor')}</Menu.Item>}
              {narrow && <Menu.Item onClick={() => setPanel('types')}>{say('Choose a visualization')}</Menu.Item>}
              {card && <Menu.Item onClick={() => setDialog('dashboard')} disabled={changed}>{say('Add to a dashboard…')}</Menu.Item>}
              <Menu.Item onClick={() => setDialog('copy')}>{card ? say('Save as a new question…') : say('Save question…')}</Menu.Item>
              {native && as_saved && card && <Menu.Item leftSection={<IconDatabaseSearch size={16} stroke={1.6} aria-hidden />} onClick={() => card.database_id && show(drilled({ ...draft, name: null }, cardQuery(card.database_id, card.id)))}>{say('Explore these results')}</Menu.Item>}
              {card && <Menu.Item onClick={() => void cards.copy(card.id).then((copy) => { toast(say('Copied.')); go(paths.card(copy)); }, toast_failure)}>{say('Duplicate')}</Menu.Item>}
              {can_save_over && <Menu.Item onClick={() => setDialog('move')}>{say('Move…')}</Menu.Item>}
              {card && <Menu.Item onClick={() => setPanel('history')}>{say('About and history')}</Menu.Item>}
              {can_save_over && <><Menu.Divider /><Menu.Item data-danger onClick={() => void archive().catch(toast_failure)}>{say('Move to the trash')}</Menu.Item></>}
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      {(filter_words || started) && query && (
        <div className={styles.filter_row}>
          {(filter_words || !narrow) && <FilterChips query={query} catalog={catalog} onChange={change} />}
          {started && <span className={styles.started}>{say('Started from')} <Link href={paths.card(card)}>{card.name}</Link></span>}
        </div>
      )}
      {native && Object.keys(tags).length > 0 && <div className={styles.line}><VariableBar tags={tags} values={values} onChange={setValues} /></div>}
      <div className={styles.body}>
        {(panel === 'types' || panel === 'settings') && result && (
          <VizDrawer mode={panel} display={shown.display} settings={shown.visualization_settings} columns={cols} rows={rows} onDisplay={setDisplay} onSettings={setSettings} onMode={setPanel} onClose={() => setPanel(null)} />
        )}
        <div className={styles.middle}>
          {head && in_view.display !== 'table' && !run.failure && (
            <div className={styles.headline}>
              {head.numbers.map((number, at) => (
                <div key={number.title} data-quiet={number.quiet || undefined}>
                  <span>{at === 0 ? `${number.title}, ${head.period}` : number.title}</span>
                  <b>{number.text}</b>
                </div>
              ))}
              {head.change && <Tag tone={head.change.tone === 'good' ? 'green' : head.change.tone === 'bad' ? 'red' : 'plain'}>{head.change.text}</Tag>}
            </div>
          )}
          <div className={styles.result} data-table={in_view.display === 'table' || undefined}>
            <ResultPane
              run={run} card={{ ...in_view, name }} database_name={database?.name} usual_ms={card?.average_query_time ?? result?.average_execution_time}
              onPoint={may_ask ? setPoint : undefined} onRange={source_query && may_ask ? narrowTo : undefined} onSettings={setSettings} sorted={sorted}
              onClearFilters={query && filter_words ? () => change(clearFilters(query)) : undefined} onDownload={() => download_button.current?.click()}
            />
          </div>
          <ResultFooter
            result={result} display={shown.display} view={view} onView={setView} onTypes={() => toggle('types')} types_open={panel === 'types'} onSettings={() => toggle('settings')} settings_open={panel === 'settings'}
            onDownload={(format) => void download(format)} formats={['csv', 'json']} download_ref={download_button} onRefresh={() => run.run()}
            narrow_tools={narrow && can_edit_query ? (
              <>
                {filter_popover(<IconButton size="large" label={say('Filter')} icon={<IconFilter size={20} stroke={1.6} aria-hidden />} onClick={() => setFiltering(filtering === false)} />)}
                <IconButton size="large" label={say('Summarize')} icon={<IconSum size={20} stroke={1.8} aria-hidden />} onClick={() => toggle('summarize')} />
              </>
            ) : null}
          />
        </div>
        {panel === 'summarize' && query && <SummarizeDrawer query={query} catalog={catalog} onChange={change} onClose={() => setPanel(null)} />}
        {panel === 'history' && card && <HistoryDrawer card={card} onClose={() => setPanel(null)} onReverted={() => { void client.invalidateQueries({ queryKey: ['cards', card.id] }); go(paths.card(card)); }} />}
      </div>
      {point && <DrillMenu point={point} settings={in_view.visualization_settings} actions={actions} onPick={pick} onFilter={point.kind === 'header' && source_query && may_ask && !isSummarized(source_query.stages[lastStage(source_query)]!) ? filterByColumn : undefined} onClose={() => setPoint(null)} />}
      <Dialog
        opened={dialog === 'save_choice'} onClose={() => setDialog(null)} title={say('Save your changes')}
        actions={<><Button onClick={() => setDialog('copy')}>{say('Save as a new question')}</Button><Button kind="primary" onClick={() => { setDialog(null); void saveOver().catch(toast_failure); }}>{say('Save question')}</Button></>}
      >
        <p style={{ margin: 0 }}>{say('“{{name}}” will show this for everybody who opens it. The state before stays in its history.', { name: card?.name ?? '' })}</p>
      </Dialog>
      <SaveDialog
        opened={dialog === 'save' || dialog === 'copy'} onClose={() => setDialog(null)} kind="question"
        initial={{ name: card ? say('{{name}}, changed', { name: card.name }) : name, collection_id: card?.collection_id ?? null, description: card?.description ?? null }}
        onSave={async (next) => {
          const made = await cards.create({ ...next, ...values_of_card(), ...(draft.parameters ? { parameters: draft.parameters } : {}) });
          leaving.current = true;
          toast(say('Question saved.'));
          go(paths.card(made));
        }}
      />
      {card && dialog === 'dashboard' && <AddToDashboard card={card} opened onClose={() => setDialog(null)} go={go} />}
      {card && dialog === 'move' && <MoveCard card={card} opened onClose={() => setDialog(null)} />}
      <UnsavedGuard dirty={Boolean(started && can_save_over)} allow={(next) => leaving.current || next.startsWith('/question')} onSave={can_save_over ? saveOver : undefined} />
    </div>
  );
}
