import { IconFilterOff } from '@tabler/icons-react';
import { Suspense, useEffect, useState, type ReactNode } from 'react';
import type { VisualizationSettings } from '../api/types';
import { say } from '../query/words';
import { Button } from '../ui/Button';
import { ChartSkeleton, EmptyState, ErrorCard, ListSkeleton } from '../ui/States';
import { Visualization, type PointEvent, type RangeEvent } from '../viz/Visualization';
import type { SortMark } from '../viz/table/TableView';
import styles from './result.module.css';
import type { Run } from './use_run';
import { failureHelp, failureTitle, duration } from './words';

interface ResultPaneProps {
  run: Run;
  card: { display: string; visualization_settings: VisualizationSettings; name?: string | null };
  database_name?: string;
  /** Usual time of this question in milliseconds, told to those who wait. */
  usual_ms?: number | null;
  onPoint?: (point: PointEvent) => void;
  onRange?: (range: RangeEvent) => void;
  onSettings?: (settings: VisualizationSettings) => void;
  onClearFilters?: () => void;
  onDownload?: () => void;
  sorted?: SortMark[];
  show_types?: boolean;
  /** What to show before anything has run. */
  before?: ReactNode;
  /** Failures are told elsewhere (beside the line of SQL): keep the last result on the page. */
  keep_on_failure?: boolean;
  inset?: number;
}

function useSince(start: number | null): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (start === null) return;
    const timer = setInterval(() => tick((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, [start]);
  return start === null ? 0 : Date.now() - start;
}

/** The result of a run, or why there is none. The old result stays, dimmed, while a new one is on its way. */
export function ResultPane({ run, card, database_name, usual_ms, onPoint, onRange, onSettings, onClearFilters, onDownload, sorted, show_types, before, keep_on_failure, inset }: ResultPaneProps) {
  const since = useSince(run.running ? run.started : null);
  const { result, failure } = run;
  const cut = result?.data.rows_truncated;
  const failed = failure && !(keep_on_failure && result);
  const waited = since > 300;
  const drawn = !['table', 'scalar', 'smartscalar', 'map'].includes(card.display);
  // The drawing library comes while the database thinks.
  useEffect(() => {
    if (drawn) void import('../viz/engine');
  }, [drawn]);
  return (
    <div className={styles.pane}>
      {cut !== undefined && !failed && (
        <div className={styles.notice} role="status">
          {say('These are the first {{count}} rows. There are more in the database.', { count: cut.toLocaleString('en-US') })}
          {onDownload && <button type="button" onClick={onDownload}>{say('Download all')}</button>}
        </div>
      )}
      <div className={styles.stage} data-dim={(run.running && waited) || undefined} aria-busy={run.running || undefined}>
        {failed ? (
          <div className={styles.middle}>
            <ErrorCard title={failureTitle(failure)} detail={failure.message} source={database_name ? say('{{name}} says', { name: database_name }) : undefined} onRetry={failure.kind === 'missing-required-permissions' ? undefined : () => run.run()}>
              {failureHelp(failure)}
            </ErrorCard>
          </div>
        ) : result ? (
          result.data.rows.length === 0 ? (
            <div className={styles.middle}>
              <EmptyState
                size="card" icon={<IconFilterOff size={18} stroke={1.6} aria-hidden />} title={onClearFilters ? say('No results for these filters') : say('No rows')}
                actions={onClearFilters && <Button onClick={onClearFilters}>{say('Clear filters')}</Button>}
              >
                {say('The question ran in {{time}} and found no rows.', { time: duration(result.running_time) })}
              </EmptyState>
            </div>
          ) : (
            <div className={styles.drawn}>
              <Suspense fallback={null}>
                <Visualization place="page" inset={inset} card={card} result={result} onPoint={onPoint} onRange={onRange} onSettings={onSettings} sorted={sorted} show_types={show_types} />
              </Suspense>
            </div>
          )
        ) : run.running ? (
          <div className={styles.waiting}>{card.display === 'table' ? <ListSkeleton rows={10} height={32} /> : <ChartSkeleton height="86%" />}</div>
        ) : run.cancelled ? (
          <div className={styles.middle}><EmptyState size="card" title={say('Stopped')} actions={<Button kind="primary" onClick={() => run.run()}>{say('Run again')}</Button>}>{say('The question was stopped before it had an answer.')}</EmptyState></div>
        ) : before}
        {run.running && waited && (
          <div className={styles.busy} role="status">
            <span>
              {say('Asking the database…')}
              {since > 5000 && usual_ms ? ` ${say('usually {{time}}', { time: duration(usual_ms) })}` : since > 2000 ? ` ${duration(Math.floor(since / 1000) * 1000)}` : ''}
            </span>
            <Button size="small" onClick={run.cancel}>{say('Cancel')}</Button>
          </div>
        )}
      </div>
      <div className="visually-hidden" aria-live="polite">
        {run.running && waited ? say('Running') : failed ? failureTitle(failure) : result ? say('Done: {{count}} rows', { count: String(result.data.rows.length) }) : ''}
      </div>
    </div>
  );
}
