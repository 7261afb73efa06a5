import { IconHexagons } from '@tabler/icons-react';
import { say } from '../../query/words';
import { canBeDimension, canBeMetric, guessMetrics, isMetric } from '../columns';
import type { VisualizationDefinition } from '../types';
import { describeMap, stateColumn } from './describe';

export const map: VisualizationDefinition = {
  id: 'map', title: () => say('Map'), icon: IconHexagons,
  smallest: { width: 6, height: 5 }, usual: { width: 9, height: 6 },
  fits: (columns, rows) => rows.length > 0 && columns.some(isMetric) && stateColumn(columns, rows, {}) >= 0,
  settings: [
    { key: 'map.dimension', tab: 'data', kind: 'column', title: () => say('State'), fits: canBeDimension, fallback: (columns, rows) => columns[stateColumn(columns, rows, {})]?.name ?? null },
    { key: 'map.metric', tab: 'data', kind: 'column', title: () => say('Number'), fits: canBeMetric, fallback: (columns) => guessMetrics(columns, false)[0] ?? null },
    { key: 'column_settings', tab: 'display', kind: 'column_formats', title: () => say('Format') },
  ],
  draw: describeMap,
};
