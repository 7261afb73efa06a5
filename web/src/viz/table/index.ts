import { IconTable } from '@tabler/icons-react';
import { say } from '../../query/words';
import type { VisualizationDefinition } from '../types';
import { describeTable } from './describe';

export const table: VisualizationDefinition = {
  id: 'table', title: () => say('Table'), icon: IconTable,
  smallest: { width: 4, height: 3 }, usual: { width: 12, height: 8 },
  fits: () => true,
  settings: [
    { key: 'table.columns', tab: 'columns', kind: 'table_columns', title: () => say('Columns') },
    { key: 'column_settings', tab: 'display', kind: 'column_formats', title: () => say('Format of columns') },
    { key: 'table.row_index', tab: 'display', kind: 'toggle', title: () => say('Number the rows'), fallback: false },
    { key: 'table.column_formatting', tab: 'formatting', kind: 'conditional', title: () => say('Colour cells') },
  ],
  draw: describeTable,
};
