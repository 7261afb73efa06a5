import { useEffect, useSyncExternalStore } from 'react';

// State of the frame around the pages, which pages may change without knowing the frame.

const key = 'basalt.frame';

interface FrameState {
  /** The person's choice; `folded` hides the side bar for now and leaves the choice alone. */
  side_open: boolean;
  side_width: number;
  folded: number;
  title: string;
  /** The dialog for something new that is open. */
  creating: 'dashboard' | 'collection' | null;
}

function start(): FrameState {
  let side_open = true;
  let side_width = 264;
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<FrameState>;
    side_open = stored.side_open ?? true;
    side_width = Math.min(400, Math.max(200, stored.side_width ?? 264));
  } catch {
    // A broken entry is as good as none.
  }
  return { side_open, side_width, folded: 0, title: '', creating: null };
}

let state = start();
const listeners = new Set<() => void>();

function change(next: Partial<FrameState>) {
  state = { ...state, ...next };
  try {
    localStorage.setItem(key, JSON.stringify({ side_open: state.side_open, side_width: state.side_width }));
  } catch {
    // Lasts as long as the page then.
  }
  listeners.forEach((listener) => listener());
}

export const frame = {
  toggle_side: () => {
    if (state.folded > 0) change({ folded: 0, side_open: true });
    else change({ side_open: !state.side_open });
  },
  /** Opens the dialog for something new, placed where the person is; null closes it. */
  create: (creating: FrameState['creating']) => change({ creating }),
  set_width: (width: number) => change({ side_width: Math.min(400, Math.max(200, Math.round(width))) }),
};

export function useFrame(): FrameState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
    () => state,
  );
}

/** Folds the side bar away while the page is open (builder, SQL, editing); the person can still bring it back. */
export function useFoldedSide(active = true): void {
  useEffect(() => {
    if (!active) return;
    change({ folded: state.folded + 1 });
    return () => change({ folded: Math.max(0, state.folded - 1) });
  }, [active]);
}

/** The browser's title, and what a screen reader hears after a page change. */
export function usePageTitle(title: string | undefined | null): void {
  useEffect(() => {
    if (!title) return;
    document.title = `${title} · Basalt`;
    change({ title });
  }, [title]);
}
