import { IconArrowsMaximize, IconDots, IconDownload, IconFilterOff, IconGripVertical, IconLock, IconRefresh, IconSearch, IconZoomIn } from '@tabler/icons-react';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { Menu } from '@mantine/core';
import { dashboards } from '@/api/dashboards';
import { ApiError, save_file } from '@/api/client';
import type { Card, DashCard } from '@/api/types';
import { useGo } from '@/lib/navigate';
import { duration } from '@/lib/time';
import { Button, IconButton, Link } from '@/ui/Button';
import { ChartSkeleton, EmptyState, ErrorCard } from '@/ui/States';
import { toast_failure } from '@/ui/toast';
import { Visualization, type PointEvent } from '@/viz/Visualization';
import type { Parameter } from '@/query/parameters';
import { say } from '@/query/words';
import { virtualKind } from '../model';
import { useCardResult, type CardResult } from '../useCardResult';
import { parametersFor, type Values } from '../values';
import { VirtualCard } from './TextCard';
import styles from '../dashboard.module.css';

const Large = lazy(() => import('./Large').then((module) => ({ default: module.Large })));

export interface DashCardProps {
  dashboard: number;
  dashcard: DashCard;
  parameters: Parameter[];
  values: Values;
  /** Where the title leads; null while editing. */
  href: ((card: Card) => string) | null;
  editing?: boolean;
  /** Not saved at this place yet. */
  detached?: boolean;
  onPoint?: (point: PointEvent, card: Card) => void;
  onClear?: () => void;
}
const isNumberCard = (card: Card): boolean => card.display === 'scalar' || card.display === 'smartscalar';
export const readableCard = (dashcard: DashCard): Card | null => (dashcard.card && 'name' in dashcard.card ? dashcard.card : null);
export const settingsOf = (dashcard: DashCard): Record<string, unknown> => ({ ...(readableCard(dashcard)?.visualization_settings ?? {}), ...dashcard.visualization_settings });
export const titleOf = (dashcard: DashCard): string => {
  const own = dashcard.visualization_settings['card.title'];
  return typeof own === 'string' && own !== '' ? own : (readableCard(dashcard)?.name ?? '');
};

/** One card: its head, and its picture or its state at card size. */
export function DashCardView(props: DashCardProps) {
  const { dashcard, parameters, values } = props;
  if (virtualKind(dashcard)) {
    return (
      <div className={styles.card} data-bare data-virtual>
        <VirtualCard card={dashcard} parameters={parameters} values={values} />
      </div>
    );
  }
  const card = readableCard(dashcard);
  if (!card) {
    return (
      <section className={styles.card} aria-label={say('A card you may not see')}>
        <div className={`${styles.state} ${styles.middle}`}><NoPermission small={dashcard.size_y < 5} /></div>
      </section>
    );
  }
  return <QuestionCard {...props} card={card} />;
}

function QuestionCard({ dashboard, dashcard, parameters, values, href, editing, detached, onPoint, onClear, card }: DashCardProps & { card: Card }) {
  const result = useCardResult(dashboard, dashcard, parameters, values, detached);
  const number = isNumberCard(card);
  const title = titleOf(dashcard);
  const failed = result.data?.status === 'failed' || result.error !== null;
  const rows = result.data?.data.rows.length ?? 0;
  return (
    <section className={styles.card} aria-label={title} aria-busy={result.loading || undefined} data-number={number || undefined} data-wrong={failed || undefined}>
      <div className={`${styles.head} card-drag`}>
        {editing && <IconGripVertical className={styles.grip} size={16} stroke={1.6} aria-hidden />}
        <h2 title={card.description ?? title}>{href ? <Link href={href(card)}>{title}</Link> : title}</h2>
        {card.display === 'table' && result.data?.status === 'completed' && rows > 0 && !result.stale && <span className={styles.count}>{rows === 1 ? say('1 row') : say('{{n}} rows', { n: rows.toLocaleString('en-US') })}</span>}
        <Waiting result={result} usual={usual(card)} number={number} />
        {!editing && href && !result.loading && <CardMenu dashboard={dashboard} dashcard={dashcard} card={card} result={result} parameters={parameters} values={values} href={href(card)} />}
      </div>
      <div className={styles.content} data-stale={(result.stale && result.loading) || undefined}>
        <Body result={result} dashcard={dashcard} card={card} title={title} editing={editing} onPoint={onPoint} onClear={onClear} href={href?.(card) ?? null} filtered={parametersFor(dashcard.parameter_mappings, parameters, values).some((item) => item.value !== null)} />
      </div>
    </section>
  );
}
const usual = (card: Card): number | null => card.average_query_time ?? (card as unknown as { query_average_duration?: number | null }).query_average_duration ?? null;

/** Says nothing at first, after 5 s how long it usually takes; Cancel stands there after half a second. */
function Waiting({ result, usual: time, number }: { result: CardResult; usual: number | null; number: boolean }) {
  const [seconds, set_seconds] = useState(0);
  useEffect(() => {
    if (!result.loading) return set_seconds(0);
    const timer = setInterval(() => set_seconds((before) => before + 0.5), 500);
    return () => clearInterval(timer);
  }, [result.loading]);
  if (!result.loading || seconds < 0.5) return null;
  return (
    <span className={styles.waiting}>
      {!number && seconds >= 5 && <span>{time ? say('usually {{time}}', { time: duration(time) }) : say('{{n}} s so far', { n: Math.floor(seconds) })}</span>}
      <Button size="small" onClick={result.cancel}>{say('Cancel')}</Button>
    </span>
  );
}

function Body({ result, dashcard, card, title, editing, onPoint, onClear, href, filtered }: { result: CardResult; dashcard: DashCard; card: Card; title: string; editing?: boolean; onPoint?: DashCardProps['onPoint']; onClear?: () => void; href: string | null; filtered: boolean }): ReactNode {
  const short = dashcard.size_y < 5;
  if (result.cancelled && !result.data) {
    return <Short words={say('Stopped before it was done.')} action={<Button size="small" icon={<IconRefresh size={14} aria-hidden />} onClick={result.again}>{say('Run again')}</Button>} />;
  }
  if (result.error) {
    if (result.error instanceof ApiError && result.error.status === 403) return <div className={`${styles.state} ${styles.middle}`}><NoPermission small={short} /></div>;
    return <Problem short={short} title={say('The server did not answer this question.')} detail={result.error.message} source={say('The server says')} result={result} href={href} />;
  }
  if (!result.data) return <div className={styles.state}>{isNumberCard(card) ? <NumberSkeleton /> : <ChartSkeleton />}</div>;
  if (result.data.status === 'failed') {
    const { error, error_type } = result.data;
    if (error_type === 'missing-required-permissions') return <div className={`${styles.state} ${styles.middle}`}><NoPermission small={short} /></div>;
    if (error_type === 'missing-required-parameter') return <div className={`${styles.state} ${styles.middle}`}><EmptyState size="card" icon={<IconSearch size={18} aria-hidden />} title={say('This card waits for a filter')}>{error}</EmptyState></div>;
    const stopped = error_type === 'timed-out';
    return <Problem short={short} title={stopped ? say('The database stopped this question.') : say('The database refused this question.')} hint={stopped ? say('Trying again often works when the database is less busy.') : undefined} detail={error ?? null} result={result} href={href} />;
  }
  const { data } = result.data;
  if (data.rows.length === 0) {
    const clear = filtered && onClear ? <Button onClick={onClear}>{say('Clear filters')}</Button> : undefined;
    if (short) return <Short words={say('No results')} action={clear} />;
    return (
      <div className={`${styles.state} ${styles.middle}`}>
        <EmptyState size="card" icon={<IconFilterOff size={18} stroke={1.6} aria-hidden />} title={filtered ? say('No results for these filters') : say('No results')} actions={clear}>
          {say('The question ran in {{time}} and found no rows.', { time: duration(result.data.running_time) })}
        </EmptyState>
      </div>
    );
  }
  return (
    <>
      <Visualization card={{ display: card.display, name: title, visualization_settings: settingsOf(dashcard) }} result={result.data} place={editing ? 'preview' : 'card'} hide_caption onPoint={onPoint && !editing ? (point) => onPoint(point, card) : undefined} />
      {data.rows_truncated && card.display !== 'table' && <div className={styles.truncated}>{say('Drawn from the first {{n}} rows.', { n: data.rows_truncated.toLocaleString('en-US') })}</div>}
    </>
  );
}
function Short({ words, action }: { words: string; action?: ReactNode }) {
  return <div className={styles.short} role="status"><b style={{ flex: 1 }}>{words}</b>{action}</div>;
}
function NumberSkeleton() {
  return <div role="status" aria-label={say('Loading')} style={{ display: 'grid', gap: 12, paddingTop: 12 }}><span style={{ height: 28, width: '45%', background: 'var(--sunken)', borderRadius: 3 }} /><span style={{ height: 12, width: '65%', background: 'var(--sunken)', borderRadius: 3 }} /></div>;
}
function NoPermission({ small }: { small: boolean }) {
  if (small) return <span className={styles.short}><IconLock size={16} aria-hidden /> {say('You may not see this.')}</span>;
  return <EmptyState size="card" icon={<IconLock size={18} stroke={1.6} aria-hidden />} title={say('You may not see this card')}>{say('An administrator can give your group access to its data or collection.')}</EmptyState>;
}
function Problem({ short, title, hint, detail, source, result, href }: { short: boolean; title: string; hint?: string; source?: string; detail: string | null; result: CardResult; href: string | null }) {
  if (short) return <div className={styles.short} role="alert" title={detail ?? undefined}><b style={{ flex: 1, color: 'var(--red-text)' }}>{title}</b><Button size="small" icon={<IconRefresh size={14} aria-hidden />} onClick={result.again}>{say('Try again')}</Button></div>;
  return (
    <div className={styles.state}>
      <ErrorCard title={title} detail={detail} source={source} onRetry={result.again} actions={href ? <Link href={href} style={{ textDecoration: 'none' }}><Button tabIndex={-1}>{say('Open the question')}</Button></Link> : undefined}>
        {hint ?? say('The other cards are up to date.')}
      </ErrorCard>
    </div>
  );
}

function CardMenu({ dashboard, dashcard, card, result, parameters, values, href }: { dashboard: number; dashcard: DashCard; card: Card; result: CardResult; parameters: Parameter[]; values: Values; href: string }) {
  const [open, set_open] = useState(false);
  const [large, set_large] = useState(false);
  const go = useGo();
  const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
  const download = (format: 'csv' | 'json' | 'xlsx') =>
    void dashboards.export_card({ dashboard, dashcard: dashcard.id, card: card.id }, format, { parameters: parametersFor(dashcard.parameter_mappings, parameters, values) }).then(save_file).catch(toast_failure);
  return (
    <div className={styles.head_tools} data-open={open || undefined}>
      {card.display !== 'scalar' && card.display !== 'smartscalar' && result.data?.status === 'completed' && <IconButton size="small" label={say('Enlarge this card')} icon={<IconZoomIn {...look} />} onClick={() => set_large(true)} />}
      {result.data?.status === 'completed' && <IconButton size="small" label={say('Download as CSV')} icon={<IconDownload {...look} />} onClick={() => download('csv')} />}
      <Menu opened={open} onChange={set_open} withinPortal>
        <Menu.Target><IconButton size="small" label={say('More for “{{name}}”', { name: titleOf(dashcard) })} icon={<IconDots {...look} />} /></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconArrowsMaximize {...look} />} onClick={() => go(href)}>{say('Open the question')}</Menu.Item>
          <Menu.Item leftSection={<IconRefresh {...look} />} onClick={result.again}>{say('Run again')}</Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconDownload {...look} />} onClick={() => download('csv')}>{say('Download as CSV')}</Menu.Item>
          <Menu.Item leftSection={<IconDownload {...look} />} onClick={() => download('json')}>{say('Download as JSON')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {large && result.data && <Suspense><Large title={titleOf(dashcard)} onClose={() => set_large(false)}><Visualization card={{ display: card.display, name: titleOf(dashcard), visualization_settings: settingsOf(dashcard) }} result={result.data} place="card" /></Large></Suspense>}
    </div>
  );
}
