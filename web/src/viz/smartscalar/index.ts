import { IconTrendingUp } from '@tabler/icons-react';
import { say } from '../../query/words';
import { isMetric, isTimeDimension } from '../columns';
import { describeSmartScalar } from '../number/describe';
import { number_settings } from '../number/settings';
import type { VisualizationDefinition } from '../types';

export const smartscalar: VisualizationDefinition = {
  id: 'smartscalar', title: () => say('Trend'), icon: IconTrendingUp,
  smallest: { width: 4, height: 3 }, usual: { width: 6, height: 3 },
  fits: (columns, rows) => rows.length > 0 && columns.some(isTimeDimension) && columns.some(isMetric),
  settings: [
    ...number_settings.filter((setting) => setting.tab === 'data'),
    { key: 'scalar.comparisons', tab: 'data', kind: 'comparisons', title: () => say('Compare with') },
    { key: 'scalar.switch_positive_negative', tab: 'display', kind: 'toggle', title: () => say('Going down is good'), fallback: false },
    ...number_settings.filter((setting) => setting.tab === 'display'),
  ],
  draw: describeSmartScalar,
};
