import { QueryClient } from '@tanstack/react-query';
import { ApiError, is_abort } from './client';

/** One cache for the whole app. Answers stay fresh for half a minute; what a person changes is marked stale by the call. */
export const query_client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => {
        if (is_abort(error)) return false;
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) return false;
        return count < 2;
      },
    },
  },
});

/** Marks everything under these keys stale, so that open pages fetch it anew. */
export function refresh(...keys: unknown[][]): Promise<unknown> {
  return Promise.all(keys.map((queryKey) => query_client.invalidateQueries({ queryKey })));
}
