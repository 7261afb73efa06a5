import { useQuery } from '@tanstack/react-query';
import { IconHistory } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { SelfUpgrade } from '@/api/types';
import { bytes } from '@/lib/numbers';
import { when_inside } from '@/lib/time';
import { Button } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { ConfirmDialog } from '@/ui/Dialog';
import { TextInput } from '@/ui/fields';
import { toast } from '@/ui/toast';
import admin from '../admin.module.css';
import { Banner } from './frame';
import { steps_of } from './model';
import styles from './updates.module.css';
import { ProgressBand } from './work';

type Asking = 'install' | 'back' | 'hold' | undefined;

/** The launcher above this server: another version in its place, the way back, a hold. Nothing where there is no launcher. */
export function Exchange() {
  const { t } = useTranslation('admin_updates');
  const [asking, set_asking] = useState<Asking>();
  const [until, set_until] = useState('');
  const [why, set_why] = useState('');
  const query = useQuery({
    queryKey: ['updates', 'self'],
    queryFn: ({ signal }) => updates.self({ signal }),
    // While one version follows another an answer may be missing for a moment; what was known stays.
    refetchInterval: (state) => (state.state.data && is_at_it(state.state.data) ? 1000 : 10_000),
    retry: 5,
  });
  const self = query.data;
  useToldEnd(self);
  if (!self || !self.launcher) return null;
  const run = self.run ?? null;
  const open = run && !run.ended_at;
  const fetching = self.agent?.fetching ?? null;
  const busy = is_at_it(self);
  const { refetch } = query;
  async function ask(what: () => Promise<unknown>) {
    await what();
    await refetch();
  }
  const available = self.available;
  const failed = available && self.denied?.find((one) => one.version === available.version);
  return (
    <>
      {open ? (
        <ProgressBand title={run.back || run.phase === 'rolling back' ? t('exchange_back_title', { version: run.to_version }) : t('exchange_title', { version: run.to_version })} {...steps_of(run.phase)} doing={t(`exchange_${run.phase.replace(' ', '_')}`, { version: run.to_version, tries: run.tries, of: run.tries_of ?? 3 })} eta={run.seconds_left ?? null} by={run.by} />
      ) : fetching ? (
        <ProgressBand title={t('exchange_title', { version: fetching })} share={self.agent?.expected && self.agent.expected > 0 ? (0.1 * (self.agent.done ?? 0)) / self.agent.expected : null} step={0} steps={0} doing={self.agent?.done ? t('exchange_fetching_size', { size: bytes(self.agent.done) }) : t('exchange_fetching')} eta={null} by={null} />
      ) : null}
      {!busy && run?.phase === 'rolled back' && !run.back && (
        <Banner tone="red" title={t('exchange_rolled_back', { version: run.to_version })}>
          <p>{run.error}</p>
        </Banner>
      )}
      {!busy && run?.phase === 'refused' && (
        <Banner title={t('exchange_refused', { version: run.to_version })}>
          <p>{run.error}</p>
        </Banner>
      )}
      {!busy && self.agent?.error && (
        <Banner title={t('exchange_not_fetched')}>
          <p>{self.agent.error}</p>
        </Banner>
      )}
      <section className={admin.card} aria-labelledby="exchange">
        <div className={admin.card_head}>
          <h2 id="exchange">{t('exchange')}</h2>
          <Tag>{t(`policy_${self.policy ?? 'off'}`)}</Tag>
          {self.held && <Tag tone="amber">{t('held')}</Tag>}
          {available && (
            <Button kind="primary" disabled={busy} onClick={() => set_asking('install')}>
              {t('install_now', { version: available.version })}
            </Button>
          )}
        </div>
        <p className={styles.note}>
          {self.held && self.hold ? (
            <>
              <b>{self.hold.until ? t('held_until', { when: when_inside(self.hold.until), by: self.hold.by }) : t('held_open', { by: self.hold.by })}</b>
              {self.hold.why && ` ${t('held_why', { why: self.hold.why })}`}
            </>
          ) : (
            (self.due?.sentence ?? t('exchange_text'))
          )}
        </p>
        <ul className={styles.lines}>
          {self.previous && self.previous_version && (
            <li>
              <IconHistory size={16} stroke={1.8} aria-hidden />
              <div className={styles.two_lines}>
                <b>{t('before_was', { version: self.previous_version })}</b>
                <span>{t('before_text')}</span>
              </div>
              <span className={styles.lines_end}>
                <Button disabled={busy} onClick={() => set_asking('back')}>
                  {t('go_back_to', { version: self.previous_version })}
                </Button>
              </span>
            </li>
          )}
          <li>
            <div className={styles.two_lines}>
              <b>{t('hold')}</b>
              <span>{t('hold_text')}</span>
            </div>
            <span className={styles.lines_end}>
              {self.held ? (
                <Button disabled={busy} onClick={() => void ask(updates.unhold)}>
                  {t('unhold')}
                </Button>
              ) : (
                <Button disabled={busy} onClick={() => set_asking('hold')}>
                  {t('hold_on')}
                </Button>
              )}
            </span>
          </li>
          {self.denied?.map((one) => (
            <li key={one.version}>
              <div className={styles.two_lines}>
                <b>{t('failed_here', { version: one.version })}</b>
                <span>{one.why}</span>
              </div>
            </li>
          ))}
        </ul>
      </section>
      <ConfirmDialog opened={asking === 'install'} onClose={() => set_asking(undefined)} title={t('install_title', { version: available?.version ?? '' })} confirm={t('install')} onConfirm={() => ask(() => updates.install(available!.version))}>
        <p>{t('install_text')}</p>
        {failed && <p>{t('install_failed_before', { why: failed.why })}</p>}
      </ConfirmDialog>
      <ConfirmDialog opened={asking === 'back'} onClose={() => set_asking(undefined)} title={t('go_back_title', { version: self.previous_version ?? '' })} confirm={t('go_back_to', { version: self.previous_version ?? '' })} onConfirm={() => ask(updates.go_back)}>
        <p>{t('go_back_text', { version: self.version })}</p>
      </ConfirmDialog>
      <ConfirmDialog opened={asking === 'hold'} onClose={() => set_asking(undefined)} title={t('hold')} confirm={t('hold_on')} onConfirm={() => ask(() => updates.hold(until, why))}>
        <p>{t('hold_text')}</p>
        <TextInput type="date" label={t('hold_until')} value={until} onChange={(event) => set_until(event.currentTarget.value)} mb={12} />
        <TextInput label={t('hold_why')} value={why} maxLength={200} onChange={(event) => set_why(event.currentTarget.value)} />
      </ConfirmDialog>
    </>
  );
}

function is_at_it(self: SelfUpgrade) {
  return Boolean((self.run && !self.run.ended_at) || self.agent?.fetching || self.agent?.asked);
}

/** Says once how a run that was seen going on has ended; the page is then of another version, and is loaded anew. */
function useToldEnd(self: SelfUpgrade | undefined) {
  const { t } = useTranslation('admin_updates');
  const followed = useRef<string>(undefined);
  useEffect(() => {
    const run = self?.run;
    if (!run) return;
    if (!run.ended_at) {
      followed.current = run.started_at;
    } else if (followed.current === run.started_at) {
      followed.current = undefined;
      if (run.phase === 'good') toast(t('exchange_good', { version: run.to_version }));
      void updates.stale();
    }
  }, [self, t]);
}
