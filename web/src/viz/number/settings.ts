import { say } from '../../query/words';
import type { SettingDefinition } from '../types';
import { shownColumn } from './describe';

export const number_settings: SettingDefinition[] = [
  { key: 'scalar.field', tab: 'data', kind: 'column', title: () => say('Value'), fits: () => true, fallback: (columns) => columns[shownColumn(columns, {})]?.name ?? null },
  { key: 'scalar.compact_primary_number', tab: 'display', kind: 'toggle', title: () => say('Always short (1.20M)'), fallback: false },
  { key: 'column_settings', tab: 'display', kind: 'column_formats', title: () => say('Format') },
];
