import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconPackage } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { ParkedValue } from '@/api/types';
import { count } from '@/lib/numbers';
import { exact, when, when_inside } from '@/lib/time';
import { Button } from '@/ui/Button';
import { Tag, type TagTone } from '@/ui/Chip';
import { Dialog } from '@/ui/Dialog';
import { SegmentedControl, Select } from '@/ui/fields';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast } from '@/ui/toast';
import admin from '../admin.module.css';
import { UpdatesFrame } from './frame';
import { capital, column_words, compare, type Line, summary, table_words, words_of } from './model';
import styles from './updates.module.css';

const per_page = 50;
const tones: Record<ParkedValue['state'], TagTone> = { parked: 'brand', superseded: 'amber', orphan: 'plain', returned: 'green', taken: 'green' };

export function ParkedPage() {
  const { t } = useTranslation('admin_updates');
  return <UpdatesFrame title={t('parked')} text={t('parked_text')}>{() => <List />}</UpdatesFrame>;
}

function List() {
  const { t } = useTranslation('admin_updates');
  const { t: common } = useTranslation('admin');
  const [state, set_state] = useState('');
  const [table, set_table] = useState('');
  const [offset, set_offset] = useState(0);
  const [chosen, set_chosen] = useState<ParkedValue>();
  const page = useQuery({
    queryKey: ['parked', state, table, offset],
    queryFn: ({ signal }) => updates.parked({ table: table || undefined, state: state || undefined, limit: per_page, offset }, { signal }),
    placeholderData: keepPreviousData,
  });
  const data = page.data;
  if (page.isError) return <ErrorCard title={common('failed')} detail={page.error.message} source={t('title')} onRetry={() => void page.refetch()} />;
  if (!data)
    return (
      <div className={admin.loading}>
        <ListSkeleton />
      </div>
    );
  const filtered = state !== '' || table !== '';
  if (data.counts.length === 0 && !filtered)
    return (
      <section className={admin.card}>
        <EmptyState title={t('parked_none')} icon={<IconPackage size={22} stroke={1.6} aria-hidden />}>
          {t('parked_none_text')}
        </EmptyState>
      </section>
    );
  const tables = [...new Set(data.counts.map((one) => one.table))];
  const choose = (change: () => void) => {
    change();
    set_offset(0);
  };
  return (
    <div>
      <div className={styles.tools}>
        <SegmentedControl
          aria-label={t('filter_state')}
          value={state}
          onChange={(value) => choose(() => set_state(value))}
          data={[{ value: '', label: t('state_all') }, ...(['parked', 'superseded', 'orphan'] as const).map((one) => ({ value: one, label: words_of(t(`parked_state_${one}`)) }))]}
        />
        {tables.length > 1 && (
          <Select
            aria-label={t('filter_table')}
            value={table}
            onChange={(value) => choose(() => set_table(value ?? ''))}
            allowDeselect={false}
            data={[{ value: '', label: t('filter_everything') }, ...tables.map((one) => ({ value: one, label: table_words(t, one) }))]}
          />
        )}
      </div>
      <section className={admin.card} aria-label={t('parked')}>
        {data.data.length === 0 ? (
          <EmptyState
            size="card"
            title={t('parked_none_filter')}
            icon={<IconPackage size={18} stroke={1.6} aria-hidden />}
            actions={
              <Button
                onClick={() =>
                  choose(() => {
                    set_state('');
                    set_table('');
                  })
                }
              >
                {t('parked_clear')}
              </Button>
            }
          />
        ) : (
          <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('parked')}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">{t('belongs_to')}</th>
                  <th scope="col" className={styles.wide_only}>
                    {t('value')}
                  </th>
                  <th scope="col">{t('state')}</th>
                  <th scope="col" className={styles.wide_only}>
                    {t('since')}
                  </th>
                  <th scope="col">
                    <span className="visually-hidden">{t('look')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.data.map((value) => (
                  <tr key={value.id}>
                    <td>
                      <div className={styles.two_lines}>
                        <b className={styles.strong}>{value.title ?? t('unnamed')}</b>
                        <span>{table_words(t, value.table)}</span>
                        <span className={styles.narrow_only}>{[value.column ? capital(column_words(t, value.column)) : '', summary(value)].filter(Boolean).join(': ')}</span>
                      </div>
                    </td>
                    <td className={styles.wide_only} style={{ overflowWrap: 'anywhere' }}>
                      {value.column && <span className={styles.quiet}>{capital(column_words(t, value.column))}: </span>}
                      {summary(value)}
                    </td>
                    <td>
                      <Tag tone={tones[value.state]}>{t(`parked_state_${value.state}`)}</Tag>
                    </td>
                    <td className={`${styles.quiet} ${styles.nowrap} ${styles.wide_only}`} title={exact(value.parked_at)}>
                      {when(value.parked_at)}
                    </td>
                    <td data-tools>
                      <Button kind="quiet" className={styles.act} onClick={() => set_chosen(value)} aria-label={`${t('look')}: ${value.title ?? t('unnamed')}`}>
                        {t('look')}
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {data.total > per_page && (
          <div className={styles.pager}>
            <span>{t('page_of', { from: count(offset + 1), to: count(Math.min(offset + per_page, data.total)), total: count(data.total) })}</span>
            <Button disabled={offset === 0} onClick={() => set_offset(Math.max(0, offset - per_page))}>
              {t('previous')}
            </Button>
            <Button disabled={offset + per_page >= data.total} onClick={() => set_offset(offset + per_page)}>
              {t('next')}
            </Button>
          </div>
        )}
      </section>
      {chosen && <Detail parked={chosen} onClose={() => set_chosen(undefined)} />}
    </div>
  );
}

/** What is parked beside what is in its place now, in plain words, and the way to put it back. */
export function Detail({ parked, onClose }: { parked: ParkedValue; onClose: () => void }) {
  const { t } = useTranslation('admin_updates');
  const [asking, set_asking] = useState(false);
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<string>();
  const compared = compare(parked);
  async function put_back() {
    set_busy(true);
    set_problem(undefined);
    try {
      await updates.take(parked.id);
      toast(t('put_back_done'), { undo: () => updates.untake(parked.id).then(() => undefined) });
      onClose();
    } catch (error) {
      set_problem(error instanceof Error ? error.message : String(error));
      set_asking(false);
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      width={760}
      title={parked.title ?? t('unnamed')}
      actions={
        asking ? (
          <>
            <Button onClick={() => set_asking(false)}>{t('ui:cancel')}</Button>
            <Button kind="primary" busy={busy} onClick={() => void put_back()}>
              {t('put_back')}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>{t('ui:close')}</Button>
            {parked.can_take && (
              <Button kind="primary" onClick={() => set_asking(true)}>
                {t('put_back')}…
              </Button>
            )}
          </>
        )
      }
    >
      <p className={styles.what}>
        <Tag tone={tones[parked.state]}>{t(`parked_state_${parked.state}`)}</Tag>
        <span className={admin.muted}>
          {table_words(t, parked.table)}
          {parked.column ? `, ${column_words(t, parked.column)}` : ''},{' '}
          <span title={exact(parked.parked_at)}>{t('since_when', { when: when_inside(parked.parked_at) })}</span>
        </span>
      </p>
      <p>{t(`explain_${parked.state}`)}</p>
      {!parked.can_take && parked.why_not && <p>{parked.why_not}</p>}
      {compared.hidden ? (
        <p className={admin.note}>{t('side_hidden')}</p>
      ) : (
        <div className={styles.sides}>
          <Side title={t('side_parked')} lines={compared.parked} />
          <Side title={t('side_now')} lines={compared.now} />
        </div>
      )}
      {compared.more > 0 && <p className={admin.muted}>{t('side_more', { count: compared.more })}</p>}
      {asking && (
        <p className={admin.note} role="status" style={{ marginTop: 16 }}>
          <b>{t('put_back_title')}</b> {t('put_back_text')}
        </p>
      )}
      {problem && (
        <p className={admin.note} data-tone="red" role="alert" style={{ marginTop: 16 }}>
          {problem}
        </p>
      )}
    </Dialog>
  );
}

function Side({ title, lines }: { title: string; lines: Line[] }) {
  const { t } = useTranslation('admin_updates');
  return (
    <section className={styles.side} aria-label={title}>
      <h3>{title}</h3>
      {lines.length === 0 ? (
        <p>{t('side_nothing')}</p>
      ) : (
        <dl tabIndex={0}>
          {lines.map((line, index) => (
            <div key={index}>
              {line.path && <dt>{line.path}</dt>}
              <dd>{line.value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
