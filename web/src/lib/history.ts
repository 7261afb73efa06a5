import { useCallback, useReducer } from 'react';

export interface History<T> {
  past: T[];
  present: T;
  future: T[];
  /** The kind of the last change: one more of the same kind (typing on) adds to it instead of making a step. */
  merge?: string;
}
export type HistoryAction<T> = { type: 'set'; value: T; merge?: string } | { type: 'undo' } | { type: 'redo' } | { type: 'reset'; value: T };
const MOST = 100;

/** Steps that one can take back. Setting what is already there is no step. */
export function change_history<T>(history: History<T>, action: HistoryAction<T>): History<T> {
  switch (action.type) {
    case 'reset':
      return { past: [], present: action.value, future: [] };
    case 'set':
      if (action.value === history.present) return history;
      if (action.merge !== undefined && action.merge === history.merge) return { ...history, present: action.value, future: [] };
      return { past: [...history.past, history.present].slice(-MOST), present: action.value, future: [], ...(action.merge === undefined ? {} : { merge: action.merge }) };
    case 'undo': {
      const before = history.past[history.past.length - 1];
      if (history.past.length === 0) return history;
      return { past: history.past.slice(0, -1), present: before as T, future: [history.present, ...history.future] };
    }
    case 'redo': {
      const [next, ...rest] = history.future;
      if (history.future.length === 0) return history;
      return { past: [...history.past, history.present], present: next as T, future: rest };
    }
  }
}

export function useHistory<T>(start: T) {
  const [history, dispatch] = useReducer(change_history<T>, { past: [], present: start, future: [] });
  const set = useCallback((value: T, merge?: string) => dispatch({ type: 'set', value, merge }), []);
  const reset = useCallback((value: T) => dispatch({ type: 'reset', value }), []);
  const undo = useCallback(() => dispatch({ type: 'undo' }), []);
  const redo = useCallback(() => dispatch({ type: 'redo' }), []);
  return { value: history.present, set, reset, undo, redo, can_undo: history.past.length > 0, can_redo: history.future.length > 0, steps: history.past.length };
}
