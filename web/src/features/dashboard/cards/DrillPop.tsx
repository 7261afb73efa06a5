import { Popover } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Card } from '@/api/types';
import { useGo } from '@/lib/navigate';
import { drillActions, type DrillAction, type ResultColumn } from '@/query/drill';
import { ListPanel } from '@/query/editors/ListPanel';
import { useCatalog } from '@/query/editors/useCatalog';
import { questionAddress } from '@/query/hash';
import { readQuery, writeQuery } from '@/query/read';
import { say } from '@/query/words';
import { formatValue } from '@/viz/format';
import { columnSettings } from '@/viz/settings';
import type { PointEvent } from '@/viz/Visualization';

/** What a click on a point leads to, beside the point; choosing opens the question. */
export function DrillPop({ point, card, onClose }: { point: PointEvent; card: Card; onClose: () => void }) {
  const go = useGo();
  const query = useMemo(() => readQuery(card.dataset_query as Record<string, unknown>), [card.dataset_query]);
  const { catalog, loading } = useCatalog(query);
  const [path, set_path] = useState<DrillAction[]>([]);
  const actions = useMemo(() => {
    if (!query || loading) return [];
    return drillActions(catalog, query, {
      column: point.value?.column as ResultColumn | undefined, value: point.kind === 'header' ? undefined : point.value?.value,
      text: point.value && point.kind !== 'header' ? formatValue(point.value.value, point.value.column, columnSettings(card.visualization_settings, point.value.column)) : undefined,
      dimensions: point.dimensions.map((item) => ({ column: item.column as ResultColumn, value: item.value })),
    });
  }, [query, loading, catalog, point, card.visualization_settings]);
  if (!query) return null;
  const list = path.length > 0 ? (path[path.length - 1]!.children ?? []) : actions;
  const pick = (action: DrillAction) => {
    if (action.children) return set_path([...path, action]);
    if (!action.query) return onClose();
    onClose();
    go(questionAddress({ dataset_query: writeQuery(action.query), ...(action.section === 'filter' || action.section === 'sort' ? { display: card.display } : {}), visualization_settings: {}, original_card_id: card.id }));
  };
  const close = () => {
    onClose();
    point.target?.focus();
  };
  return (
    <Popover opened onChange={(open) => !open && close()} position="right-start" trapFocus withinPortal shadow="md">
      <Popover.Target><span style={{ position: 'fixed', left: point.x, top: point.y, width: 1, height: 1 }} /></Popover.Target>
      <Popover.Dropdown p={0}>
        <ListPanel
          key={path.length} search={list.length > 10} label={path.length > 0 ? path[path.length - 1]!.title : say('What next?')} busy={loading}
          groups={[...(path.length > 0 ? [{ id: 'back', items: [{ id: 'back', title: say('‹ Back'), onPick: () => set_path(path.slice(0, -1)) }] }] : []), ...grouped(list.filter((action) => action.query ?? action.children), pick)]}
        />
      </Popover.Dropdown>
    </Popover>
  );
}
function grouped(actions: DrillAction[], pick: (action: DrillAction) => void) {
  const names: Record<DrillAction['section'], string | undefined> = { see: undefined, zoom: undefined, breakout: undefined, filter: say('Filter by this value'), sort: say('Sort'), summarize: say('Summarize'), column: undefined };
  return [...new Set(actions.map((action) => action.section))].map((section) => ({
    id: section, name: names[section],
    items: actions.filter((action) => action.section === section).map((action) => ({ id: action.id, title: action.title, side: action.sign ?? (action.children ? '›' : undefined), onPick: () => pick(action) })),
  }));
}
