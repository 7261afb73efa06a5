import { useSyncExternalStore } from 'react';

const query = typeof window !== 'undefined' && window.matchMedia ? window.matchMedia('(max-width: 767px)') : null;

/** True on a phone: the side bar lies in a drawer, drawers fill the page. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query?.addEventListener?.('change', listener);
      return () => query?.removeEventListener?.('change', listener);
    },
    () => query?.matches ?? false,
    () => false,
  );
}
