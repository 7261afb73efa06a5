import { say } from '../../query/words';
import { canBeDimension, canBeMetric } from '../columns';
import { columnNamed } from '../columns';
import type { Column, Row, SettingDefinition } from '../types';
import { chosenColumns } from './series';

const series_count = (settings: Record<string, unknown>, columns: Column[], rows: Row[]) => {
  const { dimensions, metrics } = chosenColumns(columns, rows, settings);
  return dimensions.length > 1 ? 2 : metrics.length;
};

export const data_settings: SettingDefinition[] = [
  { key: 'graph.dimensions', tab: 'data', kind: 'columns', title: () => say('Along the axis, then split by'), fits: canBeDimension, most: 2, fallback: (columns, rows) => chosenColumns(columns, rows, {}).dimensions },
  { key: 'graph.metrics', tab: 'data', kind: 'columns', title: () => say('Numbers'), fits: canBeMetric, most: 12, fallback: (columns, rows) => chosenColumns(columns, rows, {}).metrics },
  { key: 'series_settings', tab: 'display', kind: 'series', title: () => say('Series') },
];
export const stack_setting = (fallback: string | null): SettingDefinition => ({
  key: 'stackable.stack_type', tab: 'display', kind: 'choice', title: () => say('Stacking'), fallback,
  options: () => [{ value: null, label: say('None') }, { value: 'stacked', label: say('Stack') }, { value: 'normalized', label: say('100 %') }],
  when: (settings, columns, rows) => series_count(settings, columns, rows) > 1,
});
export const mark_settings: SettingDefinition[] = [
  { key: 'graph.show_values', tab: 'display', kind: 'toggle', title: () => say('Show values'), fallback: false },
  { key: 'graph.label_value_frequency', tab: 'display', kind: 'choice', title: () => say('How many values'), fallback: 'fit', options: () => [{ value: 'fit', label: say('Those that fit') }, { value: 'all', label: say('All') }], when: (settings) => settings['graph.show_values'] === true },
  { key: 'graph.show_goal', tab: 'display', kind: 'toggle', title: () => say('Goal line'), fallback: false },
  { key: 'graph.goal_value', tab: 'display', kind: 'number', title: () => say('Goal'), fallback: 0, when: (settings) => settings['graph.show_goal'] === true },
  { key: 'graph.goal_label', tab: 'display', kind: 'text', title: () => say('Goal label'), placeholder: () => say('Goal'), when: (settings) => settings['graph.show_goal'] === true },
];
export const trend_setting: SettingDefinition = { key: 'graph.show_trendline', tab: 'display', kind: 'toggle', title: () => say('Trend line'), fallback: false };
export const axis_settings: SettingDefinition[] = [
  { key: 'graph.x_axis.title_text', tab: 'axes', kind: 'text', title: () => say('Title of the horizontal axis') },
  {
    key: 'graph.x_axis.axis_enabled', tab: 'axes', kind: 'choice', title: () => say('Labels of the horizontal axis'), fallback: 'true',
    options: () => [{ value: 'true', label: say('Fit') }, { value: 'rotate-45', label: say('45°') }, { value: 'rotate-90', label: say('90°') }, { value: 'false', label: say('Hide') }],
  },
  {
    key: 'graph.x_axis.scale', tab: 'axes', kind: 'choice', title: () => say('Horizontal scale'), fallback: 'auto',
    options: () => [{ value: 'auto', label: say('By the data') }, { value: 'ordinal', label: say('One place per value') }],
    when: (settings, columns, rows) => columnNamed(columns, chosenColumns(columns, rows, settings).dimensions[0]) >= 0,
  },
  { key: 'graph.y_axis.title_text', tab: 'axes', kind: 'text', title: () => say('Title of the vertical axis') },
  { key: 'graph.y_axis.auto_range', tab: 'axes', kind: 'toggle', title: () => say('Range by the data'), fallback: true },
  { key: 'graph.y_axis.min', tab: 'axes', kind: 'number', title: () => say('From'), when: (settings) => settings['graph.y_axis.auto_range'] === false },
  { key: 'graph.y_axis.max', tab: 'axes', kind: 'number', title: () => say('To'), when: (settings) => settings['graph.y_axis.auto_range'] === false },
  { key: 'graph.y_axis.unpin_from_zero', tab: 'axes', kind: 'toggle', title: () => say('Need not start at zero'), fallback: false },
  {
    key: 'graph.y_axis.scale', tab: 'axes', kind: 'choice', title: () => say('Vertical scale'), fallback: 'linear',
    options: () => [{ value: 'linear', label: say('Linear') }, { value: 'log', label: say('Logarithmic') }],
  },
  { key: 'graph.y_axis.axis_enabled', tab: 'axes', kind: 'toggle', title: () => say('Labels of the vertical axis'), fallback: true },
];
