import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconX } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { Updates, UpdateWork } from '@/api/types';
import { bytes, count } from '@/lib/numbers';
import { duration, when_inside } from '@/lib/time';
import { IconButton } from '@/ui/Button';
import { Columns, type ColumnShape } from '@/ui/Columns';
import { toast, toast_failure } from '@/ui/toast';
import { readable } from './model';
import styles from './updates.module.css';
import './strings';

const heights = [40, 52, 46, 62, 57, 76, 68, 82, 72, 90, 80, 98];
const first_look = Date.now();

/** Twelve columns: done to the share, the next one lit. */
export function progress_columns(share: number, scale = 1): ColumnShape[] {
  const now = Math.min(11, Math.floor(Math.max(0, share) * 12 + 1e-9));
  return heights.map((height, index) => ({ height: height * scale, state: index < now ? 'done' : index === now ? 'now' : 'later' }));
}

/** Asked every second while something runs, every few seconds else; told the moment it ends. */
export function useWork(onEnd?: (work: UpdateWork) => void) {
  const query = useQuery({
    queryKey: ['update-work'],
    queryFn: ({ signal }) => updates.progress({ signal }),
    refetchInterval: (state) => (state.state.data?.work?.state === 'running' ? 1000 : 5000),
    refetchIntervalInBackground: false,
    staleTime: 0,
  });
  const work = query.data?.work ?? null;
  const running = useRef<number>(undefined);
  const told = useRef(onEnd);
  told.current = onEnd;
  useEffect(() => {
    if (!work) return;
    if (work.state === 'running') running.current = work.id;
    else if (running.current === work.id) {
      running.current = undefined;
      told.current?.(work);
    }
  }, [work]);
  const { refetch } = query;
  /** Looks at once; what was just started counts as seen, however quick it is. */
  const look = useCallback(
    (started?: UpdateWork) => {
      if (started) running.current = started.id;
      void refetch();
    },
    [refetch],
  );
  return { work, look };
}

/** Starts something that goes on without the page; its progress shows by itself. */
export async function begin(start: () => Promise<UpdateWork>, look: (started?: UpdateWork) => void) {
  try {
    look(await start());
  } catch (error) {
    toast_failure(error);
    look();
  }
}

export function useWorkWords() {
  const { t } = useTranslation('admin_updates');
  return {
    title: (work: UpdateWork) => (['backup', 'verify', 'restore', 'finalise', 'upload'].includes(work.kind) ? t(`work_${work.kind}`, { about: when_inside(work.about) || (work.about ?? '') }) : t('work_other')),
    failed: (work: UpdateWork) => (['backup', 'verify', 'restore', 'finalise', 'upload'].includes(work.kind) ? t(`failed_${work.kind}`) : t('failed_other')),
    done(work: UpdateWork) {
      const result = (work.result ?? {}) as { rows?: number; bytes?: number; tables?: number; sentence?: string };
      if (work.kind === 'backup') toast(t('done_backup', { rows: count(result.rows), size: bytes(result.bytes) }));
      else if (work.kind === 'verify') toast(t('done_verify', { rows: count(result.rows), tables: count(result.tables) }));
      else if (work.kind === 'finalise') toast(result.sentence ?? t('done_finalise'));
    },
    phase: (phase: string | null) => {
      const key = `phase_${phase ?? 'starting'}`;
      const words = t(key);
      return words === key ? (phase ?? '') : words;
    },
  };
}

interface Shown {
  title: string;
  share: number | null;
  step: number;
  steps: number;
  doing: string;
  rows?: number;
  eta: number | null;
  seconds?: number;
  by: string | null;
}

/** Bar, step and time left of what runs. */
export function ProgressBand({ title, share, step, steps, doing, rows, eta, seconds, by }: Shown) {
  const { t } = useTranslation('admin_updates');
  const percent = share === null ? undefined : Math.round(share * 100);
  return (
    <section className={styles.work} aria-label={title}>
      <div className={styles.work_words}>
        <h2 className={styles.work_title}>
          <span className={styles.work_dot} aria-hidden />
          {title}
        </h2>
        <p className={styles.work_head} role="status" aria-live="polite">
          {percent !== undefined && <strong>{percent} %</strong>}
          {steps > 0 && <b>{t('work_step', { step, steps })}</b>}
          {eta !== null ? <span>{t('work_left', { time: duration(Math.max(1, eta) * 1000) })}</span> : seconds !== undefined && seconds >= 2 ? <span>{t('work_for', { time: duration(Math.round(seconds) * 1000) })}</span> : null}
        </p>
        <div className={styles.track} role="progressbar" aria-label={t('work_progress')} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} data-unknown={percent === undefined || undefined}>
          <i style={percent === undefined ? undefined : { width: `${percent}%` }} />
        </div>
        <p className={styles.work_under}>
          <span>
            {doing}
            {rows ? `, ${t('run_rows', { count: rows, rows: count(rows) })}` : ''}
          </span>
          <span>{[by ? t('work_by', { by }) : '', t('work_leave')].filter(Boolean).join('. ').replace(/^./, (letter) => letter.toUpperCase())}</span>
        </p>
      </div>
      <div className={styles.work_art}>
        <Columns columns={progress_columns(share ?? 0)} width={24} gap={6} />
      </div>
    </section>
  );
}

/** What runs here or elsewhere; after a failure the sentence, until it is put away. */
export function WorkBand({ work, data }: { work: UpdateWork | null; data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const words = useWorkWords();
  const [put_away, set_put_away] = useState<number>();
  if (work?.state === 'running')
    return (
      <ProgressBand
        title={words.title(work)}
        share={work.progress}
        step={work.step}
        steps={work.steps}
        doing={work.step_name ? `${words.phase(work.phase)}: ${work.step_name}` : words.phase(work.phase)}
        rows={work.rows}
        eta={work.eta_seconds}
        seconds={work.seconds}
        by={work.by}
      />
    );
  const elsewhere = data.running;
  if (elsewhere)
    return (
      <ProgressBand
        title={t('work_elsewhere')}
        share={elsewhere.steps ? Math.max(0, (elsewhere.step ?? 1) - 1) / elsewhere.steps : null}
        step={elsewhere.step ?? 0}
        steps={elsewhere.steps ?? 0}
        doing={elsewhere.step_name ? `${words.phase(elsewhere.state)}: ${elsewhere.step_name}` : words.phase(elsewhere.state)}
        rows={elsewhere.rows}
        eta={elsewhere.eta_seconds ?? null}
        by={elsewhere.binary ? t('work_elsewhere_by', { binary: elsewhere.binary, pid: elsewhere.pid ?? '?' }) : null}
      />
    );
  // Failures of before this visit are in the server's log, not news.
  if (work?.state === 'failed' && work.id !== put_away && new Date(work.started_at).getTime() > first_look - 600_000)
    return (
      <section className={styles.banner} data-tone="red" role="alert">
        <IconAlertTriangle size={18} stroke={1.8} aria-hidden />
        <div className={styles.banner_body}>
          <b>{words.failed(work)}</b>
          <p>{readable(work.error ?? '')}</p>
        </div>
        <IconButton label={t('dismiss')} icon={<IconX size={16} aria-hidden />} onClick={() => set_put_away(work.id)} />
      </section>
    );
  return null;
}
