import { useQueries } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { tables } from '@/api/databases';
import { catalogOf, missingTables } from '../columns';
import type { Catalog, Query, TableMeta } from '../types';

/**
 * Metadata that queries need: their tables, joined ones, and those that foreign keys lead to. Loads what is missing;
 * a table that may not be read counts as loaded and empty.
 */
export function useCatalog(queries: Query | (Query | null)[] | null): { catalog: Catalog; loading: boolean; tables: TableMeta[] } {
  const list = useMemo(() => (Array.isArray(queries) ? queries : [queries]).filter((query): query is Query => query !== null), [queries]);
  const [wanted, set_wanted] = useState<(number | string)[]>([]);
  const loaded = useQueries({
    queries: wanted.map((id) => ({
      queryKey: ['tables', id, 'metadata'],
      queryFn: ({ signal }: { signal: AbortSignal }) => tables.query_metadata(id, { signal }),
      staleTime: 5 * 60_000,
      retry: false,
    })),
    combine: (results) => ({
      tables: results.flatMap((result) => (result.data ? [result.data as unknown as TableMeta] : [])),
      pending: results.some((result) => result.isPending),
    }),
  });
  const catalog = useMemo(() => catalogOf(loaded.tables), [loaded.tables]);
  const missing = useMemo(
    () => [...new Set(list.flatMap((query) => missingTables(query, catalog)))].filter((id) => !wanted.includes(id)),
    [list, catalog, wanted],
  );
  useEffect(() => {
    if (missing.length > 0) set_wanted((before) => [...before, ...missing.filter((id) => !before.includes(id))]);
  }, [missing]);
  return { catalog, loading: missing.length > 0 || loaded.pending, tables: loaded.tables };
}
