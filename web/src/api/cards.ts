import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { refresh } from './query_client';
import type { Card, Database, Dataset, DatasetQuery, Field, FieldValues, Parameter, ParameterValue, Table, UnsavedCard } from './types';

type Options = { signal?: AbortSignal };

export interface QueryMetadata {
  tables: Table[];
  databases: Database[];
  fields: Field[];
}

export type NewCard = Omit<UnsavedCard, 'id' | 'name' | 'original_card_id'> & {
  name: string;
  collection_position?: number | null;
  dashboard_id?: number | null;
  result_metadata?: unknown;
};

export const cards = {
  list: (query: { f?: string; model_id?: number } = {}, { signal }: Options = {}) =>
    api.get<Card[]>('/api/card', { signal, query }),
  one: (id: number | string, { signal }: Options = {}) =>
    api.get<Card>(`/api/card/${id}`, { signal, query: { 'legacy-mbql': true } }),
  query_metadata: (id: number | string, { signal }: Options = {}) =>
    api.get<QueryMetadata>(`/api/card/${id}/query_metadata`, { signal }),
  create: async (card: NewCard) => {
    const saved = await api.post<Card>('/api/card', { ...card, description: card.description || null });
    await refresh_lists();
    return saved;
  },
  update: async (id: number, change: Partial<Card>) => {
    const saved = await api.put<Card>(`/api/card/${id}`, change);
    await Promise.all([refresh(['cards', id]), refresh_lists()]);
    return saved;
  },
  remove: async (id: number) => {
    await api.delete(`/api/card/${id}`);
    await refresh_lists();
  },
  copy: async (id: number) => {
    const saved = await api.post<Card>(`/api/card/${id}/copy`);
    await refresh_lists();
    return saved;
  },
  /** Runs a saved card. Closing the connection (the signal) stops the query in the database too. */
  run: (id: number | string, body: { parameters?: ParameterValue[]; ignore_cache?: boolean; collection_preview?: boolean } = {}, { signal }: Options = {}) =>
    api.post<Dataset>(`/api/card/${id}/query`, body, { signal }),
  export: (id: number | string, format: 'csv' | 'json' | 'xlsx', body: Record<string, unknown> = {}) =>
    api.file(`/api/card/${id}/query/${format}`, body),
  dashboards: (id: number, { signal }: Options = {}) => api.get<{ id: number; name: string }[]>(`/api/card/${id}/dashboards`, { signal }),
  parameter_values: (id: number, key: string, { signal }: Options = {}) =>
    api.get<FieldValues>(`/api/card/${id}/params/${key}/values`, { signal }),
};

export const dataset = {
  /** Runs a query that is not saved. A failed query is an answer too: look at `status`. */
  run: (query: DatasetQuery, { signal }: Options = {}) => api.post<Dataset>('/api/dataset', query, { signal }),
  /** The SQL a structured query becomes. */
  native: (query: DatasetQuery, { signal }: Options = {}) =>
    api.post<{ query: string; params: unknown[] | null }>('/api/dataset/native', query, { signal }),
  query_metadata: (query: DatasetQuery, { signal }: Options = {}) =>
    api.post<QueryMetadata>('/api/dataset/query_metadata', query, { signal }),
  export: (query: DatasetQuery, format: 'csv' | 'json' | 'xlsx', options: { format_rows?: boolean; visualization_settings?: unknown } = {}) =>
    api.file(`/api/dataset/${format}`, { query, ...options }),
  parameter_values: (parameter: Parameter, field_ids: number[], { signal }: Options = {}) =>
    api.post<FieldValues>('/api/dataset/parameter/values', { parameter, field_ids }, { signal }),
};

export function refresh_lists(): Promise<unknown> {
  return refresh(['collections'], ['search'], ['recents'], ['cards', 'list'], ['dashboards', 'list'], ['bookmarks']);
}

export function useCard(id: number | string | undefined) {
  return useQuery({
    queryKey: ['cards', id],
    queryFn: ({ signal }) => cards.one(id!, { signal }),
    enabled: id !== undefined,
  });
}

/** Result of a saved card, for previews; the question page runs its own. */
export function useCardResult(id: number | undefined, enabled = true) {
  return useQuery({
    queryKey: ['cards', id, 'result'],
    queryFn: ({ signal }) => cards.run(id!, { collection_preview: true }, { signal }),
    enabled: enabled && id !== undefined,
    staleTime: 60_000,
  });
}
