import { IconArrowRight, IconRefresh, IconServer2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { Release, UpdatePlan, Updates } from '@/api/types';
import { bytes, count } from '@/lib/numbers';
import { ago_inside, duration, exact, long_day, when_inside } from '@/lib/time';
import { Button, Link } from '@/ui/Button';
import { Tag, type TagTone } from '@/ui/Chip';
import { ConfirmDialog, Dialog } from '@/ui/Dialog';
import { Markdown } from '@/ui/markdown';
import { CopyButton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import admin from '../admin.module.css';
import { BackupsCard } from './BackupsPage';
import { Exchange } from './exchange';
import { Banner, Seen, UpdatesFrame, type UpdatesTools } from './frame';
import { capital, column_words, feed_failure, figures_of, is_newer, node_tone, older_nodes, operation_of, table_words, words_of } from './model';
import styles from './updates.module.css';

/** Only what the engine does: every figure on this page comes from the server. */
export function UpdatesPage() {
  const { t } = useTranslation('admin_updates');
  return (
    <UpdatesFrame overview title={t('title')} text={t('text')} tools={({ data }) => data.release && data.release.feed !== 'off' && <CheckNow release={data.release} />}>
      {(tools) => (
        <>
          {tools.data.release?.withdrawn && (
            <Banner tone="red" title={t('withdrawn', { version: tools.data.version })}>
              <p>{t('withdrawn_text')}</p>
            </Banner>
          )}
          <Versions data={tools.data} />
          <Exchange />
          {tools.data.pending && tools.data.pending.length > 0 && <Pending {...tools} />}
          <div className={styles.columns}>
            <div className={styles.stack}>
              <Plan data={tools.data} />
              <BackupsCard {...tools} most={4} />
            </div>
            <div className={styles.stack}>
              <NodesCard data={tools.data} />
              <WayBack data={tools.data} />
              <ParkedCard data={tools.data} />
            </div>
          </div>
        </>
      )}
    </UpdatesFrame>
  );
}

function CheckNow({ release }: { release: Release }) {
  const { t } = useTranslation('admin_updates');
  const [busy, set_busy] = useState(false);
  async function check() {
    set_busy(true);
    try {
      const { feed } = await updates.check();
      await updates.stale();
      if (feed.startsWith('failed')) toast_failure(new Error(feed_failure(feed)));
      else toast(t('checked_toast'));
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
    }
  }
  return (
    <>
      <span className={styles.checked} title={exact(release.checked_at)}>
        {release.checked_at ? t('checked', { when: ago_inside(release.checked_at) }) : t('never_checked')}
      </span>
      <Button icon={<IconRefresh size={16} aria-hidden />} busy={busy} onClick={() => void check()}>
        {t('check_now')}
      </Button>
    </>
  );
}

const class_tones: Record<string, TagTone> = { security: 'red', major: 'brand', minor: 'green', patch: 'plain' };

function Versions({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const [notes, set_notes] = useState(false);
  const release = data.release;
  const available = release?.available && is_newer(release.available.version, data.version) ? release.available : null;
  const failed = release?.feed.startsWith('failed');
  const known_class = available && available.class in class_tones;
  return (
    <section className={styles.now} aria-label={t('title')}>
      <div className={styles.now_side}>
        <p>{t('running')}</p>
        <div className={styles.version}>
          {data.version}
          <Tag>{t('schema', { schema: data.schema })}</Tag>
        </div>
      </div>
      <span className={styles.now_arrow}>{available && <IconArrowRight size={20} stroke={1.6} aria-hidden />}</span>
      <div className={styles.now_side}>
        {available ? (
          <>
            <p>
              {t('available')}, <span title={exact(available.released_at)}>{t('released', { when: /^\d{4}-\d{2}-\d{2}$/.test(available.released_at) ? long_day(new Date(`${available.released_at}T00:00`)) : when_inside(available.released_at) })}</span>
            </p>
            <div className={styles.version}>
              {available.version}
              {available.class && <Tag tone={class_tones[available.class] ?? 'plain'}>{known_class ? t(`class_${available.class}`) : capital(available.class)}</Tag>}
              <Button kind="quiet" className={styles.act} onClick={() => set_notes(true)}>
                {t('what_is_new')}
              </Button>
            </div>
          </>
        ) : failed ? (
          <>
            <p className={styles.strong}>{t('feed_failed')}</p>
            <p>{feed_failure(release?.feed ?? '')}</p>
          </>
        ) : !release || release.feed === 'off' ? (
          <p>{t('feed_off')}</p>
        ) : release.feed !== 'ok' ? (
          <p>{t('never_checked')}.</p>
        ) : (
          <span className={styles.fine}>
            <Seen />
            {t('newest')}
          </span>
        )}
      </div>
      <dl className={styles.facts}>
        <div>
          <dt>{t('store')}</dt>
          <dd>{data.engine === 'sqlite' ? t('sqlite', { version: data.store_version ?? 'SQLite' }) : (data.store_version ?? 'PostgreSQL')}</dd>
        </div>
        {data.made_by && (
          <div>
            <dt>{t('made_by')}</dt>
            <dd className="tabular">Basalt {data.made_by}</dd>
          </div>
        )}
        <div>
          <dt>{t('floor')}</dt>
          <dd>{t('floor_schema', { schema: data.compat_floor })}</dd>
        </div>
        <div>
          <dt>{t('instance')}</dt>
          <dd className="code" title={data.instance_id}>
            {data.instance_id.slice(0, 8)}
          </dd>
        </div>
      </dl>
      {available && (
        <Dialog opened={notes} onClose={() => set_notes(false)} title={t('what_is_new_in', { version: available.version })} width={640} actions={<Button onClick={() => set_notes(false)}>{t('ui:close')}</Button>}>
          {available.notes.trim() ? <Markdown className={styles.notes} text={available.notes} /> : t('notes_none')}
        </Dialog>
      )}
    </section>
  );
}

function Pending({ data, busy, look }: UpdatesTools) {
  const { t } = useTranslation('admin_updates');
  const [asking, set_asking] = useState(false);
  const pending = data.pending ?? [];
  const older = older_nodes(data);
  const names = older.map((node) => `${node.name} (${node.binary})`).join(', ');
  return (
    <section className={admin.card} aria-labelledby="pending">
      <div className={admin.card_head}>
        <h2 id="pending">{t('pending')}</h2>
        <Tag tone="ember">{count(pending.length)}</Tag>
        {data.expanded_at && <span className={admin.muted}>{t('pending_since', { when: ago_inside(data.expanded_at) })}</span>}
        {data.target >= data.schema && (
          <Button kind="primary" disabled={busy} onClick={() => set_asking(true)}>
            {t('finalise')}
          </Button>
        )}
      </div>
      <p className={styles.note}>
        {t('pending_text', { count: pending.length, schema: data.schema })} {data.bake_minutes ? t('pending_bake', { time: duration(data.bake_minutes * 60_000) }) : ''} {data.target < data.schema ? t('pending_elsewhere') : ''}
      </p>
      <ul className={styles.lines}>
        {pending.map((one) => (
          <li key={`${one.migration}.${one.operation}`}>
            <span className={styles.number}>{one.migration}</span>
            <div className={styles.two_lines}>
              <b>{capital(one.description)}</b>
              <span>{words_of(one.name)}</span>
            </div>
          </li>
        ))}
      </ul>
      <ConfirmDialog
        opened={asking}
        onClose={() => set_asking(false)}
        title={t('finalise_title', { schema: data.schema })}
        confirm={t('finalise')}
        onConfirm={async () => {
          look(await updates.finalise());
        }}
      >
        <p>{t('finalise_text')}</p>
        {older.length > 0 ? <Banner title={t('finalise_older', { count: older.length, names })} /> : <p>{t('finalise_none_older')}</p>}
      </ConfirmDialog>
    </section>
  );
}

function Plan({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const plan = data.plan;
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
          <Seen /> <span>{t('plan_none', { sentence: data.sentence })}</span>
        </p>
      ) : (
        <PlanTable plan={plan} />
      )}
    </section>
  );
}

export function PlanTable({ plan }: { plan: UpdatePlan }) {
  const { t } = useTranslation('admin_updates');
  const figures = figures_of(plan);
  const down = plan.to < plan.from;
  return (
    <>
      {plan.blocked && (
        <div className={styles.note}>
          <b>{t('plan_blocked')}.</b>
          {(plan.reasons ?? [plan.blocked]).map((reason) => (
            <p key={reason} style={{ margin: '4px 0 0' }}>
              {reason}
            </p>
          ))}
        </div>
      )}
      <dl className={styles.figures}>
        <div>
          <dt>{t('figure_time')}</dt>
          <dd>
            {duration(plan.eta_seconds * 1000)}
            {plan.eta_p95_seconds ? <small>{t('figure_time_p95', { time: duration(plan.eta_p95_seconds * 1000) })}</small> : null}
            {plan.eta_from ? <small>{t(`eta_${plan.eta_from}`, { when: when_inside(plan.rehearsed_at) })}</small> : null}
          </dd>
        </div>
        <div>
          <dt>{t('figure_rows')}</dt>
          <dd>{count(figures.rows)}</dd>
        </div>
        {plan.longest_lock_ms !== undefined && plan.longest_lock_ms !== null && (
          <div>
            <dt>{t('figure_lock')}</dt>
            <dd>
              {plan.longest_lock_ms < 1 ? t('lock_none') : duration(plan.longest_lock_ms)}
              {plan.longest_lock && <small>{plan.longest_lock}</small>}
            </dd>
          </div>
        )}
        <div>
          <dt>{t('figure_disk')}</dt>
          <dd>
            {bytes(plan.bytes_needed)}
            <small>{t('figure_disk_free', { free: bytes(plan.bytes_free) })}</small>
          </dd>
        </div>
        {down && (
          <div>
            <dt>{t('figure_parks')}</dt>
            <dd>{figures.parks ? count(figures.parks) : t('parks_none')}</dd>
          </div>
        )}
      </dl>
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('plan')}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t('step')}</th>
              <th scope="col">{t('what')}</th>
              <th scope="col" data-end>
                {t('rows')}
              </th>
              {down && (
                <th scope="col" data-end>
                  {t('figure_parks')}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {plan.steps.map((step) => {
              const operations = step.operations.map(operation_of);
              return (
                <tr key={`${step.direction}${step.migration}`}>
                  <td className={styles.strong}>
                    <span className={styles.number}>{step.migration}</span> {words_of(step.name)}
                  </td>
                  <td>
                    <ul className={styles.operations}>
                      {operations.map((one, index) => (
                        <li key={index}>
                          {capital(one.text)} {one.phase === 'finalise' && <Tag tone="amber">{t('at_finalise')}</Tag>}
                        </li>
                      ))}
                    </ul>
                  </td>
                  <td data-end>{count(step.rows)}</td>
                  {down && <td data-end>{step.will_park ? count(step.will_park) : '–'}</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {!down && plan.later_places && plan.later_places.length > 0 && (
        <p className={styles.later}>
          <b>{t('later')}</b> {plan.later_places.join(', ')}
        </p>
      )}
    </>
  );
}

function WayBack({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const plan = data.way_back;
  const [open, set_open] = useState(false);
  if (!plan) return null;
  const { parks } = figures_of(plan);
  const time = duration(Math.max(1, Math.round(plan.eta_seconds)) * 1000);
  return (
    <section className={admin.card} aria-labelledby="way_back">
      <div className={admin.card_head}>
        <h2 id="way_back">{t('way_back', { schema: plan.to })}</h2>
        <Button kind="quiet" size="small" onClick={() => set_open(true)}>
          {t('way_back_look')}
        </Button>
      </div>
      <p className={styles.note}>{plan.blocked ? t('way_back_blocked', { why: plan.blocked }) : parks === 0 ? t('way_back_none_parked', { time }) : t('way_back_parked', { time, count: parks, values: count(parks) })}</p>
      {!plan.blocked && (
        <p className={styles.note}>
          {t('way_back_how')}
          <code className={styles.command}>basalt migrate down --to {plan.to}</code>
        </p>
      )}
      <Dialog opened={open} onClose={() => set_open(false)} title={t('way_back', { schema: plan.to })} width={760} actions={<Button onClick={() => set_open(false)}>{t('ui:close')}</Button>}>
        <div className={admin.card}>
          <PlanTable plan={plan} />
        </div>
      </Dialog>
    </section>
  );
}

function NodesCard({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const nodes = data.nodes ?? [];
  const live = nodes.filter((node) => node.live).length;
  return (
    <section className={admin.card} aria-labelledby="nodes">
      <div className={admin.card_head}>
        <h2 id="nodes">{t('nodes')}</h2>
        {live > 0 && <span className={admin.muted}>{t('nodes_live', { count: live })}</span>}
      </div>
      {nodes.length === 0 ? (
        <p className={styles.none}>{t('nodes_none')}</p>
      ) : (
        <ul className={styles.lines}>
          {nodes.slice(0, 6).map((node) => (
            <li key={node.id}>
              <IconServer2 size={16} stroke={1.6} aria-hidden />
              <b>{node.name}</b>
              <Tag tone={node_tone(node, data.schema)}>{node.binary}</Tag>
              <span className={styles.lines_end} title={exact(node.heartbeat)}>
                {node.self ? t('this_one') : node.live ? t('heard_when', { when: ago_inside(node.heartbeat) }) : `${t('gone')}, ${ago_inside(node.heartbeat)}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ParkedCard({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const total = data.parked.reduce((sum, one) => sum + one.count, 0);
  return (
    <section className={admin.card} aria-labelledby="parked">
      <div className={admin.card_head}>
        <h2 id="parked">{t('parked')}</h2>
        {total > 0 && <Tag>{count(total)}</Tag>}
        {total > 0 && <Link href="/admin/updates/parked">{t('parked_all')}</Link>}
      </div>
      {total === 0 ? (
        <p className={styles.none}>{t('parked_none_text')}</p>
      ) : (
        <ul className={styles.lines}>
          {data.parked.slice(0, 5).map((one) => (
            <li key={`${one.table}.${one.column}.${one.state}`}>
              <div className={styles.two_lines}>
                <b>{table_words(t, one.table)}</b>
                <span>{one.column ? t('parked_count', { count: one.count, values: count(one.count), column: column_words(t, one.column) }) : t('parked_count_rows', { count: one.count, values: count(one.count) })}</span>
              </div>
              {one.state !== 'parked' && <Tag tone={one.state === 'orphan' ? 'plain' : 'amber'}>{t(`parked_state_${one.state}`)}</Tag>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
