import { useTranslation } from 'react-i18next';
import type { Database } from '@/api/types';
import { Tag } from '@/ui/Chip';
import styles from './databases.module.css';
import './strings';

/** Share of the work done, 0 to 1: four phases, tables first. Undefined while nothing is known. */
export function sync_share(progress: Database['sync_progress']): number | undefined {
  if (!progress) return undefined;
  const phases = ['tables', 'fields', 'keys', 'fingerprints'];
  const place = Math.max(0, phases.indexOf(progress.phase));
  const inside = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  return (place + inside) / phases.length;
}

export function is_syncing(database: Database): boolean {
  return database.initial_sync_status === 'incomplete' || Boolean(database.sync_progress);
}

export function SyncState({ database }: { database: Database }) {
  const { t } = useTranslation('admin_databases');
  const progress = database.sync_progress;
  if (progress) {
    const share = sync_share(progress) ?? 0;
    return (
      <div className={styles.sync}>
        <div className={styles.track} role="progressbar" aria-label={t('progress', { name: database.name })} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
          <i style={{ width: `${share * 100}%` }} />
        </div>
        <span>
          {t(`phase_${progress.phase}`, { done: progress.done, total: progress.total })}
          {progress.table ? ` ${t('at_table', { table: progress.table })}` : ''}
        </span>
      </div>
    );
  }
  if (database.initial_sync_status === 'aborted') return <Tag tone="red">{t('aborted')}</Tag>;
  if (database.initial_sync_status === 'incomplete') return <Tag tone="ember">{t('waiting')}</Tag>;
  return <Tag tone="green">{t('fresh')}</Tag>;
}
