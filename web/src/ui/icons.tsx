import {
  IconAlertTriangle,
  IconBolt,
  IconBox,
  IconChartArea,
  IconChartBar,
  IconChartDots,
  IconChartLine,
  IconChartPie,
  IconDatabase,
  IconFileText,
  IconFilter,
  IconFolder,
  IconGauge,
  IconLayoutDashboard,
  IconMap,
  IconNumbers,
  IconRulerMeasure,
  IconTable,
  IconTerminal2,
  IconTimeline,
  IconTrash,
  IconUser,
  type Icon,
} from '@tabler/icons-react';

const by_display: Record<string, Icon> = {
  table: IconTable,
  pivot: IconTable,
  object: IconTable,
  line: IconChartLine,
  area: IconChartArea,
  bar: IconChartBar,
  row: IconChartBar,
  combo: IconTimeline,
  pie: IconChartPie,
  scatter: IconChartDots,
  scalar: IconNumbers,
  smartscalar: IconNumbers,
  gauge: IconGauge,
  progress: IconGauge,
  funnel: IconFilter,
  map: IconMap,
};

const by_model: Record<string, Icon> = {
  dashboard: IconLayoutDashboard,
  collection: IconFolder,
  dataset: IconBox,
  model: IconBox,
  metric: IconRulerMeasure,
  table: IconTable,
  database: IconDatabase,
  document: IconFileText,
  action: IconBolt,
  personal: IconUser,
  trash: IconTrash,
};

/** The icon of an item: its kind, or for questions the kind of its chart. */
export function item_icon(item: { model: string; display?: string | null; query_type?: string | null; card_type?: string }): Icon {
  const kind = item.card_type === 'model' ? 'dataset' : item.card_type === 'metric' ? 'metric' : item.model;
  const of_model = by_model[kind];
  if (of_model) return of_model;
  if (item.query_type === 'native' && (item.display ?? 'table') === 'table') return IconTerminal2;
  return by_display[item.display ?? 'table'] ?? IconTable;
}

export function ItemIcon({ item, size = 18 }: { item: Parameters<typeof item_icon>[0]; size?: number }) {
  const Drawn = item_icon(item);
  return <Drawn size={size} stroke={1.6} aria-hidden />;
}

export { IconAlertTriangle };
