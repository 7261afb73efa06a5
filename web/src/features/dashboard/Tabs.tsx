import { IconChevronDown } from '@tabler/icons-react';
import type { ReactElement, ReactNode } from 'react';
import type { DashboardTab } from '@/api/types';
import { say } from '@/query/words';
import styles from './dashboard.module.css';

/** Tabs of a dashboard; arrows move between them. While editing, the active tab opens a menu (`menu` wraps its button). */
export function Tabs({ tabs, active, onPick, menu, extra }: { tabs: DashboardTab[]; active: number | null; onPick: (id: number) => void; menu?: (tab: DashboardTab, button: ReactElement) => ReactNode; extra?: ReactNode }) {
  return (
    <div className={styles.tabs}>
      {tabs.length > 0 && (
        <div
          className={styles.tab_list} role="tablist" aria-label={say('Tabs')}
          onKeyDown={(event) => {
            const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
            if (by === 0 || (event.target as HTMLElement).getAttribute('role') !== 'tab') return;
            event.preventDefault();
            const at = tabs.findIndex((tab) => tab.id === active);
            const next = tabs[(at + by + tabs.length) % tabs.length];
            if (!next) return;
            onPick(next.id);
            event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')[tabs.indexOf(next)]?.focus();
          }}
        >
          {tabs.map((tab) => {
            const on = tab.id === active;
            const button = (
              <button key={tab.id} type="button" role="tab" aria-selected={on} tabIndex={on ? 0 : -1} className={styles.tab} onClick={on && menu ? undefined : () => onPick(tab.id)}>
                {tab.name}
                {on && menu && <IconChevronDown size={14} stroke={1.8} aria-hidden />}
              </button>
            );
            return on && menu ? menu(tab, button) : button;
          })}
        </div>
      )}
      {extra}
    </div>
  );
}
