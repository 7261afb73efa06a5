import { placeholder } from '@codemirror/view';
import type { EditorView } from '@codemirror/view';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useParams } from '@tanstack/react-router';
import { IconAlertTriangle, IconBook2, IconChevronDown, IconDatabase, IconDeviceFloppy, IconPlayerPlayFilled, IconPlayerStopFilled, IconVariable } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { cards, dataset, useCard } from '../../api/cards';
import { save_file } from '../../api/client';
import { databases, useDatabaseMetadata, useDatabases } from '../../api/databases';
import type { Card, Dataset } from '../../api/types';
import { useFoldedSide, usePageTitle } from '../../lib/frame';
import { useNarrow } from '../../lib/narrow';
import { useGo } from '../../lib/navigate';
import { id_of_slug, paths } from '../../lib/paths';
import { useShortcuts } from '../../lib/shortcuts';
import { say } from '../../query/words';
import { date_locale } from '../../lib/i18n';
import { cardQuery, writeQuery } from '../../query/read';
import { ResultFooter, type DownloadFormat } from '../../result/ResultFooter';
import { ResultPane } from '../../result/ResultPane';
import { missingValues, parametersOf, syncTags, valuesToSend, type TagValues } from '../../result/tags';
import { useRun } from '../../result/use_run';
import { VariableBar } from '../../result/Variables';
import { VizDrawer } from '../../result/VizDrawer';
import { failureTitle } from '../../result/words';
import { Button, IconButton } from '../../ui/Button';
import { Key, Tag } from '../../ui/Chip';
import { Select } from '../../ui/fields';
import { Hexagon } from '../../ui/Hexagon';
import { SaveDialog } from '../../ui/SaveDialog';
import { EmptyState, ErrorCard, ListSkeleton } from '../../ui/States';
import { toast, toast_failure } from '../../ui/toast';
import { UnsavedGuard } from '../../ui/UnsavedGuard';
import { blank, queryOf, rememberDraft, rememberedDraft, sameDraft, startDraft, type SqlDraft } from './draft';
import { createEditor, set_error, setLanguage } from './editor';
import { errorPlace } from './error_place';
import { completionSchema, knownNames, schemaGroups } from './schema';
import { SchemaDrawer } from './SchemaDrawer';
import styles from './sql.module.css';
import { statementAt } from './statements';
import { VariablesDrawer } from './VariablesDrawer';

/** The SQL editor: on a new question, one in the address, or a saved one. */
export function SqlPage() {
  const params = useParams({ strict: false }) as { idSlug?: string };
  const location = useLocation();
  const id = id_of_slug(params.idSlug);
  const saved = useCard(id);
  const [start_hash] = useState(location.hash);
  if (id !== undefined && saved.isPending) return <div className={styles.page} style={{ padding: 24 }}><ListSkeleton rows={8} height={30} /></div>;
  if (id !== undefined && saved.error) return <div className={styles.page} style={{ padding: 24 }}><ErrorCard title={say('This question cannot be opened.')} detail={saved.error.message} onRetry={() => void saved.refetch()} /></div>;
  const card = saved.data ?? null;
  const start = startDraft(start_hash, card);
  if (!start) return <div className={styles.page}><EmptyState title={say('This question was built in the builder')}>{say('Open it there, and turn it into SQL from its SQL drawer.')}</EmptyState></div>;
  return <OpenSql key={String(id ?? 'new')} start={start} card={card} from_address={start_hash !== ''} />;
}

const last_database = 'basalt.sql.database';

function OpenSql({ start, card, from_address }: { start: SqlDraft; card: Card | null; from_address: boolean }) {
  const go = useGo();
  const client = useQueryClient();
  const narrow = useNarrow();
  useFoldedSide();
  const list = useDatabases();
  const writable = useMemo(() => (list.data ?? []).filter((one) => one.native_permissions !== 'none' && !one.is_saved_questions), [list.data]);

  // What was typed before a crash comes back, unless the address says something else.
  const [draft, setDraft] = useState<SqlDraft>(() => (from_address ? start : (rememberedDraft(card?.id) ?? start)));
  const base = card ? start : blank;
  const dirty = card ? !sameDraft(draft, base) : draft.sql.trim() !== '';
  const [values, setValues] = useState<TagValues>({});
  const [schema_open, setSchemaOpen] = useState(!narrow);
  const [variables_open, setVariablesOpen] = useState(() => !narrow && Object.keys(start.tags).length > 0);
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const [viz, setViz] = useState<'types' | 'settings' | null>(null);
  const [saving, setSaving] = useState(false);
  const [detail, setDetail] = useState(false);
  const [height, setHeight] = useState(() => Math.round(Math.max(160, Math.min(440, (typeof window === 'undefined' ? 800 : window.innerHeight) * 0.42))));
  const leaving = useRef(false);
  const middle = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const download_button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (draft.database !== null || writable.length === 0) return;
    const last = Number(localStorage.getItem(last_database));
    setDraft((before) => ({ ...before, database: writable.find((one) => one.id === last)?.id ?? writable[0]!.id }));
  }, [draft.database, writable]);
  useEffect(() => {
    const timer = setTimeout(() => rememberDraft(card?.id, dirty ? draft : null), 400);
    return () => clearTimeout(timer);
  }, [card?.id, draft, dirty]);

  const database = writable.find((one) => one.id === draft.database) ?? list.data?.find((one) => one.id === draft.database);
  const engine = database?.engine ?? '';
  const metadata = useDatabaseMetadata(draft.database);
  const known = useMemo(() => knownNames(metadata.data), [metadata.data]);
  const name = card?.name ?? say('New SQL question');
  usePageTitle(name);

  /* ---- running ---- */
  const ran = useRef<{ sql: string; offset: number }>({ sql: '', offset: 0 });
  const latest = useRef({ draft, values });
  latest.current = { draft, values };
  const [run_key] = useState(() => `sql/${card?.id ?? 'new'}/${Math.random()}`);
  const run = useRun(draft.database === null ? null : run_key, (signal) => {
    const query = queryOf(latest.current.draft, ran.current.sql);
    const tags = query.native?.['template-tags'] ?? {};
    return dataset.run({ ...query, parameters: valuesToSend(tags, latest.current.values) }, { signal }) as Promise<Dataset>;
  }, { manual: true });
  const [missing, setMissing] = useState<string[]>([]);

  const start_run = useCallback((part: 'all' | 'statement') => {
    const view_now = editor.current;
    const { draft: now, values: given } = latest.current;
    if (!view_now || now.database === null) return;
    const selection = view_now.state.selection.main;
    const statement = part === 'statement' ? statementAt(now.sql, selection.head) : null;
    const [from, to] = statement ? [statement.from, statement.to] : !selection.empty ? [selection.from, selection.to] : [0, now.sql.length];
    const text = now.sql.slice(from, to);
    if (text.trim() === '') return;
    const without = missingValues(text, queryOf(now, text).native?.['template-tags'] ?? {}, given);
    setMissing(without.map((tag) => tag['display-name']));
    if (without.length > 0) return;
    ran.current = { sql: text, offset: from };
    view_now.dispatch({ effects: set_error.of(null) });
    setDetail(false);
    run.run();
  }, [run]);
  const actions = useRef({ start_run, save: () => {} });

  /* ---- the editor ---- */
  useEffect(() => {
    if (!host.current) return;
    const view_now = createEditor(host.current, {
      doc: latest.current.draft.sql, label: say('SQL'), placeholder: placeholder(say('SELECT … FROM …')),
      onChange: (text) => setDraft((before) => ({ ...before, sql: text, tags: syncTags(text, before.tags) })),
      onRun: () => actions.current.start_run('all'), onRunStatement: () => actions.current.start_run('statement'), onSave: () => actions.current.save(),
    });
    editor.current = view_now;
    if (!narrow) view_now.focus();
    return () => view_now.destroy();
    // The editor lives as long as the page; what it calls is read through refs.
  }, []);
  useEffect(() => {
    if (!editor.current) return;
    const { schema, usual } = completionSchema(schemaGroups(metadata.data?.tables));
    setLanguage(editor.current, {
      engine, schema, usual, variables: () => Object.keys(latest.current.draft.tags),
      ask: (prefix, signal) => (draft.database === null ? Promise.resolve([]) : databases.autocomplete(draft.database, prefix, { signal })),
    });
  }, [engine, metadata.data, draft.database]);
  const has_tags = Object.keys(draft.tags).length > 0;
  const had_tags = useRef(has_tags);
  useEffect(() => {
    if (has_tags && !had_tags.current && !narrow) setVariablesOpen(true);
    had_tags.current = has_tags;
  }, [has_tags, narrow]);

  const place = useMemo(() => (run.failure ? errorPlace(run.failure.message, ran.current.sql, ran.current.offset, run.failure.data, known) : null), [run.failure, known]);
  useEffect(() => {
    const view_now = editor.current;
    if (!view_now) return;
    if (!place || place.from === null || place.to === null) {
      view_now.dispatch({ effects: set_error.of(null) });
      return;
    }
    view_now.dispatch({ effects: set_error.of({ from: place.from, to: place.to, message: place.message, fix: place.fix, fix_label: place.fix ? say('Use {{name}}', { name: place.fix }) : '' }) });
  }, [place]);
  const line = place?.from != null && editor.current ? editor.current.state.doc.lineAt(Math.min(place.from, editor.current.state.doc.length)).number : null;

  function insert(text: string) {
    const view_now = editor.current;
    if (!view_now) return;
    const { from, to } = view_now.state.selection.main;
    view_now.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length } });
    view_now.focus();
  }

  /* ---- saving ---- */
  const { result } = run;
  const card_values = () => ({ dataset_query: queryOf(draft), display: draft.display, visualization_settings: draft.visualization_settings, parameters: parametersOf(draft.tags), ...(result && ran.current.sql === draft.sql && result.data.results_metadata ? { result_metadata: result.data.results_metadata.columns } : {}) });
  async function saveOver() {
    if (!card) return;
    const done = await cards.update(card.id, card_values());
    client.setQueryData(['cards', card.id], { ...card, ...done });
    rememberDraft(card.id, null);
    toast(say('Question saved.'));
  }
  function save() {
    if (draft.sql.trim() === '' || draft.database === null) return;
    if (card && card.can_write !== false) {
      if (dirty) void saveOver().catch(toast_failure);
    } else setSaving(true);
  }
  actions.current = { start_run, save };
  async function download(format: DownloadFormat) {
    try {
      const query = queryOf(draft, ran.current.sql || draft.sql);
      save_file(await dataset.export({ ...query, parameters: valuesToSend(query.native?.['template-tags'] ?? {}, values) }, format, { format_rows: true, visualization_settings: draft.visualization_settings }));
    } catch (error) {
      toast_failure(error);
    }
  }

  const group = say('SQL editor');
  useShortcuts([
    { keys: 'mod+enter', label: say('Run (the selection, if there is one)'), group, run: () => start_run('all'), in_fields: true },
    { keys: 'mod+shift+enter', label: say('Run the statement at the cursor'), group, run: () => start_run('statement'), in_fields: true },
    { keys: 'mod+s', label: say('Save question'), group, run: save, in_fields: true },
  ]);

  function startDrag(event: React.PointerEvent<HTMLButtonElement>) {
    const grip = event.currentTarget;
    const from = event.clientY;
    const before = height;
    const room = middle.current?.clientHeight ?? 800;
    grip.setPointerCapture(event.pointerId);
    const follow = (next: PointerEvent) => setHeight(Math.max(80, Math.min(room - 140, before + next.clientY - from)));
    const stop = () => {
      grip.removeEventListener('pointermove', follow);
      grip.removeEventListener('pointerup', stop);
    };
    grip.addEventListener('pointermove', follow);
    grip.addEventListener('pointerup', stop);
  }

  const clock = run.result_at ? new Date(run.result_at).toLocaleTimeString(date_locale(), { hour: '2-digit', minute: '2-digit' }) : '';
  const shown = view === 'table' ? { ...draft, display: 'table' } : draft;
  return (
    <div className={styles.page}>
      <div className={styles.title}>
        <h1 title={name}>{name}</h1>
        {dirty && <span title={say('Not saved')} style={{ display: 'inline-flex', flex: 'none' }}><Hexagon size={10} tone="ember" /><span className="visually-hidden">{say('Not saved')}</span></span>}
        {card && <span className={`${styles.where} ${styles.wide}`}>{say('in {{name}}', { name: card.collection_id === null ? say('Our analytics') : (card.collection?.name ?? say('its collection')) })}</span>}
        <span className={styles.grow} />
        <Select
          aria-label={say('Database')} allowDeselect={false} value={draft.database === null ? null : String(draft.database)} data={writable.map((one) => ({ value: String(one.id), label: one.name }))} w={narrow ? 140 : 190} leftSection={<IconDatabase size={16} stroke={1.6} aria-hidden />}
          onChange={(id) => { if (id) { localStorage.setItem(last_database, id); setDraft({ ...draft, database: Number(id) }); } }}
        />
        <span className={`${styles.rule} ${styles.wide}`} />
        <IconButton label={say('Tables and columns')} active={schema_open} icon={<IconBook2 size={20} stroke={1.6} aria-hidden />} onClick={() => setSchemaOpen(!schema_open)} />
        <IconButton label={say('Variables')} active={variables_open} icon={<IconVariable size={20} stroke={1.6} aria-hidden />} onClick={() => setVariablesOpen(!variables_open)} />
        <span className={`${styles.rule} ${styles.wide}`} />
        {card && !dirty && card.database_id != null && !narrow && (
          <Button kind="quiet" onClick={() => go(paths.adhoc({ dataset_query: writeQuery(cardQuery(card.database_id!, card.id)), visualization_settings: {} }))}>{say('Explore results')}</Button>
        )}
        {narrow ? <IconButton label={say('Save')} icon={<IconDeviceFloppy size={20} stroke={1.6} aria-hidden />} onClick={save} disabled={draft.sql.trim() === '' || (card !== null && !dirty)} />
          : <Button onClick={save} disabled={draft.sql.trim() === '' || (card !== null && !dirty)}>{say('Save')}</Button>}
        {run.running ? <Button kind="primary" icon={<IconPlayerStopFilled size={14} aria-hidden />} onClick={run.cancel}>{say('Cancel')}</Button>
          : <Button kind="primary" icon={<IconPlayerPlayFilled size={14} aria-hidden />} onClick={() => start_run('all')} disabled={draft.database === null || draft.sql.trim() === ''}>{say('Run')}{!narrow && <span style={{ marginInlineStart: 8, fontWeight: 400 }}>Ctrl ↵</span>}</Button>}
      </div>
      {has_tags && !variables_open && <VariableBar tags={draft.tags} values={values} onChange={setValues} />}
      {missing.length > 0 && <div className={styles.strip} role="alert"><Tag tone="amber" icon={<IconAlertTriangle size={14} aria-hidden />}>{say('A value is missing')}</Tag>{say('Give a value for {{names}} first.', { names: missing.join(', ') })}</div>}
      <div className={styles.body}>
        {schema_open && <SchemaDrawer tables={metadata.data?.tables} loading={metadata.isPending && draft.database !== null} engine={engine} onInsert={insert} />}
        {viz && result && (
          <VizDrawer mode={viz} display={draft.display} settings={draft.visualization_settings} columns={result.data.cols} rows={result.data.rows} onMode={setViz} onClose={() => setViz(null)} onDisplay={(display) => { setView('chart'); setDraft({ ...draft, display }); }} onSettings={(visualization_settings) => setDraft({ ...draft, visualization_settings })} />
        )}
        <div className={styles.middle} ref={middle}>
          <div className={styles.editor} style={{ height }} ref={host} />
          <button
            type="button" className={styles.grip} aria-label={say('Height of the editor: arrow keys change it')} onPointerDown={startDrag}
            onKeyDown={(event) => { if (event.key === 'ArrowUp' || event.key === 'ArrowDown') { event.preventDefault(); setHeight((before) => Math.max(80, Math.min((middle.current?.clientHeight ?? 800) - 140, before + (event.key === 'ArrowUp' ? -24 : 24)))); } }}
          />
          <div className={styles.result}>
            {run.failure && result && (
              <div className={styles.strip} role="alert">
                <Tag tone="red" icon={<IconAlertTriangle size={14} aria-hidden />}>{line !== null ? say('Stopped at line {{n}}', { n: line }) : failureTitle(run.failure)}</Tag>
                <span>{say('Below is the last result, from {{time}}.', { time: clock })}</span>
                <span className={styles.grow} />
                <button type="button" className={styles.plain} aria-expanded={detail} onClick={() => setDetail(!detail)}>{say('{{name}} says', { name: database?.name ?? say('The database') })}<IconChevronDown size={14} aria-hidden /></button>
              </div>
            )}
            {run.failure && result && (detail || line === null) && <pre className={styles.strip_detail} tabIndex={0}>{run.failure.message}</pre>}
            <ResultPane
              run={run} card={{ ...shown, name }} database_name={database?.name} show_types keep_on_failure onDownload={() => download_button.current?.click()}
              onSettings={(visualization_settings) => setDraft((before) => ({ ...before, visualization_settings }))}
              before={<div style={{ padding: 32, textAlign: 'center', color: 'var(--muted)', font: '400 13px/20px var(--font-ui)' }}>{draft.database === null && !list.isPending ? say('There is no database you may write SQL for.') : <>{say('The result appears here. Run with')} <Key>Ctrl</Key> <Key>↵</Key></>}</div>}
            />
            {result && (
              <ResultFooter
                result={result} display={draft.display} view={view} onView={setView} onTypes={() => setViz(viz === 'types' ? null : 'types')} types_open={viz === 'types'} onSettings={() => setViz(viz === 'settings' ? null : 'settings')} settings_open={viz === 'settings'}
                onDownload={(format) => void download(format)} formats={['csv', 'json']} download_ref={download_button} note={run.failure || ran.current.sql !== draft.sql ? say('last result, {{time}}', { time: clock }) : undefined}
              />
            )}
          </div>
        </div>
        {variables_open && <VariablesDrawer sql={draft.sql} tags={draft.tags} values={values} database={metadata.data} onTags={(tags) => setDraft({ ...draft, tags })} onValues={setValues} onClose={() => setVariablesOpen(false)} />}
      </div>
      <SaveDialog
        opened={saving} onClose={() => setSaving(false)} kind="question" initial={{ name: card ? say('{{name}}, changed', { name: card.name }) : '', collection_id: card?.collection_id ?? null }}
        onSave={async (next) => {
          const made = await cards.create({ ...next, ...card_values() });
          rememberDraft(card?.id, null);
          leaving.current = true;
          toast(say('Question saved.'));
          go(paths.card(made));
        }}
      />
      <UnsavedGuard dirty={dirty} allow={() => leaving.current} onSave={card && card.can_write !== false ? saveOver : undefined} />
    </div>
  );
}
