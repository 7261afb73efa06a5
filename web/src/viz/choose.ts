import { isExtraction, isNumber } from '../query/kinds';
import { visualizations } from './all';
import { isDimension, isMetric, isTimeDimension } from './columns';
import { stateColumn } from './map/describe';
import type { Column, Row, VisualizationDefinition, VisualizationSettings } from './types';

export interface Choice {
  display: string;
  settings: VisualizationSettings;
}

/** What shows a result best before anybody has chosen, from its shape alone. */
export function chooseDisplay(columns: Column[], rows: Row[]): Choice {
  const metrics = columns.filter(isMetric);
  const dimensions = columns.filter(isDimension);
  const table: Choice = { display: 'table', settings: {} };
  if (columns.length === 1 && rows.length === 1 && isNumber(columns[0]!)) return { display: 'scalar', settings: {} };
  const summarized = columns.some((column) => column.source === 'aggregation');
  if (metrics.length === 0 || dimensions.length === 0 || rows.length < 2) return rows.length === 1 && summarized && dimensions.length === 0 && metrics.length === 1 ? { display: 'scalar', settings: {} } : table;
  // Rows of a table are rows; only what was summed up, or an SQL result of a few columns, is a picture.
  if (!summarized && !(columns.every((column) => column.source === 'native') && dimensions.length === 1 && metrics.length <= 4 && columns.length === metrics.length + 1)) return table;
  if (dimensions.length > 2) return table;
  const time = dimensions.find(isTimeDimension);
  if (time) return { display: dimensions.length === 1 || dimensions.length === 2 ? 'line' : 'table', settings: {} };
  if (dimensions.length === 1) {
    const dimension = dimensions[0]!;
    if (isExtraction(dimension.unit) || dimension.binning_info) return { display: 'bar', settings: {} };
    if (stateColumn(columns, rows, {}) >= 0 && dimension.semantic_type === 'type/State' && metrics.length === 1) return { display: 'map', settings: {} };
    const longest = Math.max(...rows.slice(0, 60).map((row) => String(row[columns.indexOf(dimension)] ?? '').length));
    if (metrics.length === 1 && rows.length > 6 && rows.length <= 40 && longest > 16) return { display: 'row', settings: {} };
    return rows.length <= 60 ? { display: 'bar', settings: {} } : table;
  }
  return rows.length <= 400 ? { display: 'bar', settings: { 'stackable.stack_type': 'stacked' } } : table;
}

/** Visualizations that make sense for the result, then all the others. */
export function sensible(columns: Column[], rows: Row[]): { fitting: VisualizationDefinition[]; others: VisualizationDefinition[] } {
  const fitting = visualizations.filter((one) => one.fits(columns, rows));
  return { fitting, others: visualizations.filter((one) => !fitting.includes(one)) };
}
