import { SegmentedControl } from '@mantine/core';
import { IconBox, IconChartLine, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { search } from '@/api/collections';
import { tables } from '@/api/databases';
import { ListPanel, type ListGroup } from '@/query/editors/ListPanel';
import type { Source } from '@/query/types';
import { say } from '@/query/words';
import styles from '@/query/editors/editors.module.css';

type Kind = 'tables' | 'models' | 'questions';

/** Picks a table, a model or a saved question. `database` keeps to one database (for joins). */
export function SourcePicker({ database, onPick, without }: {
  database?: number | null;
  onPick: (source: Source, database: number) => void;
  /** A saved question that may not read itself. */
  without?: number;
}) {
  const [kind, set_kind] = useState<Kind>('tables');
  const [words, set_words] = useState('');
  const all = useQuery({ queryKey: ['tables', 'list'], queryFn: ({ signal }) => tables.list({ signal }), staleTime: 60_000 });
  const models = kind === 'models' ? ['dataset'] : ['card', 'metric'];
  const found = useQuery({
    queryKey: ['search', 'sources', kind, words, database],
    queryFn: ({ signal }) => search({ q: words || undefined, models, limit: 50, table_db_id: database ?? undefined }, { signal }),
    enabled: kind !== 'tables', staleTime: 30_000, placeholderData: (before) => before,
  });
  const groups = useMemo((): ListGroup[] => {
    if (kind !== 'tables') {
      const Icon = kind === 'models' ? IconBox : IconChartLine;
      return [{
        id: kind,
        items: (found.data?.data ?? []).filter((item) => item.id !== without && (!database || item.database_id == null || item.database_id === database)).map((item) => ({
          id: String(item.id), title: item.name, icon: <Icon size={16} stroke={1.6} aria-hidden />, side: item.collection?.name ?? say('Our analytics'),
          onPick: () => onPick({ type: 'card', id: Number(item.id) }, item.database_id ?? database ?? 0),
        })),
      }];
    }
    const list = (all.data ?? []).filter((table) => typeof table.id === 'number' && (!database || table.db_id === database));
    const wanted = words.trim().toLowerCase();
    const by = new Map<string, ListGroup>();
    const several = new Map<number, Set<string | null>>();
    for (const table of list) several.set(table.db_id, (several.get(table.db_id) ?? new Set()).add(table.schema));
    for (const table of list) {
      if (wanted && !`${table.display_name} ${table.name} ${table.db?.name ?? ''}`.toLowerCase().includes(wanted)) continue;
      const place = table.db?.name ?? say('Database {{id}}', { id: table.db_id });
      const name = (several.get(table.db_id)?.size ?? 0) > 1 && table.schema ? `${place} / ${table.schema}` : place;
      const group = by.get(name) ?? { id: name, name, items: [] };
      if (group.items.length < 200)
        group.items.push({ id: String(table.id), title: table.display_name, icon: <IconTable size={16} stroke={1.6} aria-hidden />, onPick: () => onPick({ type: 'table', id: table.id as number }, table.db_id) });
      by.set(name, group);
    }
    return [...by.values()].sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '')).map((group) => ({ ...group, items: group.items.sort((a, b) => a.title.localeCompare(b.title)) }));
  }, [kind, all.data, found.data, words, database, onPick, without]);
  return (
    <ListPanel
      groups={groups} label={say('Find data')} words={words} onWords={set_words} busy={kind === 'tables' ? all.isPending : found.isFetching}
      head={
        <div className={styles.head}>
          <SegmentedControl fullWidth style={{ flex: 1 }} value={kind} onChange={(next) => set_kind(next as Kind)} aria-label={say('Kind of data')} data={[{ value: 'tables', label: say('Tables') }, { value: 'models', label: say('Models') }, { value: 'questions', label: say('Saved questions') }]} />
        </div>
      }
    />
  );
}
