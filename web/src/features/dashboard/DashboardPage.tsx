import { IconBookmark, IconBookmarkFilled, IconCopy, IconDots, IconFolderSymlink, IconInfoCircle, IconMaximize, IconMinimize, IconPencil, IconRefresh, IconTrash } from '@tabler/icons-react';
import { Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { bookmarks, useBookmarks } from '@/api/collections';
import { dashboards, useDashboard } from '@/api/dashboards';
import { ApiError } from '@/api/client';
import type { Card, Dashboard } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { useNarrow } from '@/lib/narrow';
import { parse_search, useGo, write_search } from '@/lib/navigate';
import { id_of_slug, paths } from '@/lib/paths';
import { useShortcuts, type Shortcut } from '@/lib/shortcuts';
import { when } from '@/lib/time';
import { Button, IconButton } from '@/ui/Button';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { questionAddress } from '@/query/hash';
import { withParameterValues, type Parameter, type ParameterMapping } from '@/query/parameters';
import { readQuery, writeQuery } from '@/query/read';
import { say } from '@/query/words';
import { date_locale } from '@/lib/i18n';
import type { PointEvent } from '@/viz/Visualization';
import { DashCardView, readableCard, settingsOf } from './cards/DashCardView';
import { FilterChip } from './filters/FilterWidget';
import { cardsOn, virtualKind } from './model';
import { Tabs } from './Tabs';
import { resultKey } from './useCardResult';
import { anyValue, searchOf, valuesOf, type Search, type Values } from './values';
import styles from './dashboard.module.css';

const CollectionDialog = lazy(() => import('@/ui/CollectionPicker').then((module) => ({ default: module.CollectionDialog })));
const SaveDialog = lazy(() => import('@/ui/SaveDialog').then((module) => ({ default: module.SaveDialog })));
const DrillPop = lazy(() => import('./cards/DrillPop').then((module) => ({ default: module.DrillPop })));
const InfoDrawer = lazy(() => import('./InfoDrawer').then((module) => ({ default: module.InfoDrawer })));
const EditMode = lazy(() => import('./edit/EditMode').then((module) => ({ default: module.EditMode })));

/** A dashboard: looking at it, and (loaded when needed) changing it. */
export function DashboardPage() {
  const { idSlug } = useParams({ strict: false }) as { idSlug?: string };
  const id = id_of_slug(idSlug);
  const dashboard = useDashboard(id);
  usePageTitle(dashboard.data?.name);
  if (id === undefined) return <Missing />;
  if (dashboard.isPending) return <div className={styles.page}><div className={styles.body}><ListSkeleton rows={8} height={48} /></div></div>;
  if (dashboard.error) {
    const { error } = dashboard;
    if (error instanceof ApiError && error.status === 404) return <Missing />;
    if (error instanceof ApiError && error.status === 403) return <div className={styles.page}><EmptyState title={say('You may not see this dashboard')}>{say('Ask the person who sent you here, or an administrator, for access to its collection.')}</EmptyState></div>;
    return <div className={styles.page} style={{ padding: 24 }}><ErrorCard title={say('This dashboard cannot be opened.')} detail={error.message} onRetry={() => void dashboard.refetch()} /></div>;
  }
  return <OpenDashboard key={id} dashboard={dashboard.data} />;
}
function Missing() {
  const go = useGo();
  return <div className={styles.page}><EmptyState title={say('This dashboard is not here')} actions={<Button kind="primary" onClick={() => go(paths.home())}>{say('Go home')}</Button>}>{say('It may have been deleted for good, or the address has a mistake.')}</EmptyState></div>;
}

const REFRESH_MINUTES = [1, 5, 10, 15, 30, 60];

function OpenDashboard({ dashboard }: { dashboard: Dashboard }) {
  const go = useGo();
  const client = useQueryClient();
  const narrow = useNarrow();
  const location = useLocation();
  const search = useMemo(() => parse_search(location.searchStr ?? ''), [location.searchStr]) as Search;
  const parameters = useMemo(() => (dashboard.parameters ?? []) as Parameter[], [dashboard.parameters]);
  const values = useMemo(() => valuesOf(parameters, search), [parameters, search]);
  const [pending, set_pending] = useState<Values | null>(null);
  const [editing, set_editing] = useState(location.hash === 'edit' || location.hash === '#edit');
  const [info, set_info] = useState(false);
  const [full, set_full] = useState(false);
  const [every, set_every] = useState<number | null>(() => Number(/refresh=(\d+)/.exec(location.hash)?.[1] ?? 0) / 60 || null);
  const [moving, set_moving] = useState(false);
  const [copying, set_copying] = useState(false);
  const [drill, set_drill] = useState<{ point: PointEvent; card: Card } | null>(null);
  const [as_of, set_as_of] = useState<number>(() => Date.now());
  const tab_asked = Number(Array.isArray(search['tab']) ? search['tab'][0] : search['tab']?.split('-')[0]);
  const tabs = dashboard.tabs ?? [];
  const tab = tabs.find((item) => item.id === tab_asked)?.id ?? tabs[0]?.id ?? null;
  const can_write = dashboard.can_write !== false && !dashboard.archived;
  const marked = useBookmarks().data?.some((item) => item.type === 'dashboard' && item.item_id === dashboard.id) ?? false;
  const address = useCallback((next: Search) => `${location.pathname}${write_search(next)}`, [location.pathname]);

  const set_values = useCallback((next: Values) => {
    if (dashboard.auto_apply_filters === false) return set_pending(next);
    go(address(searchOf(parameters, next, search)), { replace: true });
  }, [dashboard.auto_apply_filters, go, address, parameters, search]);
  const shown = pending ?? values;
  const apply = () => {
    if (pending) go(address(searchOf(parameters, pending, search)), { replace: true });
    set_pending(null);
  };
  const clear = useCallback(() => set_values(Object.fromEntries(parameters.map((parameter) => [parameter.id, parameter.required ? parameter.default : null]))), [parameters, set_values]);
  const pick_tab = (id: number) => go(address({ ...search, tab: String(id) }), { replace: true });
  const refresh = useCallback(() => {
    set_as_of(Date.now());
    void client.invalidateQueries({ queryKey: resultKey(dashboard.id) });
  }, [client, dashboard.id]);
  useEffect(() => {
    if (every === null || editing) return;
    const timer = setInterval(refresh, every * 60_000);
    return () => clearInterval(timer);
  }, [every, refresh, editing]);
  // Leaving the page ends what still runs: the server stops a query whose connection closes.
  useEffect(() => () => void client.cancelQueries({ queryKey: resultKey(dashboard.id) }), [client, dashboard.id]);
  useEffect(() => {
    const changed = () => set_full(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', changed);
    return () => document.removeEventListener('fullscreenchange', changed);
  }, []);
  const toggle_full = () => {
    if (full) {
      set_full(false);
      if (document.fullscreenElement) void document.exitFullscreen();
    } else {
      set_full(true);
      void document.documentElement.requestFullscreen?.().catch(() => undefined);
    }
  };
  const bookmark = () => void (marked ? bookmarks.remove('dashboard', dashboard.id) : bookmarks.add('dashboard', dashboard.id)).catch(toast_failure);
  const archive = () =>
    void dashboards.update(dashboard.id, { archived: true }).then(() => {
      toast(say('“{{name}}” is in the trash.', { name: dashboard.name }), { undo: async () => void (await dashboards.update(dashboard.id, { archived: false })) });
      go(paths.collection({ id: dashboard.collection_id, name: dashboard.collection?.name }));
    }).catch(toast_failure);

  /** The question a title leads to, with the values of the filters built in. */
  const href = useCallback((dashcard: Dashboard['dashcards'][number]) => (card: Card): string => {
    const query = readQuery(card.dataset_query as Record<string, unknown>);
    if (!query || !dashcard.parameter_mappings.some((mapping) => values[mapping.parameter_id] != null)) return paths.card(card);
    const filtered = withParameterValues(query, dashcard.parameter_mappings as ParameterMapping[], parameters, values);
    return questionAddress({ dataset_query: writeQuery(filtered), display: card.display, visualization_settings: settingsOf(dashcard), name: card.name, original_card_id: card.id });
  }, [parameters, values]);

  const group = say('Dashboard');
  const keys: Shortcut[] = editing ? [] : [
    ...(can_write ? [{ keys: 'e', label: say('Edit this dashboard'), group, run: () => set_editing(true) }] : []),
    { keys: 'o', label: marked ? say('Remove the bookmark') : say('Bookmark this dashboard'), group, run: bookmark },
    { keys: ']', label: say('About this dashboard'), group, run: () => set_info((now) => !now) },
    { keys: 'r', label: say('Run all cards again'), group, run: refresh },
    ...tabs.slice(0, 9).map((item, index) => ({ keys: String(index + 1), label: say('Tab “{{name}}”', { name: item.name }), group, run: () => pick_tab(item.id) })),
    { keys: 'mod+backspace', label: say('Move to the trash'), group, run: () => can_write && archive(), hidden: true },
  ];
  useShortcuts(keys);
  useEffect(() => {
    if (!full) return;
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && set_full(false);
    window.addEventListener('keydown', escape);
    return () => window.removeEventListener('keydown', escape);
  }, [full]);

  if (editing) {
    return (
      <Suspense fallback={<div className={styles.page}><ListSkeleton rows={8} height={48} /></div>}>
        <EditMode dashboard={dashboard} values={values} start_tab={tab} onDone={(next_tab) => { set_editing(false); go(address({ ...search, tab: next_tab !== null && next_tab > 0 ? String(next_tab) : undefined }), { replace: true }); }} />
      </Suspense>
    );
  }
  const look = { size: 20, stroke: 1.6, 'aria-hidden': true } as const;
  const edited = dashboard['last-edit-info'];
  const cards = cardsOn(dashboard.dashcards ?? [], tab);
  const wired = parameters.filter((parameter) => tab === null || cards.some((card) => card.parameter_mappings.some((mapping) => mapping.parameter_id === parameter.id)) || !dashboard.dashcards.some((card) => card.parameter_mappings.some((mapping) => mapping.parameter_id === parameter.id)));
  const page = (
    <div className={`${styles.page} ${full ? styles.full : ''}`}>
      <div className={styles.title}>
        <div className={styles.names}>
          <h1>{dashboard.name}</h1>
          {edited?.timestamp && <span className={styles.edited}>{edited.first_name ? say('Edited by {{name}}, {{when}}', { name: edited.first_name, when: lower(when(edited.timestamp)) }) : say('Edited {{when}}', { when: lower(when(edited.timestamp)) })}</span>}
        </div>
        <div className={styles.tools}>
          {can_write && !narrow && <IconButton label={say('Edit this dashboard')} icon={<IconPencil {...look} />} onClick={() => set_editing(true)} />}
          {!narrow && <IconButton label={marked ? say('Remove the bookmark') : say('Bookmark this dashboard')} icon={marked ? <IconBookmarkFilled {...look} /> : <IconBookmark {...look} />} onClick={bookmark} aria-pressed={marked} />}
          <Menu withinPortal={!full}>
            <Menu.Target><IconButton kind={narrow ? 'default' : 'quiet'} label={every ? say('Runs again every {{n}} min', { n: every }) : say('Run again')} icon={<IconRefresh {...look} />} active={every !== null || undefined} /></Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={refresh}>{say('Run all cards again')}</Menu.Item>
              <Menu.Divider />
              <Menu.Label>{say('By itself')}</Menu.Label>
              <Menu.Item onClick={() => set_every(null)} data-active={every === null || undefined} aria-current={every === null || undefined}>{say('Never')}</Menu.Item>
              {REFRESH_MINUTES.map((minutes) => <Menu.Item key={minutes} onClick={() => set_every(minutes)} aria-current={every === minutes || undefined} rightSection={every === minutes ? '✓' : undefined}>{minutes === 60 ? say('Every hour') : minutes === 1 ? say('Every minute') : say('Every {{n}} minutes', { n: minutes })}</Menu.Item>)}
            </Menu.Dropdown>
          </Menu>
          {!narrow && <IconButton label={full ? say('Leave full screen') : say('Full screen')} icon={full ? <IconMinimize {...look} /> : <IconMaximize {...look} />} onClick={toggle_full} />}
          {!narrow && <IconButton label={say('About this dashboard')} icon={<IconInfoCircle {...look} />} onClick={() => set_info(!info)} active={info || undefined} />}
          <Menu withinPortal={!full}>
            <Menu.Target><IconButton kind={narrow ? 'default' : 'quiet'} label={say('More')} icon={<IconDots {...look} />} /></Menu.Target>
            <Menu.Dropdown>
              {narrow && can_write && <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => set_editing(true)}>{say('Edit this dashboard')}</Menu.Item>}
              {narrow && <Menu.Item leftSection={<IconBookmark size={16} aria-hidden />} onClick={bookmark}>{marked ? say('Remove the bookmark') : say('Bookmark')}</Menu.Item>}
              {narrow && <Menu.Item leftSection={<IconInfoCircle size={16} aria-hidden />} onClick={() => set_info(true)}>{say('About this dashboard')}</Menu.Item>}
              <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => set_copying(true)}>{say('Duplicate…')}</Menu.Item>
              {can_write && <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => set_moving(true)}>{say('Move…')}</Menu.Item>}
              {can_write && <Menu.Divider />}
              {can_write && <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} color="var(--red-text)" onClick={archive}>{say('Move to the trash')}</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
        </div>
      </div>
      {tabs.length > 1 && <Tabs tabs={tabs} active={tab} onPick={pick_tab} />}
      {wired.length > 0 && (
        <div className={styles.filters} role="group" aria-label={say('Filters')}>
          {wired.map((parameter) => <FilterChip key={parameter.id} dashboard={dashboard.id} parameter={parameter} value={shown[parameter.id]} values={shown} onChange={(value) => set_values({ ...shown, [parameter.id]: value })} />)}
          {pending && <Button kind="violet" onClick={apply}>{say('Apply filters')}</Button>}
          <span className={styles.as_of}>{say('as of {{time}}', { time: new Intl.DateTimeFormat(date_locale(), { hour: '2-digit', minute: '2-digit' }).format(as_of) })}</span>
          {anyValue(shown) && <button type="button" className={styles.link} onClick={clear}>{say('Clear filters')}</button>}
        </div>
      )}
      {cards.length === 0 ? (
        <EmptyState
          title={tabs.length > 1 ? say('Nothing on this tab yet') : say('Nothing on “{{name}}” yet', { name: dashboard.name })}
          actions={can_write ? <Button kind="primary" size="large" icon={<IconPencil size={18} aria-hidden />} onClick={() => set_editing(true)}>{say('Add a card')}</Button> : undefined}
        >
          {can_write ? say('Put saved questions side by side, with texts between them and filters for all.') : say('Its owner has not put any cards here.')}
        </EmptyState>
      ) : (
        <div className={styles.body} data-fixed={dashboard.width !== 'full' || undefined}>
          <div className={styles.grid}>
            {cards.map((card) => {
              const number = ['scalar', 'smartscalar'].includes(readableCard(card)?.display ?? '');
              const height = number ? 136 : virtualKind(card) ? undefined : Math.min(560, Math.max(216, card.size_y * 40));
              return (
                <div key={card.id} className={styles.cell} data-half={number || undefined} style={narrow ? { height } : { gridColumn: `${card.col + 1} / span ${card.size_x}`, gridRow: `${card.row + 1} / span ${card.size_y}` }}>
                  <DashCardView dashboard={dashboard.id} dashcard={card} parameters={parameters} values={values} href={href(card)} onPoint={(point, question) => set_drill({ point, card: question })} onClear={clear} />
                </div>
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
  return (
    <>
      {info && !narrow ? <div style={{ display: 'flex', alignItems: 'flex-start', minHeight: '100%' }}><div style={{ flex: 1, minWidth: 0 }}>{page}</div><Suspense><InfoDrawer dashboard={dashboard} onClose={() => set_info(false)} /></Suspense></div> : page}
      {info && narrow && <Suspense><InfoDrawer dashboard={dashboard} onClose={() => set_info(false)} /></Suspense>}
      {drill && <Suspense><DrillPop point={drill.point} card={drill.card} onClose={() => set_drill(null)} /></Suspense>}
      {moving && <Suspense><CollectionDialog opened={moving} onClose={() => set_moving(false)} title={say('Move “{{name}}”', { name: dashboard.name })} initial={dashboard.collection_id} onChoose={async (collection_id, name) => { const before = dashboard.collection_id; await dashboards.update(dashboard.id, { collection_id }); toast(say('Moved to {{name}}.', { name }), { undo: async () => void (await dashboards.update(dashboard.id, { collection_id: before })) }); }} /></Suspense>}
      {copying && <Suspense><SaveDialog opened={copying} onClose={() => set_copying(false)} kind="dashboard" title={say('Duplicate “{{name}}”', { name: dashboard.name })} confirm={say('Duplicate')} initial={{ name: say('{{name}} (copy)', { name: dashboard.name }), description: dashboard.description, collection_id: dashboard.collection_id }} onSave={async (input) => { const made = await dashboards.copy(dashboard.id, { name: input.name, collection_id: input.collection_id }); go(paths.dashboard(made)); }} /></Suspense>}
    </>
  );
}
/** Only words such as "Yesterday" lose their capital inside a sentence; names of days keep it. */
const lower = (text: string): string => (/^(today|yesterday|gestern|heute)/i.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);
