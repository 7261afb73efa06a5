import { useSyncExternalStore } from 'react';

export type ThemeChoice = 'light' | 'dark' | 'system';
export type Theme = 'light' | 'dark';

const key = 'basalt.theme';
const listeners = new Set<() => void>();

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

let choice: ThemeChoice = stored();
const system_is_dark =
  typeof window !== 'undefined' && window.matchMedia ? window.matchMedia('(prefers-color-scheme: dark)') : null;

/** The theme on screen now: the person's choice, or the system's when they leave it to the system. */
export function current_theme(): Theme {
  if (choice !== 'system') return choice;
  return system_is_dark?.matches ? 'dark' : 'light';
}

function apply() {
  const theme = current_theme();
  document.documentElement.setAttribute('data-theme', theme);
  document.documentElement.setAttribute('data-mantine-color-scheme', theme);
  listeners.forEach((listener) => listener());
}

system_is_dark?.addEventListener?.('change', apply);

export function set_theme(next: ThemeChoice): void {
  choice = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // The choice then lasts as long as the page.
  }
  apply();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `theme` is what is shown; `choice` is what was asked for. Charts re-draw when `theme` changes. */
export function useTheme(): { theme: Theme; choice: ThemeChoice } {
  const theme = useSyncExternalStore(subscribe, current_theme, () => 'light' as Theme);
  const chosen = useSyncExternalStore(subscribe, () => choice, () => 'system' as ThemeChoice);
  return { theme, choice: chosen };
}

/** Value of a design token, resolved for the theme on screen, e.g. `token('--chart-1')`. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
