import { type RefObject, useEffect } from 'react';

/** Focuses the part of a panel that one starts with, also when the panel takes another's place in an open pop-over. */
export function useFirstFocus(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    // After the pop-over has placed itself: a focus before that would scroll the page.
    const timer = requestAnimationFrame(() => {
      const panel = root.current;
      if (!panel || (panel.contains(document.activeElement) && document.activeElement !== panel)) return;
      (panel.querySelector<HTMLElement>('[data-autofocus]') ?? panel.querySelector<HTMLElement>('input, textarea, button, [tabindex="0"]'))?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(timer);
  }, [root]);
}
