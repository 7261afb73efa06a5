import { IconArrowDown, IconArrowUp, IconChevronDown, IconChevronRight, IconPlus } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MigrationRun } from '@/api/types';
import { count } from '@/lib/numbers';
import { duration, exact, when } from '@/lib/time';
import { Tag, type TagTone } from '@/ui/Chip';
import { EmptyState } from '@/ui/States';
import admin from '../admin.module.css';
import { UpdatesFrame } from './frame';
import { words_of } from './model';
import styles from './updates.module.css';

export function HistoryPage() {
  const { t } = useTranslation('admin_updates');
  return (
    <UpdatesFrame title={t('history')} text={t('history_text')}>
      {({ data }) => (
        <section className={admin.card} aria-label={t('history')}>
          {data.runs.length === 0 ? (
            <EmptyState size="card" title={t('history_none')} icon={<IconArrowUp size={18} stroke={1.6} aria-hidden />} />
          ) : (
            data.runs.map((run, index) => <Run key={run.run ?? `loose${index}`} run={run} open_first={index === 0} />)
          )}
        </section>
      )}
    </UpdatesFrame>
  );
}

/** The states of the ledger in words and colour. */
export function run_state(state: string): { key: string; tone: TagTone } {
  if (/fail/.test(state)) return { key: 'state_failed', tone: 'red' };
  if (/rolled/.test(state)) return { key: 'state_rolled_back', tone: 'amber' };
  if (/interrupt/.test(state)) return { key: 'state_interrupted', tone: 'amber' };
  if (state === 'expanded' || state === 'observing') return { key: 'state_expanded', tone: 'amber' };
  if (state === 'done' || state === 'restored') return { key: 'state_done', tone: 'green' };
  if (/finalised/.test(state)) return { key: 'state_finalised', tone: 'green' };
  return { key: 'state_running', tone: 'ember' };
}

function Run({ run, open_first }: { run: MigrationRun; open_first: boolean }) {
  const { t } = useTranslation('admin_updates');
  const [open, set_open] = useState(open_first);
  const id = useId();
  const made = run.direction === 'up' && run.from < 1;
  const name = made ? t('run_made', { to: run.to }) : run.direction === 'up' ? t('run_up', { to: run.to }) : t('run_down', { to: run.to });
  const { key, tone } = run_state(run.direction === 'down' && run.state === 'finalised' ? 'done' : run.state);
  const Drawn = made ? IconPlus : run.direction === 'up' ? IconArrowUp : IconArrowDown;
  return (
    <div className={styles.run}>
      <button type="button" className={styles.run_head} aria-expanded={open} aria-controls={id} onClick={() => set_open(!open)}>
        <Drawn size={18} stroke={1.8} aria-hidden />
        <span className={styles.run_name}>
          <b>{name}</b>
          <span>{[made ? '' : t('run_from', { from: run.from }), t('run_by', { binary: run.binary })].filter(Boolean).join(', ')}</span>
        </span>
        <Tag tone={tone}>{t(key)}</Tag>
        <span className={styles.run_end}>{t('run_rows', { count: run.rows, rows: count(run.rows) })}</span>
        <span className={styles.run_end}>{duration(run.ms)}</span>
        <span className={styles.run_end} title={exact(run.started_at)}>
          {when(run.started_at)}
        </span>
        {open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}
      </button>
      {open && (
        <div className={styles.run_body} id={id}>
          {run.error && <p className={styles.run_fact}>{run.error}</p>}
          {run.backup && (
            <p className={styles.run_fact}>
              {t('run_backup')}: <b>{run.backup.split('/').pop()}</b>
            </p>
          )}
          {run.steps.length === 0 ? (
            <p className={styles.run_fact}>{t('run_steps_none')}</p>
          ) : (
            <div className={styles.scroll} tabIndex={0} role="group" aria-label={name}>
              <table className={styles.table}>
                <thead>
                  <tr>
                    <th scope="col">{t('step')}</th>
                    <th scope="col">{t('state')}</th>
                    <th scope="col" data-end>
                      {t('rows')}
                    </th>
                    <th scope="col" data-end>
                      {t('time')}
                    </th>
                    <th scope="col" className={styles.wide_only} data-end>
                      {t('at')}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {run.steps.map((step, index) => {
                    const state = run_state(step.state);
                    return (
                      <tr key={index}>
                        <td>
                          <span className={styles.number}>{step.migration}</span> {words_of(step.name)}
                        </td>
                        <td>
                          <Tag tone={state.tone}>{t(state.key)}</Tag>
                        </td>
                        <td data-end>{count(step.rows)}</td>
                        <td data-end>{duration(step.ms)}</td>
                        <td data-end className={`${styles.quiet} ${styles.wide_only}`} title={exact(step.at)}>
                          {when(step.at)}
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </div>
  );
}
