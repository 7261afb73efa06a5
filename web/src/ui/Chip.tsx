import { IconX } from '@tabler/icons-react';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import styles from './Chip.module.css';

export type ChipTone = 'plain' | 'violet' | 'green' | 'brand';

export interface ChipProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: ReactNode;
  tone?: ChipTone;
  icon_after?: ReactNode;
  /** Shows a cross; the sentence names what goes ("Remove filter: Date"). */
  remove_label?: string;
  onRemove?: () => void;
  ref?: Ref<HTMLButtonElement>;
}

/** A filter chip is violet only while it holds a value. */
export function Chip({ icon, tone = 'plain', icon_after, onRemove, remove_label, children, className, type, ...rest }: ChipProps) {
  return (
    <span className={`${styles.chip} ${styles[tone]} ${className ?? ''}`}>
      <button {...rest} type={type ?? 'button'} className={styles.body}>
        {icon}
        <span className={styles.label}>{children}</span>
        {icon_after}
      </button>
      {onRemove && (
        <button type="button" className={styles.cross} aria-label={remove_label} title={remove_label} onClick={onRemove}>
          <IconX size={14} stroke={2} aria-hidden />
        </button>
      )}
    </span>
  );
}

export type TagTone = 'plain' | 'brand' | 'green' | 'amber' | 'red' | 'ember' | 'violet';

/** A word of state: 20 px high, never pressed. */
export function Tag({ tone = 'plain', icon, children }: { tone?: TagTone; icon?: ReactNode; children: ReactNode }) {
  return (
    <span className={`${styles.tag} ${styles[`tag_${tone}`]}`}>
      {icon}
      {children}
    </span>
  );
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd className={styles.key}>{children}</kbd>;
}
