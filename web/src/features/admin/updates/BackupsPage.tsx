import { IconDatabaseExport, IconDots, IconDownload, IconShieldCheck, IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import type { Backup, ReplacedData, Updates } from '@/api/types';
import { bytes, count } from '@/lib/numbers';
import { exact, when, when_inside } from '@/lib/time';
import { Button, IconButton, Link } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { ConfirmDialog } from '@/ui/Dialog';
import { Menu } from '@/ui/Overlays';
import { EmptyState } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import admin from '../admin.module.css';
import { Seen, UpdatesFrame, type UpdatesTools } from './frame';
import { backups_checked, file_moment } from './model';
import { RestoreDialog } from './restore';
import styles from './updates.module.css';
import { begin } from './work';

const most_bytes = 64 * 1024 * 1024;

/** All backups, what can be done with each, and when they are made. */
export function BackupsPage() {
  const { t } = useTranslation('admin_updates');
  return (
    <UpdatesFrame title={t('backups')} text={t('backups_text')} tools={(tools) => <Upload {...tools} />}>
      {(tools) => (
        <>
          <BackupsCard {...tools} />
          <Schedule data={tools.data} />
          <PutAside {...tools} />
        </>
      )}
    </UpdatesFrame>
  );
}

/** The list as a card; with `most` only the newest, and a link to all. */
export function BackupsCard({ data, busy, look, restoring, most }: UpdatesTools & { most?: number }) {
  const { t } = useTranslation('admin_updates');
  const [chosen, set_chosen] = useState<Backup>();
  const all = data.backups;
  const { unchecked } = backups_checked(all);
  const drilled = !most && all.some((backup) => backup.drilled_at);
  return (
    <section className={admin.card} aria-labelledby="backups">
      <div className={admin.card_head}>
        <h2 id="backups">{t('backups')}</h2>
        {all.length > 0 &&
          (unchecked === 0 ? (
            <span className={styles.fine}>
              <Seen />
              {t('all_checked', { count: all.length })}
            </span>
          ) : (
            <Tag tone="amber">{t('some_unchecked', { count: unchecked })}</Tag>
          ))}
        {most !== undefined && all.length > most && <Link href="/admin/updates/backups">{t('backups_all')}</Link>}
        <Button icon={<IconDatabaseExport size={16} aria-hidden />} disabled={busy} onClick={() => void begin(() => updates.back_up(), look)}>
          {t('back_up')}
        </Button>
      </div>
      {all.length === 0 ? (
        <EmptyState size="card" title={t('backups_none')} icon={<IconDatabaseExport size={18} stroke={1.6} aria-hidden />}>
          {t('backups_none_text')}
        </EmptyState>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('backups')}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('taken')}</th>
                <th scope="col" className={styles.wide_only}>
                  {t('why')}
                </th>
                <th scope="col" className={styles.wide_only}>
                  {t('store')}
                </th>
                <th scope="col" className={styles.wide_only} data-end>
                  {t('rows')}
                </th>
                <th scope="col" className={styles.wide_only} data-end>
                  {t('size')}
                </th>
                <th scope="col">
                  {t('checked_by')} <span className={styles.wide_only}>{t('checked_by_how')}</span>
                </th>
                {drilled && <th scope="col">{t('drilled')}</th>}
                <th scope="col">
                  <span className="visually-hidden">{t('actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, most).map((backup) => (
                <BackupRow key={backup.id || backup.path} backup={backup} busy={busy} look={look} drilled={drilled} onRestore={() => set_chosen(backup)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen && (
        <RestoreDialog
          backup={chosen}
          data={data}
          onClose={() => set_chosen(undefined)}
          onStarted={(about) => {
            set_chosen(undefined);
            restoring(about);
          }}
        />
      )}
    </section>
  );
}

function BackupRow({ backup, busy, look, drilled, onRestore }: { backup: Backup; busy: boolean; look: UpdatesTools['look']; drilled: boolean; onRestore: () => void }) {
  const { t } = useTranslation('admin_updates');
  const known = ['upgrade', 'manual', 'scheduled', 'restore', 'uploaded'].includes(backup.kind);
  if (backup.damaged)
    return (
      <tr>
        <td className={styles.strong}>{backup.file}</td>
        <td colSpan={drilled ? 6 : 5} className={styles.quiet}>
          <Tag tone="red">{t('damaged')}</Tag> {backup.reason}
        </td>
        <td />
      </tr>
    );
  return (
    <tr>
      <td className={`${styles.strong} ${styles.nowrap}`} title={exact(backup.created_at)}>
        {when(backup.created_at)}
      </td>
      <td className={`${styles.quiet} ${styles.nowrap} ${styles.wide_only}`} title={backup.reason}>
        {known ? t(`kind_${backup.kind}`) : backup.kind}
      </td>
      <td className={`${styles.nowrap} ${styles.wide_only}`}>
        {t('schema', { schema: backup.schema })}
        {backup.engine && <span className={admin.muted}>, {t(`engine_${backup.engine}`)}</span>} {backup.encrypted && <Tag>{t('encrypted')}</Tag>}
      </td>
      <td className={styles.wide_only} data-end>
        {backup.encrypted && !backup.rows ? '–' : count(backup.rows)}
      </td>
      <td className={styles.wide_only} data-end>
        {bytes(backup.bytes)}
      </td>
      <td>
        {backup.verified_at ? (
          <span className={styles.fine} title={exact(backup.verified_at)}>
            <Seen />
            <span className={styles.said}>{when(backup.verified_at)}</span>
          </span>
        ) : (
          <span className={admin.muted}>{t('unchecked')}</span>
        )}
      </td>
      {drilled && <td className={styles.quiet}>{backup.drilled_at ? when(backup.drilled_at) : t('drilled_never')}</td>}
      <td data-tools>
        <div className={styles.row_tools}>
        <Button kind="quiet" className={styles.act} disabled={busy} onClick={onRestore} aria-label={t('restore_of', { when: when_inside(backup.created_at) })}>
          {t('restore_dots')}
        </Button>
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <IconButton label={t('actions_of', { when: when_inside(backup.created_at) })} icon={<IconDots size={16} aria-hidden />} />
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconShieldCheck size={16} aria-hidden />} disabled={busy} onClick={() => void begin(() => updates.verify(backup.id), look)}>
              {t('verify')}
            </Menu.Item>
            <Menu.Item component="a" href={updates.file(backup.id)} download={backup.file} leftSection={<IconDownload size={16} aria-hidden />}>
              {t('download')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
        </div>
      </td>
    </tr>
  );
}

function Upload({ data, busy }: UpdatesTools) {
  const { t } = useTranslation('admin_updates');
  const input = useRef<HTMLInputElement>(null);
  const [sending, set_sending] = useState(false);
  async function send(file: File | undefined) {
    if (!file) return;
    if (file.size > most_bytes) return toast_failure(new Error(t('upload_too_large', { size: bytes(file.size), folder: data.schedule.folder })));
    set_sending(true);
    try {
      await updates.upload(file);
      toast(t('uploaded'));
    } catch (error) {
      toast_failure(error);
    } finally {
      set_sending(false);
      if (input.current) input.current.value = '';
    }
  }
  return (
    <>
      <input ref={input} type="file" accept=".basalt-backup" hidden aria-label={t('upload')} onChange={(event) => void send(event.currentTarget.files?.[0])} />
      <Button icon={<IconUpload size={16} aria-hidden />} busy={sending} disabled={busy} title={t('upload_limit', { folder: data.schedule.folder })} onClick={() => input.current?.click()}>
        {sending ? t('uploading') : t('upload')}
      </Button>
    </>
  );
}

/** "02:30", "6h", "off" as a sentence. */
export function schedule_words(t: (key: string, values?: Record<string, unknown>) => string, every: string): string {
  if (every === '') return t('schedule_unknown');
  if (every === 'off') return t('schedule_off');
  return /^\d{1,2}:\d{2}$/.test(every) ? t('schedule_daily', { time: every }) : t('schedule_every', { every });
}

function Schedule({ data }: { data: Updates }) {
  const { t } = useTranslation('admin_updates');
  const facts: [string, string, boolean?][] = [
    [t('schedule_when'), schedule_words(t, data.schedule.every)],
    [t('keep'), t('keep_text', { count: data.schedule.keep })],
    [t('encryption'), data.schedule.encrypted ? t('encryption_on') : t('encryption_off')],
    [t('folder'), `${data.schedule.folder}, ${t('free', { free: bytes(data.schedule.free_bytes) })}`],
    [t('upload').replace('…', ''), t('upload_limit', { folder: data.schedule.folder })],
  ];
  return (
    <section className={admin.card} aria-labelledby="schedule">
      <div className={admin.card_head}>
        <h2 id="schedule">{t('schedule')}</h2>
      </div>
      <table className={styles.table}>
        <tbody>
          {facts.map(([name, words]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td style={{ overflowWrap: 'anywhere' }}>{words}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What was replaced and is kept: with its size, and the way to be rid of it. */
function PutAside({ data, busy }: UpdatesTools) {
  const { t } = useTranslation('admin_updates');
  const [chosen, set_chosen] = useState<ReplacedData>();
  const replaced = data.replaced ?? [];
  if (replaced.length === 0) return null;
  return (
    <section className={admin.card} aria-labelledby="replaced">
      <div className={admin.card_head}>
        <h2 id="replaced">{t('replaced')}</h2>
        <span className={admin.muted}>{t('replaced_text')}</span>
      </div>
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('replaced')}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t('at')}</th>
              <th scope="col">{t('replaced_why')}</th>
              <th scope="col" className={styles.wide_only}>
                {t('replaced_name')}
              </th>
              <th scope="col" data-end>
                {t('size')}
              </th>
              <th scope="col">
                <span className="visually-hidden">{t('actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {replaced.map((one) => (
              <tr key={one.name}>
                <td className={`${styles.strong} ${styles.nowrap}`} title={exact(file_moment(one.at))}>
                  {when(file_moment(one.at)) || '–'}
                </td>
                <td className={styles.quiet}>{['restore', 'upgrade', 'uploads'].includes(one.why) ? t(`replaced_${one.why}`) : one.why}</td>
                <td className={`${styles.quiet} ${styles.wide_only}`} style={{ overflowWrap: 'anywhere' }} title={one.name}>
                  {one.name.split('/').pop()}
                </td>
                <td data-end>{bytes(one.bytes)}</td>
                <td data-tools>
                  <Button kind="quiet" disabled={busy} onClick={() => set_chosen(one)} aria-label={t('replaced_delete_of', { name: one.name })}>
                    {t('replaced_delete')}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && (
        <ConfirmDialog
          opened
          danger
          onClose={() => set_chosen(undefined)}
          title={t('replaced_title')}
          confirm={t('replaced_confirm')}
          onConfirm={async () => {
            await updates.delete_replaced(chosen.name);
            toast(t('replaced_deleted'));
          }}
        >
          <p style={{ overflowWrap: 'anywhere' }}>{t('replaced_warning', { name: chosen.name })}</p>
        </ConfirmDialog>
      )}
    </section>
  );
}
