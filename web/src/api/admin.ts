import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { refresh } from './query_client';
import type { ApiKey, Backup, CollectionGraph, Group, GroupDetail, Page, ParkedPage, ParkedValue, PermissionsGraph, Release, SelfUpgrade, Setting, Updates, UpdateWork, User } from './types';

type Options = { signal?: AbortSignal };

export interface PersonInput {
  email: string;
  first_name: string;
  last_name: string;
  password?: string;
  user_group_memberships?: { id: number }[];
}

export const people = {
  list: (query: { status?: 'all' | 'deactivated'; query?: string; limit?: number; offset?: number } = {}, { signal }: Options = {}) =>
    api.get<Page<User>>('/api/user', { signal, query }),
  create: async (input: PersonInput) => {
    const user = await api.post<User>('/api/user', input);
    await refresh(['people'], ['groups']);
    return user;
  },
  update: async (id: number, change: Partial<PersonInput> & { is_superuser?: boolean; locale?: string | null }) => {
    const user = await api.put<User>(`/api/user/${id}`, change);
    await refresh(['people'], ['groups']);
    return user;
  },
  set_password: (id: number, password: string, old_password?: string) =>
    api.put<unknown>(`/api/user/${id}/password`, { password, old_password }),
  deactivate: async (id: number) => {
    await api.delete(`/api/user/${id}`);
    await refresh(['people'], ['groups']);
  },
  reactivate: async (id: number) => {
    await api.put(`/api/user/${id}/reactivate`);
    await refresh(['people'], ['groups']);
  },
};

export const groups = {
  list: ({ signal }: Options = {}) => api.get<Group[]>('/api/permissions/group', { signal }),
  one: (id: number, { signal }: Options = {}) => api.get<GroupDetail>(`/api/permissions/group/${id}`, { signal }),
  create: (name: string) => api.post<Group>('/api/permissions/group', { name }),
  rename: (id: number, name: string) => api.put<Group>(`/api/permissions/group/${id}`, { name }),
  remove: (id: number) => api.delete(`/api/permissions/group/${id}`),
  add_member: (group_id: number, user_id: number) => api.post<unknown>('/api/permissions/membership', { group_id, user_id }),
  remove_member: (membership_id: number) => api.delete(`/api/permissions/membership/${membership_id}`),
  refresh: () => refresh(['groups'], ['people'], ['permissions']),
};

export const permissions = {
  graph: ({ signal }: Options = {}) => api.get<PermissionsGraph>('/api/permissions/graph', { signal }),
  save: (graph: PermissionsGraph) => api.put<PermissionsGraph>('/api/permissions/graph', graph),
  collection_graph: ({ signal }: Options = {}) => api.get<CollectionGraph>('/api/collection/graph', { signal }),
  save_collections: (graph: CollectionGraph) => api.put<CollectionGraph>('/api/collection/graph', graph),
};

export const settings = {
  list: ({ signal }: Options = {}) => api.get<Setting[]>('/api/setting', { signal }),
  set: async (key: string, value: unknown) => {
    await api.put(`/api/setting/${encodeURIComponent(key)}`, { value });
    await refresh(['settings'], ['properties']);
  },
};

export const api_keys = {
  list: ({ signal }: Options = {}) => api.get<ApiKey[]>('/api/api-key', { signal }),
  create: async (name: string, group_id: number) => {
    const key = await api.post<ApiKey>('/api/api-key', { name, group_id });
    await refresh(['api-keys']);
    return key;
  },
  update: async (id: number, change: { name?: string; group_id?: number }) => {
    const key = await api.put<ApiKey>(`/api/api-key/${id}`, change);
    await refresh(['api-keys']);
    return key;
  },
  regenerate: async (id: number) => {
    const key = await api.put<ApiKey>(`/api/api-key/${id}/regenerate`);
    await refresh(['api-keys']);
    return key;
  },
  remove: async (id: number) => {
    await api.delete(`/api/api-key/${id}`);
    await refresh(['api-keys']);
  },
};

const stale_updates = () => refresh(['updates'], ['parked']);

export const updates = {
  state: ({ signal }: Options = {}) => api.get<Updates>('/api/basalt/updates', { signal }),
  progress: ({ signal }: Options = {}) => api.get<{ work: UpdateWork | null }>('/api/basalt/updates/progress', { signal }),
  check: () => api.post<Release>('/api/basalt/updates/check'),
  finalise: () => api.post<UpdateWork>('/api/basalt/updates/finalise'),
  self: ({ signal }: Options = {}) => api.get<SelfUpgrade>('/api/updates/self', { signal }),
  install: (version: string) => api.post('/api/updates/self/apply', { version, now: true }),
  go_back: () => api.post('/api/updates/self/rollback'),
  hold: (until: string, why: string) => api.post('/api/updates/self/hold', { until: until || null, why: why || null }),
  unhold: () => api.post('/api/updates/self/unhold'),
  back_up: () => api.post<UpdateWork>('/api/basalt/backup', { in_background: true }),
  verify: (id: string) => api.post<UpdateWork>('/api/basalt/backup/verify', { id, in_background: true }),
  restore: (id: string, confirm: string) => api.post<UpdateWork>('/api/basalt/backup/restore', { id, confirm }),
  /** Where the browser fetches the file itself. */
  file: (id: string) => `/api/basalt/backup/${encodeURIComponent(id)}/file`,
  upload: async (file: Blob) => {
    const backup = await api.post_file<Backup>('/api/basalt/backup/file', file);
    await stale_updates();
    return backup;
  },
  delete_replaced: async (name: string) => {
    await api.post('/api/basalt/replaced/delete', { name });
    await stale_updates();
  },
  parked: (query: { table?: string; state?: string; limit: number; offset: number }, { signal }: Options = {}) =>
    api.get<ParkedPage>('/api/basalt/parked', { signal, query }),
  take: async (id: number) => {
    const value = await api.post<ParkedValue>(`/api/basalt/parked/${id}/take`);
    await stale_updates();
    return value;
  },
  untake: async (id: number) => {
    const value = await api.post<ParkedValue>(`/api/basalt/parked/${id}/untake`);
    await stale_updates();
    return value;
  },
  stale: stale_updates,
};

export function useGroups() {
  return useQuery({ queryKey: ['groups'], queryFn: ({ signal }) => groups.list({ signal }) });
}

export function useSettings() {
  return useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => settings.list({ signal }) });
}
