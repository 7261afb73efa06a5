import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { refresh } from './query_client';
import { refresh_lists, type QueryMetadata } from './cards';
import type { Dashboard, Dataset, FieldValues, ParameterValue, Revision } from './types';

type Options = { signal?: AbortSignal };

export const dashboards = {
  list: (query: { f?: string } = {}, { signal }: Options = {}) => api.get<Dashboard[]>('/api/dashboard', { signal, query }),
  one: (id: number | string, { signal }: Options = {}) => api.get<Dashboard>(`/api/dashboard/${id}`, { signal }),
  query_metadata: (id: number | string, { signal }: Options = {}) =>
    api.get<QueryMetadata>(`/api/dashboard/${id}/query_metadata`, { signal }),
  create: async (input: { name: string; description?: string | null; collection_id?: number | null }) => {
    const saved = await api.post<Dashboard>('/api/dashboard', { ...input, description: input.description || null });
    await refresh_lists();
    return saved;
  },
  update: async (id: number, change: Partial<Dashboard>) => {
    const saved = await api.put<Dashboard>(`/api/dashboard/${id}`, change);
    await Promise.all([refresh(['dashboards', id]), refresh_lists()]);
    return saved;
  },
  remove: async (id: number) => {
    await api.delete(`/api/dashboard/${id}`);
    await refresh_lists();
  },
  copy: async (id: number, input: { name?: string; collection_id?: number | null; is_deep_copy?: boolean } = {}) => {
    const saved = await api.post<Dashboard>(`/api/dashboard/${id}/copy`, input);
    await refresh_lists();
    return saved;
  },
  run_card: (
    place: { dashboard: number | string; dashcard: number; card: number },
    body: { parameters?: ParameterValue[]; ignore_cache?: boolean } = {},
    { signal }: Options = {},
  ) => api.post<Dataset>(`/api/dashboard/${place.dashboard}/dashcard/${place.dashcard}/card/${place.card}/query`, body, { signal }),
  export_card: (
    place: { dashboard: number | string; dashcard: number; card: number },
    format: 'csv' | 'json' | 'xlsx',
    body: { parameters?: ParameterValue[] } = {},
  ) => api.file(`/api/dashboard/${place.dashboard}/dashcard/${place.dashcard}/card/${place.card}/query/${format}`, body),
  /** Values to choose from for a filter; `others` are the values of the filters it is linked to. */
  parameter_values: (id: number | string, key: string, others: Record<string, unknown> = {}, { signal }: Options = {}) =>
    api.get<FieldValues>(`/api/dashboard/${id}/params/${key}/values`, { signal, query: others }),
  search_parameter_values: (id: number | string, key: string, words: string, others: Record<string, unknown> = {}, { signal }: Options = {}) =>
    api.get<FieldValues>(`/api/dashboard/${id}/params/${key}/search/${encodeURIComponent(words)}`, { signal, query: others }),
};

export const revisions = {
  list: (entity: 'card' | 'dashboard', id: number, { signal }: Options = {}) =>
    api.get<Revision[]>(`/api/revision/${entity}/${id}`, { signal }),
  revert: async (entity: 'card' | 'dashboard', id: number, revision_id: number) => {
    const revision = await api.post<Revision>('/api/revision/revert', { entity, id, revision_id });
    await refresh([`${entity}s`, id], ['revisions', entity, id]);
    return revision;
  },
};

export function useDashboard(id: number | string | undefined) {
  return useQuery({
    queryKey: ['dashboards', id],
    queryFn: ({ signal }) => dashboards.one(id!, { signal }),
    enabled: id !== undefined,
  });
}

export function useRevisions(entity: 'card' | 'dashboard', id: number | undefined, enabled = true) {
  return useQuery({
    queryKey: ['revisions', entity, id],
    queryFn: ({ signal }) => revisions.list(entity, id!, { signal }),
    enabled: enabled && id !== undefined,
  });
}
