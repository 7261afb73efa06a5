import { IconChartBar } from '@tabler/icons-react';
import { say } from '../../query/words';
import { describeCartesian } from '../cartesian/describe';
import { axis_settings, data_settings, mark_settings, stack_setting, trend_setting } from '../cartesian/settings';
import { isDimension, isMetric } from '../columns';
import type { VisualizationDefinition } from '../types';

export const bar: VisualizationDefinition = {
  id: 'bar', title: () => say('Bar'), icon: IconChartBar,
  smallest: { width: 4, height: 3 }, usual: { width: 12, height: 6 },
  fits: (columns, rows) => rows.length > 0 && columns.some(isDimension) && columns.some(isMetric),
  settings: [...data_settings, stack_setting(null), ...mark_settings, trend_setting, ...axis_settings],
  draw: (input) => describeCartesian(input, { display: 'bar' }),
};
