import { IconArrowBackUp, IconLogout, IconPackage, IconRefresh, IconServer, IconStack2 } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import { useProperties } from '@/api/session';
import type { Backup, Updates, UpdateWork } from '@/api/types';
import { when_inside } from '@/lib/time';
import { Button } from '@/ui/Button';
import { Columns } from '@/ui/Columns';
import { Dialog } from '@/ui/Dialog';
import { TextInput } from '@/ui/fields';
import { after, restore_begins, type RestorePhase, type Seen } from './model';
import styles from './updates.module.css';
import { progress_columns, useWorkWords } from './work';
import './strings';

const note_key = 'basalt.restored';

/** What a restore said at its end, kept over the sign-in that follows it. */
export const restored_note = {
  read: (): string | null => sessionStorage.getItem(note_key),
  write: (sentence: string) => sessionStorage.setItem(note_key, sentence),
  clear: () => sessionStorage.removeItem(note_key),
};

/** Says what happens, and waits for the name of the site or RESTORE. */
export function RestoreDialog({ backup, data, onClose, onStarted }: { backup: Backup; data: Updates; onClose: () => void; onStarted: (about: string) => void }) {
  const { t } = useTranslation('admin_updates');
  const site = useProperties()?.['site-name'];
  const [typed, set_typed] = useState('');
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<string>();
  const word = typed.trim();
  const ready = word === 'RESTORE' || (site !== undefined && site !== '' && word === site);
  const others = (data.nodes ?? []).filter((node) => node.live && !node.self).length;
  const at = when_inside(backup.created_at);
  async function run() {
    if (!ready || busy) return;
    set_busy(true);
    set_problem(undefined);
    try {
      const work = await updates.restore(backup.id, word);
      onStarted(work.about ?? backup.created_at);
    } catch (error) {
      set_problem(error instanceof Error ? error.message : String(error));
      set_busy(false);
    }
  }
  const happens = [
    { icon: IconArrowBackUp, words: t('restore_data', { when: at }) },
    { icon: IconPackage, words: t('restore_hold') },
    ...(backup.schema !== data.target ? [{ icon: IconStack2, words: t('restore_schema', { from: backup.schema, to: data.target }) }] : []),
    { icon: IconLogout, words: t('restore_out') },
    { icon: IconRefresh, words: t('restore_restart') },
    ...(others > 0 ? [{ icon: IconServer, words: t('restore_nodes', { count: others }) }] : []),
  ];
  return (
    <Dialog
      opened
      onClose={onClose}
      width={560}
      title={t('restore_title', { when: at })}
      onSubmit={() => void run()}
      actions={
        <>
          <Button onClick={onClose}>{t('ui:cancel')}</Button>
          <Button type="submit" kind="danger" busy={busy} disabled={!ready}>
            {t('restore_confirm')}
          </Button>
        </>
      }
    >
      <ul className={styles.happens}>
        {happens.map(({ icon: Drawn, words }) => (
          <li key={words}>
            <Drawn size={18} stroke={1.6} aria-hidden />
            <span>{words}</span>
          </li>
        ))}
      </ul>
      {!backup.verified_at && <p>{t('restore_unverified')}</p>}
      <TextInput
        label={site && site !== 'RESTORE' ? t('restore_type', { site }) : t('restore_type_plain')}
        value={typed}
        onChange={(event) => set_typed(event.currentTarget.value)}
        autoComplete="off"
        data-autofocus
        error={problem}
      />
    </Dialog>
  );
}

async function look_at_work(): Promise<{ seen: Seen; work?: UpdateWork | null }> {
  const response = await fetch('/api/basalt/updates/progress', { credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(5000) });
  if (response.status === 401 || response.status === 403) return { seen: { saw: 'signed_out' } };
  if (!response.ok) return { seen: { saw: 'away' } };
  const { work } = (await response.json()) as { work: UpdateWork | null };
  return { seen: { saw: 'work', work }, work };
}

async function look_at_health(): Promise<{ seen: Seen; work?: UpdateWork | null }> {
  const response = await fetch('/api/health', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  const body = (await response.json().catch(() => ({}))) as { status?: string; message?: string };
  return { seen: { saw: 'health', ok: response.ok, failed: body.status === 'failed' ? (body.message ?? '') : undefined } };
}

export interface RestoreWatch {
  phase: RestorePhase | undefined;
  about: string | null;
  latest: UpdateWork | null;
  begin: (about: string | null) => void;
  leave: () => void;
}

/** Follows a restore to its end, over the restart of the server, with requests that no lost session disturbs. */
export function useRestoreWatch(): RestoreWatch {
  const [phase, set_phase] = useState<RestorePhase>();
  const [about, set_about] = useState<string | null>(null);
  const [latest, set_latest] = useState<UpdateWork | null>(null);
  const current = useRef<RestorePhase>(undefined);
  const { t } = useTranslation('admin_updates');
  const words = useRef('');
  words.current = about ? t('restore_note_text', { when: when_inside(about) }) : t('restore_note_plain');
  const active = phase !== undefined && phase.at !== 'failed' && phase.at !== 'back';

  useEffect(() => {
    if (!active) return;
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    async function look() {
      const now = current.current;
      if (gone || !now) return;
      let seen: Seen = { saw: 'away' };
      try {
        const answer = now.at === 'restoring' ? await look_at_work() : await look_at_health();
        seen = answer.seen;
        if (answer.work) set_latest(answer.work);
        const done = answer.work?.kind === 'restore' && answer.work.state === 'done' ? answer.work.result?.sentence : undefined;
        // A quick restart says it otherwise: sessions end with the data that they were in.
        if (typeof done === 'string') restored_note.write(done);
        else if (seen.saw === 'signed_out') restored_note.write(words.current);
      } catch {
        // The server is away for a moment.
      }
      if (gone) return;
      const next = after(now, seen, Date.now());
      current.current = next;
      set_phase(next);
      if (next.at === 'back') window.location.assign(`/auth/login?redirect=${encodeURIComponent('/admin/updates/backups')}`);
      else timer = setTimeout(() => void look(), 1000);
    }
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [active]);

  const begin = useCallback((text: string | null) => {
    if (current.current) return;
    current.current = restore_begins;
    restored_note.clear();
    set_about(text);
    set_latest(null);
    set_phase(restore_begins);
  }, []);
  const leave = useCallback(() => {
    current.current = undefined;
    set_phase(undefined);
    void updates.stale();
  }, []);
  return { phase, about, latest, begin, leave };
}

/** Covers the page while everything under it is replaced. */
export function RestoreCover({ phase, about, latest, leave }: Omit<RestoreWatch, 'phase' | 'begin'> & { phase: RestorePhase; work: UpdateWork | null }) {
  const { t } = useTranslation('admin_updates');
  const words = useWorkWords();
  const cover = useRef<HTMLDivElement>(null);
  useEffect(() => cover.current?.focus(), []);
  const share = phase.at === 'restoring' ? (latest?.progress ?? 0) * 0.9 : phase.at === 'restarting' ? 0.95 : phase.at === 'back' ? 1 : 0;
  const title =
    phase.at === 'restoring' ? (about ? t('restoring', { about: when_inside(about) }) : t('restoring_plain')) : phase.at === 'restarting' ? t('restarting') : phase.at === 'back' ? t('restored_back') : t('restore_failed');
  const text =
    phase.at === 'restoring'
      ? [words.phase(latest?.phase ?? null), latest?.step_name].filter(Boolean).join(': ')
      : phase.at === 'restarting'
        ? t('restarting_text')
        : phase.at === 'back'
          ? t('restored_back_text')
          : [phase.error, t('restore_failed_text')].filter(Boolean).join(' ');
  const percent = Math.round(share * 100);
  return createPortal(
    <div className={styles.cover} ref={cover} tabIndex={-1} role="dialog" aria-modal="true" aria-label={title}>
      {phase.at !== 'failed' && <Columns columns={progress_columns(share, 1.5)} width={40} gap={9} />}
      <div className={styles.cover_words}>
        <h1>{title}</h1>
        <p role="status" aria-live="polite">
          {text}
        </p>
        {phase.at === 'failed' ? (
          <Button kind="primary" onClick={leave} data-autofocus>
            {t('go_back')}
          </Button>
        ) : (
          <div className={styles.track} role="progressbar" aria-label={t('work_progress')} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
            <i style={{ width: `${percent}%` }} />
          </div>
        )}
      </div>
    </div>,
    document.body,
  );
}
