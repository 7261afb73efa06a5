import type { ReactNode } from 'react';
import type { DashboardTab } from '@/api/types';
import { say } from '@/query/words';
import styles from './dashboard.module.css';

/** Tabs of a dashboard; arrows move between them. */
export function Tabs({ tabs, active, onPick, after, extra }: { tabs: DashboardTab[]; active: number | null; onPick: (id: number) => void; after?: (tab: DashboardTab) => ReactNode; extra?: ReactNode }) {
  return (
    <div className={styles.tabs} role="tablist" aria-label={say('Tabs')}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (by === 0 || (event.target as HTMLElement).getAttribute('role') !== 'tab') return;
        event.preventDefault();
        const at = tabs.findIndex((tab) => tab.id === active);
        const next = tabs[(at + by + tabs.length) % tabs.length];
        if (next) {
          onPick(next.id);
          const buttons = event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]');
          buttons[tabs.indexOf(next)]?.focus();
        }
      }}
    >
      {tabs.map((tab) => (
        <span key={tab.id} style={{ display: 'inline-flex', alignItems: 'center', gap: 2 }}>
          <button type="button" role="tab" aria-selected={tab.id === active} tabIndex={tab.id === active ? 0 : -1} className={styles.tab} style={{ height: '100%' }} onClick={() => onPick(tab.id)}>{tab.name}</button>
          {tab.id === active && after?.(tab)}
        </span>
      ))}
      {extra}
    </div>
  );
}
