import { useQuery } from '@tanstack/react-query';
import { ApiError, api } from './client';
import { query_client } from './query_client';
import type { CurrentUser, Engine, Properties } from './types';

export interface NewInstance {
  token: string;
  user: { email: string; password: string; first_name: string; last_name: string };
  prefs: { site_name: string; site_locale?: string };
}

export const session = {
  properties: (signal?: AbortSignal) => api.get<Properties>('/api/session/properties', { signal }),
  sign_in: (username: string, password: string, remember: boolean) =>
    api.post<{ id: string }>('/api/session', { username, password, remember }),
  reset_token_valid: async (token: string, signal?: AbortSignal) =>
    (await api.get<{ valid: boolean }>(`/api/session/password_reset_token_valid?token=${encodeURIComponent(token)}`, { signal })).valid,
  reset_password: (token: string, password: string) => api.post<{ success: boolean }>('/api/session/reset_password', { token, password }),
  sign_out: () => api.delete('/api/session'),
  check_password: (password: string, signal?: AbortSignal) =>
    api.post<{ valid: boolean }>('/api/session/password-check', { password }, { signal }),
  set_up: (instance: NewInstance) => api.post<{ id: string }>('/api/setup', instance),
  /** null when nobody is signed in. */
  current_user: async (signal?: AbortSignal): Promise<CurrentUser | null> => {
    try {
      return await api.get<CurrentUser>('/api/user/current', { signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
};

export const properties_query = {
  queryKey: ['properties'],
  queryFn: ({ signal }: { signal?: AbortSignal }) => session.properties(signal),
  staleTime: 5 * 60_000,
};

export const current_user_query = {
  queryKey: ['current-user'],
  queryFn: ({ signal }: { signal?: AbortSignal }) => session.current_user(signal),
  staleTime: 5 * 60_000,
};

export function useProperties(): Properties | undefined {
  return useQuery(properties_query).data;
}

/** The person signed in; undefined until known, null when nobody is. Pages inside the frame always have one. */
export function useCurrentUser(): CurrentUser | null | undefined {
  return useQuery(current_user_query).data;
}

export function useEngines(): Record<string, Engine> {
  return useProperties()?.engines ?? {};
}

/** Forgets everything fetched for the last person. */
export async function reload_session(): Promise<void> {
  query_client.clear();
  await Promise.all([query_client.fetchQuery(properties_query), query_client.fetchQuery(current_user_query)]);
}
