import { useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Search = Record<string, string | string[] | undefined>;

/** `?a=1&a=2&b=x` -> {a:['1','2'], b:'x'}: plain text, so that links of other tools keep working. */
export function parse_search(text: string): Search {
  const result: Search = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = result[name];
    result[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return result;
}

export function write_search(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export interface GoOptions {
  replace?: boolean;
}

/** `go('/dashboard/3?tab=2#x')` changes the page without loading it anew. */
export function useGo(): (href: string, options?: GoOptions) => void {
  const router = useRouter();
  return useCallback(
    (href: string, options?: GoOptions) => void router.navigate({ href, replace: options?.replace } as never),
    [router],
  );
}
