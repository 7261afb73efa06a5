import { useEffect, useRef, useSyncExternalStore } from 'react';

export interface Shortcut {
  /** One key ("e", "?", "mod+k") or two pressed one after the other ("c q"). `mod` is Ctrl, or Cmd on a Mac. */
  keys?: string;
  /** A sentence for the help page and the palette: "Edit this dashboard". Already translated. */
  label: string;
  /** Heading in the help page; page-level ones also show up in the palette under "On this page". */
  group: string;
  run: () => void;
  /** Works while typing in a field too (only sensible with `mod`). */
  in_fields?: boolean;
  /** Kept out of the palette. */
  hidden?: boolean;
  global?: boolean;
}

type Entry = { current: Shortcut[] };
let entries: Entry[] = [];
let snapshot: Shortcut[] = [];
const listeners = new Set<() => void>();

function publish() {
  snapshot = entries.flatMap((entry) => entry.current);
  listeners.forEach((listener) => listener());
}

const is_mac = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.platform ?? '');

/** "mod+shift+z" for the key event, the way shortcuts are written. Exported for tests. */
export function key_name(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase();
  const parts: string[] = [];
  if (is_mac ? event.metaKey : event.ctrlKey) parts.push('mod');
  if (event.altKey) parts.push('alt');
  // Shift is part of the sign for "?", so it counts only with letters and named keys.
  if (event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key))) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

function in_field(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (!element || !element.closest) return false;
  return element.isContentEditable || element.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], .cm-editor') !== null;
}

let first: string | undefined;
let first_at = 0;

function on_key(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing || ['Control', 'Meta', 'Shift', 'Alt'].includes(event.key)) return;
  const name = key_name(event);
  const typing = in_field(event.target);
  const now = event.timeStamp;
  const pair = first !== undefined && now - first_at < 1000 ? `${first} ${name}` : undefined;
  // The newest page wins over what lies beneath it.
  for (const wanted of pair ? [pair, name] : [name]) {
    for (let index = entries.length - 1; index >= 0; index--) {
      const hit = entries[index].current.find((one) => one.keys === wanted && (!typing || one.in_fields));
      if (hit) {
        event.preventDefault();
        first = undefined;
        hit.run();
        return;
      }
    }
  }
  const starts = !typing && entries.some((entry) => entry.current.some((one) => one.keys?.startsWith(`${name} `)));
  first = starts ? name : undefined;
  first_at = now;
}

let listening = false;

/** Registers keys while the calling component is on the page. Dialogs stop them: a modal swallows what is beneath. */
export function useShortcuts(list: Shortcut[]): void {
  const entry = useRef<Shortcut[]>(list);
  entry.current = list;
  const shape = list.map((one) => `${one.keys ?? ''}:${one.label}:${one.hidden ?? ''}`).join('|');
  useEffect(() => {
    if (!listening) {
      listening = true;
      window.addEventListener('keydown', (event) => {
        if (document.querySelector('.mantine-Modal-content, .mantine-Drawer-content') && !event.ctrlKey && !event.metaKey) return;
        on_key(event);
      });
    }
    entries = [...entries, entry];
    publish();
    return () => {
      entries = entries.filter((one) => one !== entry);
      publish();
    };
  }, []);
  useEffect(publish, [shape]);
}

/** All shortcuts of what is on the page now, for the help and the palette. */
export function useAllShortcuts(): Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => snapshot,
    () => snapshot,
  );
}

/** "mod+k" -> ["Ctrl", "K"]; "c q" -> ["c", "q"]. */
export function key_caps(keys: string): string[] {
  return keys.split(' ').flatMap((part) => {
    const pieces = part.length > 1 ? part.split('+') : [part];
    return pieces.map((piece) => {
      if (piece === 'mod') return is_mac ? '⌘' : 'Ctrl';
      if (piece === 'shift') return 'Shift';
      if (piece === 'alt') return 'Alt';
      if (piece === 'enter') return '↵';
      if (piece === 'backspace') return '⌫';
      return pieces.length > 1 ? piece.toUpperCase() : piece;
    });
  });
}
