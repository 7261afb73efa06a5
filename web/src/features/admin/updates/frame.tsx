import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconInfoCircle, IconX } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { Drift, Updates, UpdateWork } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { IconButton } from '@/ui/Button';
import { Hexagon } from '@/ui/Hexagon';
import { PageHead } from '@/ui/PageHead';
import { ErrorCard, ListSkeleton } from '@/ui/States';
import admin from '../admin.module.css';
import { readable } from './model';
import { RestoreCover, restored_note, useRestoreWatch } from './restore';
import styles from './updates.module.css';
import { useWork, useWorkWords, WorkBand } from './work';
import '../strings';
import './strings';

export interface UpdatesTools {
  data: Updates;
  /** Something runs: nothing else is started meanwhile. */
  busy: boolean;
  /** Asks how far the work is, now; `started` is what was just begun. */
  look: (started?: UpdateWork) => void;
  /** Follows the restore that was just asked for. */
  restoring: (about: string) => void;
}

/** What all pages about updates share: the state, what runs, warnings, and the cover while a restore replaces everything. */
export function UpdatesFrame({ overview = false, title, text, tools, children }: { /** Shows what is to be looked at. */ overview?: boolean; title: string; text?: ReactNode; tools?: (tools: UpdatesTools) => ReactNode; children: (tools: UpdatesTools) => ReactNode }) {
  const { t } = useTranslation('admin_updates');
  const { t: common } = useTranslation('admin');
  usePageTitle(title);
  const words = useWorkWords();
  const watch = useRestoreWatch();
  const { work, look } = useWork((ended) => {
    if (ended.kind === 'restore' && ended.state === 'done') return;
    if (ended.state === 'done') words.done(ended);
    void updates.stale();
  });
  const state = useQuery({
    queryKey: ['updates'],
    queryFn: ({ signal }) => updates.state({ signal }),
    enabled: !watch.phase,
    refetchInterval: (query) => (query.state.data?.running ? 1000 : 15_000),
  });
  const restoring = work?.kind === 'restore' && work.state === 'running';
  const about = work?.about ?? null;
  const { begin } = watch;
  // Also after the page was loaded anew in the middle of it, or when somebody else asked for it.
  useEffect(() => {
    if (restoring) begin(about);
  }, [restoring, about, begin]);
  const data = state.data;
  const given = data && { data, busy: work?.state === 'running' || Boolean(data.running), look, restoring: begin };
  return (
    <div>
      <PageHead title={title} text={text} tools={given && tools?.(given)} />
      {state.isError && !data ? (
        <ErrorCard title={common('failed')} detail={state.error.message} source={t('title')} onRetry={() => void state.refetch()} />
      ) : !given ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : (
        <div className={styles.stack}>
          <RestoredNote />
          <WorkBand work={work} data={given.data} />
          {overview && given.data.warnings.map((warning) => (
            <Banner key={warning} title={t('warning')}>
              <p>{warning}</p>
            </Banner>
          ))}
          {overview && given.data.drift && given.data.drift.length > 0 && <DriftBanner drift={given.data.drift} />}
          {children(given)}
        </div>
      )}
      {watch.phase && <RestoreCover {...watch} phase={watch.phase} work={work} />}
    </div>
  );
}

export function Banner({ title, tone = 'amber', children, onClose }: { title: ReactNode; tone?: 'amber' | 'red' | 'green' | 'plain'; children?: ReactNode; onClose?: () => void }) {
  const { t } = useTranslation('admin_updates');
  return (
    <section className={styles.banner} data-tone={tone}>
      {tone === 'green' ? <IconCircleCheck size={18} stroke={1.8} aria-hidden /> : tone === 'plain' ? <IconInfoCircle size={18} stroke={1.8} aria-hidden /> : <IconAlertTriangle size={18} stroke={1.8} aria-hidden />}
      <div className={styles.banner_body}>
        <b>{title}</b>
        {children}
      </div>
      {onClose && <IconButton label={t('dismiss')} icon={<IconX size={16} aria-hidden />} onClick={onClose} />}
    </section>
  );
}

function DriftBanner({ drift }: { drift: Drift[] }) {
  const { t } = useTranslation('admin_updates');
  const blocking = drift.filter((one) => one.blocks);
  const extra = drift.filter((one) => !one.blocks);
  const more = Math.max(0, blocking.length - 12);
  return (
    <>
      {blocking.length > 0 && (
        <Banner tone="red" title={t('drift_missing', { count: blocking.length })}>
          <p>{t('drift_missing_text')}</p>
          <ul>
            {blocking.slice(0, 12).map((one) => (
              <li key={`${one.object}${one.sentence}`}>
                {one.sentence}
                {one.repair && <code className={styles.command}>{one.repair}</code>}
              </li>
            ))}
          </ul>
          {more > 0 && <p>{t('drift_more', { count: more })}</p>}
        </Banner>
      )}
      {extra.length > 0 && (
        <Banner tone="plain" title={t('drift_extra', { count: extra.length })}>
          <p>
            {extra
              .slice(0, 12)
              .map((one) => one.object)
              .join(', ')}
          </p>
        </Banner>
      )}
    </>
  );
}

/** The last words of a restore, for who signs in after it. */
function RestoredNote() {
  const { t } = useTranslation('admin_updates');
  const [note, set_note] = useState(restored_note.read);
  if (!note) return null;
  return (
    <Banner
      tone="green"
      title={t('restore_note')}
      onClose={() => {
        restored_note.clear();
        set_note(null);
      }}
    >
      <p>{readable(note)}</p>
    </Banner>
  );
}

export function Seen() {
  return (
    <Hexagon size={16} tone="green">
      <IconCheck size={10} stroke={3} aria-hidden />
    </Hexagon>
  );
}
