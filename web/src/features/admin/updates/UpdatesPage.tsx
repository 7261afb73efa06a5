import { useQuery } from '@tanstack/react-query';
import { IconCheck, IconDatabaseExport } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { Backup, MigrationRun, Updates } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { bytes, count } from '@/lib/numbers';
import { duration, exact, when } from '@/lib/time';
import { Button } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { Hexagon } from '@/ui/Hexagon';
import { PageHead } from '@/ui/PageHead';
import { CopyButton, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import admin from '../admin.module.css';
import styles from './UpdatesPage.module.css';
import '../strings';
import './strings';

/** Only what the engine does: every figure on this page comes from the server. */
export function UpdatesPage() {
  const { t } = useTranslation('admin_updates');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('title'));
  const state = useQuery({
    queryKey: ['updates'],
    queryFn: ({ signal }) => updates.state({ signal }),
    refetchInterval: (query) => (query.state.data?.progress ? 1000 : false),
  });
  const [busy, set_busy] = useState(false);
  async function back_up() {
    set_busy(true);
    try {
      const made = await updates.back_up();
      toast(t('backed_up', { tables: count(made.tables), rows: count(made.rows) }));
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
    }
  }
  const data = state.data;
  return (
    <div>
      <PageHead title={t('title')} text={t('text')} />
      {state.isError ? (
        <ErrorCard title={common('failed')} detail={state.error.message} onRetry={() => void state.refetch()} />
      ) : !data ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : (
        <>
          <section className={styles.now}>
            <div>
              <p>{t('running')}</p>
              <div className={styles.version}>
                {data.version}
                <Tag>{t('schema', { schema: data.schema })}</Tag>
              </div>
            </div>
            <dl>
              <div>
                <dt>{t('store')}</dt>
                <dd>{t(data.engine)}</dd>
              </div>
              <div>
                <dt>{t('instance')}</dt>
                <dd className="code">{data.instance_id}</dd>
              </div>
            </dl>
            <Button kind="primary" busy={busy} icon={<IconDatabaseExport size={16} aria-hidden />} onClick={() => void back_up()}>
              {busy ? t('backing_up') : t('back_up')}
            </Button>
          </section>
          {data.progress && <Progress progress={data.progress} />}
          <div className={styles.columns}>
            <div className={styles.column}>
              <Plan plan={data.plan} sentence={data.sentence} />
              <Backups backups={data.backups} />
              <History history={data.history} />
            </div>
            <div className={styles.column}>
              <Parked parked={data.parked} />
            </div>
          </div>
        </>
      )}
    </div>
  );
}

function Progress({ progress }: { progress: NonNullable<Updates['progress']> }) {
  const { t } = useTranslation('admin_updates');
  const share = Math.round((progress.progress ?? 0) * 100);
  return (
    <section className={`${admin.card} ${styles.progress}`}>
      <b>{t('progress')}</b>
      <span>{t('progress_left', { step: [progress.step, progress.step_name].filter(Boolean).join(': '), time: duration((progress.eta_seconds ?? 0) * 1000) })}</span>
      <div className={styles.track} role="progressbar" aria-label={t('progress')} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100}>
        <i style={{ width: `${share}%` }} />
      </div>
    </section>
  );
}

function Plan({ plan, sentence }: { plan: Updates['plan']; sentence?: string }) {
  const { t } = useTranslation('admin_updates');
  return (
    <section className={admin.card} aria-labelledby="plan">
      <div className={admin.card_head}>
        <h2 id="plan">{t('plan')}</h2>
        {plan && (
          <>
            <Tag>{t('plan_from_to', { from: plan.from, to: plan.to })}</Tag>
            <CopyButton text={JSON.stringify(plan, null, 2)} label={t('copy_json')} />
          </>
        )}
      </div>
      {!plan || plan.steps.length === 0 ? (
        <p className={styles.none}>
          <Seen /> {sentence ? `${sentence} ${t('plan_none')}` : t('plan_none')}
        </p>
      ) : (
        <div className={styles.scroll} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('step')}</th>
                <th scope="col">{t('what')}</th>
                <th scope="col" data-end>
                  {t('rows')}
                </th>
              </tr>
            </thead>
            <tbody>
              {plan.steps.map((step) => (
                <tr key={step.migration}>
                  <td className={styles.strong}>{step.name ? `${step.migration}  ${step.name.replaceAll('_', ' ')}` : step.migration}</td>
                  <td>
                    <ul className={styles.operations}>
                      {step.operations.map((operation, index) => (
                        <li key={index}>{operation}</li>
                      ))}
                    </ul>
                  </td>
                  <td data-end>{count(step.rows)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Seen() {
  return (
    <Hexagon size={16} tone="green">
      <IconCheck size={10} stroke={3} aria-hidden />
    </Hexagon>
  );
}

function Backups({ backups }: { backups: Backup[] }) {
  const { t } = useTranslation('admin_updates');
  const unchecked = backups.filter((backup) => !backup.verified_at).length;
  return (
    <section className={admin.card} aria-labelledby="backups">
      <div className={admin.card_head}>
        <h2 id="backups">{t('backups')}</h2>
        {backups.length > 0 &&
          (unchecked === 0 ? (
            <span className={styles.fine}>
              <Seen />
              {t('all_checked', { count: backups.length })}
            </span>
          ) : (
            <Tag tone="amber">{t('some_unchecked', { count: unchecked })}</Tag>
          ))}
      </div>
      {backups.length === 0 ? (
        <p className={styles.none}>{t('backups_none')}</p>
      ) : (
        <div className={styles.scroll} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('taken')}</th>
                <th scope="col">{t('why')}</th>
                <th scope="col">{t('schema_head')}</th>
                <th scope="col" data-end>
                  {t('rows')}
                </th>
                <th scope="col" data-end>
                  {t('size')}
                </th>
                <th scope="col">{t('checked')}</th>
              </tr>
            </thead>
            <tbody>
              {backups.map((backup) => (
                <tr key={backup.id} title={t('path', { path: backup.path })}>
                  <td className={styles.strong} title={exact(backup.created_at)}>
                    {when(backup.created_at)}
                  </td>
                  <td className={admin.muted}>{backup.reason}</td>
                  <td className="tabular">{backup.schema}</td>
                  <td data-end>{count(backup.rows)}</td>
                  <td data-end>{bytes(backup.bytes)}</td>
                  <td>
                    {backup.verified_at ? (
                      <span className={styles.fine} title={exact(backup.verified_at)}>
                        <Seen />
                        {when(backup.verified_at)}
                      </span>
                    ) : (
                      <span className={admin.muted}>{t('unchecked')}</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const first_rows = 12;

function History({ history }: { history: MigrationRun[] }) {
  const { t } = useTranslation('admin_updates');
  const [all, set_all] = useState(false);
  const state = (run: MigrationRun) => {
    if (/fail|error/i.test(run.state)) return <Tag tone="red">{t('failed_state')}</Tag>;
    if (/run|start|pending/i.test(run.state)) return <Tag tone="ember">{t('running_state')}</Tag>;
    return <Tag tone="green">{t('done')}</Tag>;
  };
  return (
    <section className={admin.card} aria-labelledby="history">
      <div className={admin.card_head}>
        <h2 id="history">{t('history')}</h2>
        <span className={admin.muted}>{t('history_text')}</span>
      </div>
      {history.length === 0 ? (
        <p className={styles.none}>{t('history_none')}</p>
      ) : (
        <div className={styles.scroll} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('step')}</th>
                <th scope="col">{t('direction')}</th>
                <th scope="col">{t('state')}</th>
                <th scope="col" data-end>
                  {t('rows')}
                </th>
                <th scope="col" data-end>
                  {t('time')}
                </th>
                <th scope="col">{t('by')}</th>
                <th scope="col">{t('at')}</th>
              </tr>
            </thead>
            <tbody>
              {(all ? history : history.slice(0, first_rows)).map((run, index) => (
                <tr key={index}>
                  <td className={styles.strong}>{run.name ? `${run.migration}  ${run.name.replaceAll('_', ' ')}` : run.migration}</td>
                  <td>{/down|back|reverse/i.test(run.direction) ? t('down') : t('up')}</td>
                  <td>{state(run)}</td>
                  <td data-end>{count(run.rows)}</td>
                  <td data-end>{duration(run.ms)}</td>
                  <td className={admin.muted}>{run.binary ?? ''}</td>
                  <td className={admin.muted} title={exact(run.at)}>
                    {when(run.at)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {!all && history.length > first_rows && (
            <div className={styles.more}>
              <Button kind="quiet" onClick={() => set_all(true)}>
                {t('show_all', { count: history.length })}
              </Button>
            </div>
          )}
        </div>
      )}
    </section>
  );
}

function Parked({ parked }: { parked: Updates['parked'] }) {
  const { t } = useTranslation('admin_updates');
  const total = parked.reduce((sum, one) => sum + one.count, 0);
  return (
    <section className={admin.card} aria-labelledby="parked">
      <div className={admin.card_head}>
        <h2 id="parked">{t('parked')}</h2>
        {total > 0 && <Tag>{count(total)}</Tag>}
      </div>
      {parked.length === 0 ? (
        <p className={styles.none}>{t('parked_none')}</p>
      ) : (
        <ul className={styles.parked}>
          {parked.map((one) => (
            <li key={`${one.table}.${one.column}`}>
              <b>{one.table}</b>
              <span>{t('parked_row', { count: one.count, column: one.column })}</span>
            </li>
          ))}
        </ul>
      )}
      <p className={styles.note}>{t('parked_text')}</p>
    </section>
  );
}
