import { Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { Columns } from './Columns';
import { Hexagon } from './Hexagon';
import styles from './States.module.css';
import './strings';

/** One sentence and one main action. `art` is the columns (a page) or an icon in a hexagon (a card). */
export function EmptyState({
  title,
  children,
  actions,
  icon,
  footer,
  size = 'page',
  heading: Heading = 'h2',
}: {
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  icon?: ReactNode;
  footer?: ReactNode;
  size?: 'page' | 'card';
  /** `h1` where this is all the page says. */
  heading?: 'h1' | 'h2' | 'h3';
}) {
  return (
    <div className={size === 'page' ? styles.empty_page : styles.empty_card}>
      {size === 'page' && !icon ? (
        <Columns
          outline_only
          width={37}
          gap={5}
          stroke={1.5}
          columns={[
            { height: 82, state: 'later' },
            { height: 64, state: 'later' },
            { height: 112, state: 'now' },
          ]}
        />
      ) : (
        <Hexagon size={size === 'page' ? 48 : 36} tone="sunken">
          {icon}
        </Hexagon>
      )}
      <Heading className={size === 'page' ? styles.empty_title : styles.empty_card_title}>{title}</Heading>
      {children && <p className={styles.empty_text}>{children}</p>}
      {actions && <div className={styles.empty_actions}>{actions}</div>}
      {footer && <p className={styles.empty_footer}>{footer}</p>}
    </div>
  );
}

export function CopyButton({ text, label, size = 'small' }: { text: string; label?: string; size?: 'small' | 'normal' }) {
  const { t } = useTranslation('ui');
  const [done, set_done] = useState(false);
  return (
    <Button
      kind="quiet"
      size={size}
      icon={done ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(() => {
          set_done(true);
          setTimeout(() => set_done(false), 1500);
        });
      }}
    >
      {done ? t('copied') : (label ?? t('copy'))}
    </Button>
  );
}

/**
 * What happened in a plain sentence, what to do, and the database's own message with a copy button.
 * Fits a card as well as a page; the others go on.
 */
export function ErrorCard({
  title,
  children,
  detail,
  source,
  onRetry,
  actions,
  collapsed = false,
}: {
  title: ReactNode;
  children?: ReactNode;
  /** The database's or server's own words. */
  detail?: string | null;
  /** Who said it: "Fernhill shop says". */
  source?: string;
  onRetry?: () => void;
  actions?: ReactNode;
  collapsed?: boolean;
}) {
  const { t } = useTranslation('ui');
  const [open, set_open] = useState(!collapsed);
  return (
    <div className={styles.error} role="alert">
      <div className={styles.error_head}>
        <Hexagon size={28} tone="red">
          <IconAlertTriangle size={16} stroke={1.8} aria-hidden />
        </Hexagon>
        <div>
          <div className={styles.error_title}>{title}</div>
          {children && <div className={styles.error_text}>{children}</div>}
        </div>
      </div>
      {detail && collapsed && (
        <button type="button" className={styles.toggle} aria-expanded={open} onClick={() => set_open(!open)}>
          {open ? t('hide_details') : t('show_details')}
        </button>
      )}
      {detail && open && (
        <div className={styles.detail}>
          <div className={styles.detail_head}>
            <span>{source ?? t('says')}</span>
            <CopyButton text={detail} />
          </div>
          <pre className={styles.detail_text} tabIndex={0}>
            {detail}
          </pre>
        </div>
      )}
      {(onRetry || actions) && (
        <div className={styles.error_actions}>
          {onRetry && (
            <Button kind="primary" icon={<IconRefresh size={16} aria-hidden />} onClick={onRetry}>
              {t('retry')}
            </Button>
          )}
          {actions}
        </div>
      )}
    </div>
  );
}

/** Rows of a list that is on its way, in the shape of the list. */
export function ListSkeleton({ rows = 6, height = 44 }: { rows?: number; height?: number }) {
  const { t } = useTranslation('ui');
  return (
    <div role="status" aria-label={t('loading')} className={styles.skeleton_list}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height }} className={styles.skeleton_row}>
          <Skeleton height={12} width={`${28 + ((index * 17) % 34)}%`} radius={3} />
        </div>
      ))}
    </div>
  );
}

/** Bars where a chart will be. */
export function ChartSkeleton({ height = '100%' }: { height?: number | string }) {
  const { t } = useTranslation('ui');
  const bars = [92, 56, 52, 60, 64, 72, 68, 62, 60, 68, 76, 72];
  return (
    <div role="status" aria-label={t('loading')} className={styles.skeleton_chart} style={{ height }}>
      {bars.map((size, index) => (
        <span key={index} style={{ height: `${size}%` }} />
      ))}
    </div>
  );
}

export { Skeleton };
