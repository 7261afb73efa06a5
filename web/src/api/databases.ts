import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { refresh } from './query_client';
import type { Database, Field, FieldValues, Page, Table } from './types';

type Options = { signal?: AbortSignal };

export interface DatabaseInput {
  name: string;
  engine: string;
  details: Record<string, unknown>;
  is_full_sync?: boolean;
  auto_run_queries?: boolean;
}

export interface ConnectionTest {
  valid: boolean;
  message?: string;
  errors?: Record<string, string>;
}

export const databases = {
  list: (query: { include?: 'tables'; saved?: boolean } = {}, { signal }: Options = {}) =>
    api.get<Page<Database>>('/api/database', { signal, query }).then((page) => page.data),
  one: (id: number, { signal }: Options = {}) => api.get<Database>(`/api/database/${id}`, { signal }),
  metadata: (id: number, { signal }: Options = {}) => api.get<Database>(`/api/database/${id}/metadata`, { signal }),
  schemas: (id: number, { signal }: Options = {}) => api.get<string[]>(`/api/database/${id}/schemas`, { signal }),
  tables: (id: number, schema: string, { signal }: Options = {}) =>
    api.get<Table[]>(`/api/database/${id}/schema/${encodeURIComponent(schema)}`, { signal }),
  autocomplete: (id: number, prefix: string, { signal }: Options = {}) =>
    api.get<[string, string][]>(`/api/database/${id}/autocomplete_suggestions`, { signal, query: { prefix } }),
  test: (engine: string, details: Record<string, unknown>, { signal }: Options = {}) =>
    api.post<ConnectionTest>('/api/database/validate', { details: { engine, details } }, { signal }),
  create: (input: DatabaseInput) => api.post<Database>('/api/database', input),
  update: (id: number, input: Partial<DatabaseInput>) => api.put<Database>(`/api/database/${id}`, input),
  remove: (id: number) => api.delete(`/api/database/${id}`),
  sync: (id: number) => api.post<unknown>(`/api/database/${id}/sync_schema`),
  rescan: (id: number) => api.post<unknown>(`/api/database/${id}/rescan_values`),
  add_sample: () => api.post<Database>('/api/database/sample_database'),
  usage: (id: number) => api.get<Record<string, number>>(`/api/database/${id}/usage_info`),
  refresh: () => refresh(['databases'], ['tables']),
};

export const tables = {
  list: ({ signal }: Options = {}) => api.get<Table[]>('/api/table', { signal }),
  one: (id: number | string, { signal }: Options = {}) => api.get<Table>(`/api/table/${id}`, { signal }),
  /** The table with its fields, their targets and values: what the builder works with. `id` may be `card__17`. */
  query_metadata: (id: number | string, { signal }: Options = {}) =>
    api.get<Table>(`/api/table/${id}/query_metadata`, { signal }),
  foreign_keys: (id: number | string, { signal }: Options = {}) =>
    api.get<{ relationship: string; origin_id: number; origin: Field; destination_id: number; destination: Field }[]>(
      `/api/table/${id}/fks`,
      { signal },
    ),
  update: (id: number | string, change: Partial<Table>) => api.put<Table>(`/api/table/${id}`, change),
};

export const fields = {
  one: (id: number, { signal }: Options = {}) => api.get<Field>(`/api/field/${id}`, { signal }),
  update: (id: number, change: Partial<Field>) => api.put<Field>(`/api/field/${id}`, change),
  values: (id: number, { signal }: Options = {}) => api.get<FieldValues>(`/api/field/${id}/values`, { signal }),
  search: (id: number, words: string, limit = 100, { signal }: Options = {}) =>
    api.get<unknown[][]>(`/api/field/${id}/search/${id}`, { signal, query: { value: words, limit } }),
};

export function useDatabases(options: { saved?: boolean } = {}) {
  return useQuery({
    queryKey: ['databases', 'list', options],
    queryFn: ({ signal }) => databases.list(options, { signal }),
  });
}

export function useDatabase(id: number | undefined) {
  return useQuery({
    queryKey: ['databases', id],
    queryFn: ({ signal }) => databases.one(id!, { signal }),
    enabled: id !== undefined,
  });
}

export function useDatabaseMetadata(id: number | undefined | null) {
  return useQuery({
    queryKey: ['databases', id, 'metadata'],
    queryFn: ({ signal }) => databases.metadata(id!, { signal }),
    enabled: id !== undefined && id !== null,
    staleTime: 5 * 60_000,
  });
}

export function useSchemas(id: number | undefined) {
  return useQuery({
    queryKey: ['databases', id, 'schemas'],
    queryFn: ({ signal }) => databases.schemas(id!, { signal }),
    enabled: id !== undefined,
  });
}

export function useTables(id: number | undefined, schema: string | undefined) {
  return useQuery({
    queryKey: ['databases', id, 'tables', schema],
    queryFn: ({ signal }) => databases.tables(id!, schema!, { signal }),
    enabled: id !== undefined && schema !== undefined,
  });
}

export function useTableMetadata(id: number | string | undefined | null) {
  return useQuery({
    queryKey: ['tables', id, 'metadata'],
    queryFn: ({ signal }) => tables.query_metadata(id!, { signal }),
    enabled: id !== undefined && id !== null,
    staleTime: 5 * 60_000,
  });
}

export function useFieldValues(id: number | undefined) {
  return useQuery({
    queryKey: ['fields', id, 'values'],
    queryFn: ({ signal }) => fields.values(id!, { signal }),
    enabled: id !== undefined,
    staleTime: 5 * 60_000,
  });
}
