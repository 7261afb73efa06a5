import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api } from './client';
import { refresh } from './query_client';
import { refresh_lists } from './cards';
import type { Bookmark, Collection, CollectionId, CollectionItem, CollectionNode, Page, PopularItem, RecentItem, SearchPage } from './types';

type Options = { signal?: AbortSignal };

export interface ItemsQuery {
  models?: string[];
  pinned_state?: 'all' | 'is_pinned' | 'is_not_pinned';
  sort_column?: 'name' | 'last_edited_at' | 'last_edited_by' | 'model';
  sort_direction?: 'asc' | 'desc';
  limit?: number;
  offset?: number;
  archived?: boolean;
}

export interface CollectionInput {
  name: string;
  description?: string | null;
  parent_id?: number | null;
}

export const collections = {
  list: ({ signal }: Options = {}) => api.get<Collection[]>('/api/collection', { signal }),
  tree: ({ signal }: Options = {}) =>
    api.get<CollectionNode[]>('/api/collection/tree', {
      signal,
      query: { 'exclude-archived': true, 'exclude-other-user-collections': true },
    }),
  one: (id: CollectionId, { signal }: Options = {}) => api.get<Collection>(`/api/collection/${id}`, { signal }),
  items: (id: CollectionId, query: ItemsQuery = {}, { signal }: Options = {}) =>
    api.get<Page<CollectionItem>>(`/api/collection/${id}/items`, { signal, query: { ...query } }),
  create: async (input: CollectionInput) => {
    const saved = await api.post<Collection>('/api/collection', { ...input, description: input.description || null });
    await refresh_lists();
    return saved;
  },
  update: async (id: number, change: Partial<CollectionInput> & { archived?: boolean }) => {
    const saved = await api.put<Collection>(`/api/collection/${id}`, change);
    await refresh_lists();
    return saved;
  },
  remove: async (id: number) => {
    await api.delete(`/api/collection/${id}`);
    await refresh_lists();
  },
};

/** A change to an item of any kind: into another collection, pinned, to the trash or back. */
export async function change_item(
  item: { model: string; id: number },
  change: { collection_id?: number | null; archived?: boolean; collection_position?: number | null; name?: string },
): Promise<void> {
  if (item.model === 'collection') {
    const { collection_id, collection_position: _position, ...rest } = change;
    await api.put(`/api/collection/${item.id}`, collection_id === undefined ? rest : { ...rest, parent_id: collection_id });
  } else {
    await api.put(`/api/${item.model === 'dashboard' ? 'dashboard' : 'card'}/${item.id}`, change);
  }
}

export async function remove_item(item: { model: string; id: number }): Promise<void> {
  const kind = item.model === 'dashboard' || item.model === 'collection' ? item.model : 'card';
  await api.delete(`/api/${kind}/${item.id}`);
}

export async function copy_item(item: { model: string; id: number }): Promise<void> {
  await api.post(`/api/${item.model === 'dashboard' ? 'dashboard' : 'card'}/${item.id}/copy`, {});
}

export interface SearchQuery {
  q?: string;
  models?: string[];
  collection?: number;
  table_db_id?: number;
  created_by?: number;
  archived?: boolean;
  limit?: number;
  offset?: number;
}

export function search(query: SearchQuery, { signal }: Options = {}): Promise<SearchPage> {
  return api.get<SearchPage>('/api/search', { signal, query: { ...query } });
}

export const bookmarks = {
  list: ({ signal }: Options = {}) => api.get<Bookmark[]>('/api/bookmark', { signal }),
  add: async (model: Bookmark['type'], id: number) => {
    await api.post(`/api/bookmark/${model}/${id}`);
    await refresh(['bookmarks']);
  },
  remove: async (model: Bookmark['type'], id: number) => {
    await api.delete(`/api/bookmark/${model}/${id}`);
    await refresh(['bookmarks']);
  },
};

export const activity = {
  recents: ({ signal }: Options = {}) =>
    api.get<{ recents: RecentItem[] }>('/api/activity/recents', { signal, query: { context: 'views' } }).then((answer) => answer.recents),
  popular: ({ signal }: Options = {}) =>
    api.get<{ popular_items: PopularItem[] }>('/api/activity/popular_items', { signal }).then((answer) => answer.popular_items),
};

export function useCollectionTree() {
  return useQuery({ queryKey: ['collections', 'tree'], queryFn: ({ signal }) => collections.tree({ signal }) });
}

export function useCollection(id: CollectionId | undefined) {
  return useQuery({
    queryKey: ['collections', id],
    queryFn: ({ signal }) => collections.one(id!, { signal }),
    enabled: id !== undefined,
  });
}

export function useCollectionItems(id: CollectionId | undefined, query: ItemsQuery = {}) {
  return useQuery({
    queryKey: ['collections', id, 'items', query],
    queryFn: ({ signal }) => collections.items(id!, query, { signal }),
    enabled: id !== undefined,
    placeholderData: (before) => before,
  });
}

export function useInfiniteItems(id: CollectionId | undefined, query: ItemsQuery, page_size = 50) {
  return useInfiniteQuery({
    queryKey: ['collections', id, 'items', 'pages', query],
    queryFn: ({ signal, pageParam }) => collections.items(id!, { ...query, limit: page_size, offset: pageParam }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const seen = pages.reduce((sum, page) => sum + page.data.length, 0);
      return seen < last.total && last.data.length > 0 ? seen : undefined;
    },
    enabled: id !== undefined,
    placeholderData: (before) => before,
  });
}

export function useSearch(query: SearchQuery, enabled = true) {
  return useQuery({
    queryKey: ['search', query],
    queryFn: ({ signal }) => search(query, { signal }),
    enabled,
    placeholderData: (before) => before,
  });
}

export function useBookmarks() {
  return useQuery({ queryKey: ['bookmarks'], queryFn: ({ signal }) => bookmarks.list({ signal }) });
}

export function useRecents() {
  return useQuery({ queryKey: ['recents'], queryFn: ({ signal }) => activity.recents({ signal }) });
}

export function usePopular() {
  return useQuery({ queryKey: ['recents', 'popular'], queryFn: ({ signal }) => activity.popular({ signal }) });
}
