import { IconPlus, IconX } from '@tabler/icons-react';
import { createContext, type ReactNode, useContext, useState } from 'react';
import { Popover } from '@mantine/core';
import type { Catalog, Query } from '@/query/types';
import { say } from '@/query/words';
import styles from './builder.module.css';

/** What every step works on. */
export interface BuilderContext {
  query: Query;
  change: (query: Query) => void;
  catalog: Catalog;
  metrics: { id: number; name: string }[];
}
export const Builder = createContext<BuilderContext | null>(null);
export function useBuilder(): BuilderContext {
  const context = useContext(Builder);
  if (!context) throw new Error('A step stands outside the builder.');
  return context;
}

/** A pop-over on a button; the panel gets a function that closes it. */
export function Pop({ target, children, opened: start = false, onClose, width }: {
  target: (open: () => void, opened: boolean) => ReactNode;
  children: (close: () => void) => ReactNode;
  opened?: boolean;
  onClose?: () => void;
  width?: number;
}) {
  const [opened, set_opened] = useState(start);
  const close = () => {
    set_opened(false);
    onClose?.();
  };
  return (
    <Popover opened={opened} onChange={(next) => (next ? set_opened(true) : close())} position="bottom-start" trapFocus returnFocus shadow="md" width={width} withinPortal>
      <Popover.Target>{target(() => (opened ? close() : set_opened(true)), opened) as never}</Popover.Target>
      <Popover.Dropdown p={0}>{opened && children(close)}</Popover.Dropdown>
    </Popover>
  );
}

/** A piece of a step: press to change, cross to remove. */
export function Pill({ children, icon, onClick, onRemove, remove, open, plain, label, ref }: {
  children: ReactNode;
  icon?: ReactNode;
  onClick?: () => void;
  onRemove?: () => void;
  /** What the cross removes, said to screen readers. */
  remove?: string;
  open?: boolean;
  plain?: boolean;
  label?: string;
  ref?: React.Ref<HTMLSpanElement>;
}) {
  return (
    <span ref={ref} className={`${styles.pill} ${plain ? styles.plain : ''}`} data-open={open || undefined}>
      <button type="button" className={styles.pill_body} onClick={onClick} disabled={!onClick} aria-label={label} aria-expanded={onClick ? open : undefined}>
        {icon}
        <span>{children}</span>
      </button>
      {onRemove && (
        <button type="button" className={styles.pill_cross} onClick={onRemove} aria-label={remove ?? say('Remove')} title={remove ?? say('Remove')}>
          <IconX size={14} stroke={2} aria-hidden />
        </button>
      )}
    </span>
  );
}

export function AddButton({ label, words, onClick, ref }: { label: string; words?: string; onClick?: () => void; ref?: React.Ref<HTMLButtonElement> }) {
  return (
    <button ref={ref} type="button" className={styles.add} aria-label={label} title={label} onClick={onClick} data-words={words ? true : undefined}>
      <IconPlus size={16} stroke={1.8} aria-hidden />
      {words}
    </button>
  );
}
