import { IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/Button';
import styles from './CollectionPage.module.css';

/** Docked under the list; it never covers a row. */
export function BulkBar({ count, total, onAll, onNone, children }: { count: number; total: number; onAll: () => void; onNone: () => void; children: ReactNode }) {
  const { t } = useTranslation('collections');
  return (
    <div className={styles.dock} role="toolbar" aria-label={t('bulk')}>
      <span className={styles.dock_count} role="status">
        {t('selected', { count, total })}
      </span>
      {count < total && (
        <button type="button" className={styles.dock_all} onClick={onAll}>
          {t('select_all')}
        </button>
      )}
      <span className={styles.dock_tools}>{children}</span>
      <Button kind="dock" aria-label={t('clear_selection')} title={t('clear_selection')} icon={<IconX size={18} aria-hidden />} onClick={onNone} />
    </div>
  );
}
