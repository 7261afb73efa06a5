import { IconNumber123 } from '@tabler/icons-react';
import { say } from '../../query/words';
import { describeScalar } from '../number/describe';
import { number_settings } from '../number/settings';
import type { VisualizationDefinition } from '../types';

export const scalar: VisualizationDefinition = {
  id: 'scalar', title: () => say('Number'), icon: IconNumber123,
  smallest: { width: 3, height: 2 }, usual: { width: 6, height: 3 },
  fits: (columns, rows) => rows.length === 1 && columns.length === 1,
  settings: number_settings,
  draw: describeScalar,
};
