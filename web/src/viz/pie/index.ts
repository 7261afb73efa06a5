import { IconChartDonut } from '@tabler/icons-react';
import { say } from '../../query/words';
import { canBeDimension, canBeMetric, isDimension, isMetric, isTimeDimension } from '../columns';
import type { VisualizationDefinition } from '../types';
import { describePie, pieColumns } from './describe';

export const pie: VisualizationDefinition = {
  id: 'pie', title: () => say('Pie'), icon: IconChartDonut,
  smallest: { width: 4, height: 4 }, usual: { width: 10, height: 6 },
  fits: (columns, rows) => rows.length > 0 && rows.length <= 30 && columns.some((column) => isDimension(column) && !isTimeDimension(column)) && columns.some(isMetric),
  settings: [
    { key: 'pie.dimension', tab: 'data', kind: 'column', title: () => say('Parts'), fits: canBeDimension, fallback: (columns, rows) => columns[pieColumns(columns, rows, {}).dimension]?.name ?? null },
    { key: 'pie.metric', tab: 'data', kind: 'column', title: () => say('Size'), fits: canBeMetric, fallback: (columns, rows) => columns[pieColumns(columns, rows, {}).metric]?.name ?? null },
    { key: 'pie.show_total', tab: 'display', kind: 'toggle', title: () => say('Total in the middle'), fallback: true },
    { key: 'pie.percent_visibility', tab: 'display', kind: 'choice', title: () => say('Labels'), fallback: 'legend', options: () => [{ value: 'legend', label: say('Shares') }, { value: 'off', label: say('Values') }] },
    { key: 'pie.slice_threshold', tab: 'display', kind: 'number', title: () => say('Put together parts under (%)'), fallback: 2.5 },
    { key: 'column_settings', tab: 'display', kind: 'column_formats', title: () => say('Format') },
  ],
  draw: describePie,
};
