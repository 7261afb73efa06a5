import { useCallback, useEffect, useRef, useState } from 'react';
import { is_abort } from '../api/client';
import type { Dataset } from '../api/types';
import { say } from '../query/words';

export interface Failure {
  message: string;
  /** What kind the server says it is: `db`, `timed-out`, `missing-required-permissions`, `invalid-query`… */
  kind: string | null;
  /** The server's own data about it, such as the place in the SQL. */
  data: Record<string, unknown>;
}
export interface Run {
  /** The last result that was complete; kept while a newer one is on its way or has failed. */
  result: Dataset | null;
  /** The key of what gave `result`. */
  result_key: string | null;
  /** When it arrived, in milliseconds. */
  result_at: number | null;
  running: boolean;
  /** When the running query was sent. */
  started: number | null;
  cancelled: boolean;
  failure: Failure | null;
  run: (fresh?: boolean) => void;
  cancel: () => void;
}

interface Kept {
  result: Dataset;
  at: number;
}
/** The newest results, so that going back shows at once what was seen before. */
const kept = new Map<string, Kept>();
const most_kept = 20;
const fresh_for = 5 * 60_000;
function keep(key: string, result: Dataset): void {
  kept.delete(key);
  kept.set(key, { result, at: Date.now() });
  if (kept.size > most_kept) kept.delete(kept.keys().next().value!);
}
/** After something was saved under another name of the same query nothing needs to run again. */
export function keepResult(key: string, result: Dataset): void {
  keep(key, result);
}

export function failureOf(answer: Dataset): Failure {
  return {
    message: answer.error ?? answer.via?.[0]?.error ?? answer.via?.[0]?.message ?? say('The query failed without saying why.'),
    kind: answer.error_type ?? null, data: answer['ex-data'] ?? {},
  };
}

/**
 * Runs what `send` sends whenever `key` changes (null: nothing to run). With `manual` only when asked to.
 * Stopping closes the connection, which stops the query in the database too.
 */
export function useRun(key: string | null, send: (signal: AbortSignal, fresh: boolean) => Promise<Dataset>, options: { manual?: boolean } = {}): Run {
  const [state, setState] = useState<Omit<Run, 'run' | 'cancel'>>(() => {
    const found = key === null ? undefined : kept.get(key);
    return { result: found?.result ?? null, result_key: found ? key : null, result_at: found?.at ?? null, running: false, started: null, cancelled: false, failure: null };
  });
  const controller = useRef<AbortController | null>(null);
  const latest = useRef({ key, send });
  latest.current = { key, send };

  const run = useCallback((fresh = true) => {
    controller.current?.abort();
    const { key: now, send: sender } = latest.current;
    if (now === null) return;
    const own = new AbortController();
    controller.current = own;
    setState((before) => ({ ...before, running: true, started: Date.now(), cancelled: false, failure: null }));
    sender(own.signal, fresh).then(
      (answer) => {
        if (own.signal.aborted) return;
        if (answer.status === 'completed') {
          keep(now, answer);
          setState({ result: answer, result_key: now, result_at: Date.now(), running: false, started: null, cancelled: false, failure: null });
        } else setState((before) => ({ ...before, running: false, started: null, failure: failureOf(answer) }));
      },
      (error: unknown) => {
        if (own.signal.aborted || is_abort(error)) return;
        const status = (error as { status?: number }).status;
        setState((before) => ({ ...before, running: false, started: null, failure: { message: error instanceof Error ? error.message : String(error), kind: status === 403 ? 'missing-required-permissions' : status === 0 ? 'offline' : null, data: {} } }));
      },
    );
  }, []);
  const cancel = useCallback(() => {
    controller.current?.abort();
    setState((before) => ({ ...before, running: false, started: null, cancelled: true }));
  }, []);

  useEffect(() => {
    if (key === null) {
      controller.current?.abort();
      setState((before) => ({ ...before, running: false, started: null }));
      return;
    }
    if (options.manual) return;
    const found = kept.get(key);
    if (found && Date.now() - found.at < fresh_for) {
      controller.current?.abort();
      setState({ result: found.result, result_key: key, result_at: found.at, running: false, started: null, cancelled: false, failure: null });
      return;
    }
    run(false);
  }, [key, options.manual, run]);
  useEffect(() => () => controller.current?.abort(), []);
  return { ...state, run, cancel };
}
