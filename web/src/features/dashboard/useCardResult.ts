import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { cards } from '@/api/cards';
import { dashboards } from '@/api/dashboards';
import { ApiError, is_abort } from '@/api/client';
import type { DashCard, Dataset } from '@/api/types';
import type { Parameter } from '@/query/parameters';
import { cardRunner } from './runner';
import { parametersFor, type Values } from './values';

export interface CardResult {
  data: Dataset | null;
  /** Waiting in line or running. */
  loading: boolean;
  /** An older result stands while a newer one loads. */
  stale: boolean;
  error: ApiError | Error | null;
  cancelled: boolean;
  updated_at: number;
  cancel: () => void;
  again: () => void;
}
/** The parts of the keys under which results lie, to refresh or drop them all. */
export const resultKey = (dashboard: number) => ['dashboard-results', dashboard];

/**
 * Runs one card of a dashboard with its filters; at most six run at once, and leaving the page stops them.
 * `detached`: the server does not know the card at this place yet, so it runs by itself.
 */
export function useCardResult(dashboard: number, dashcard: DashCard, parameters: Parameter[], values: Values, detached = false): CardResult {
  const client = useQueryClient();
  const [cancelled, set_cancelled] = useState(false);
  const sent = useMemo(() => parametersFor(dashcard.parameter_mappings, parameters, values), [dashcard.parameter_mappings, parameters, values]);
  const card = dashcard.card_id;
  const key = useMemo(() => [...resultKey(dashboard), dashcard.id, card, JSON.stringify(sent)], [dashboard, dashcard.id, card, sent]);
  const run = (signal: AbortSignal): Promise<Dataset> => {
    const ignore_cache = client.getQueryState(key)?.isInvalidated ?? false;
    return dashcard.id > 0 && !detached
      ? dashboards.run_card({ dashboard, dashcard: dashcard.id, card: card! }, { parameters: sent, ignore_cache }, { signal })
      : cards.run(card!, { parameters: sent, ignore_cache }, { signal });
  };
  const result = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => cardRunner.run(() => run(signal), signal),
    enabled: card !== null && !cancelled,
    staleTime: 10 * 60_000, gcTime: 5 * 60_000, retry: false, refetchOnWindowFocus: false,
    placeholderData: (before) => before,
  });
  return {
    data: result.data ?? null,
    loading: !cancelled && result.isFetching,
    stale: result.isPlaceholderData || (result.isFetching && result.data !== undefined),
    error: result.error && !is_abort(result.error) ? result.error : null,
    cancelled,
    updated_at: result.dataUpdatedAt,
    cancel: () => {
      set_cancelled(true);
      void client.cancelQueries({ queryKey: key });
    },
    again: () => {
      if (cancelled) set_cancelled(false);
      else void client.invalidateQueries({ queryKey: key });
    },
  };
}
