import { say } from '../../query/words';
import { columnNamed, isTimeDimension } from '../columns';
import { chosenColumns, looks_like_comparison } from '../cartesian/series';
import { change, formatDate, formatNumber, parseDate, toNumber, withMeaning } from '../format';
import { columnSettings, columnTitle } from '../settings';
import type { Column, Row, VisualizationSettings } from '../types';

export interface Headline {
  period: string;
  numbers: { title: string; text: string; quiet: boolean }[];
  change: { text: string; tone: 'good' | 'bad' | 'same' } | null;
}

/**
 * The sum of what a chart over time shows, for the line above it. `adds_up` says of a column whether its values may
 * be added (numbers of rows and sums may, averages may not). Null when there is nothing to say.
 */
export function headline(columns: Column[], rows: Row[], settings: VisualizationSettings, adds_up: (column: Column) => boolean): Headline | null {
  const { dimensions, metrics } = chosenColumns(columns, rows, settings);
  const time = columnNamed(columns, dimensions[0]);
  if (time < 0 || !isTimeDimension(columns[time]!) || rows.length < 2) return null;
  const shown = metrics.map((name) => columnNamed(columns, name)).filter((index) => index >= 0 && adds_up(columns[index]!)).slice(0, 2);
  if (shown.length === 0 || shown.length < Math.min(2, metrics.length)) return null;
  const dates = rows.map((row) => row[time]).filter((value) => parseDate(value) !== null).sort((a, b) => parseDate(a)!.getTime() - parseDate(b)!.getTime());
  if (dates.length === 0) return null;
  const unit = columns[time]!.unit;
  const words = (value: unknown) => formatDate(value, unit, { date_abbreviate: true });
  const totals = shown.map((index) => rows.reduce((sum, row) => sum + (toNumber(row[index]) ?? 0), 0));
  const compares = shown.length === 2 && looks_like_comparison.test(columns[shown[1]!]!.display_name);
  const moved = compares ? change(totals[0]!, totals[1]!) : null;
  return {
    period: say('{{from}} to {{to}}', { from: words(dates[0]), to: words(dates[dates.length - 1]) }),
    numbers: shown.map((index, at) => {
      const column = columns[index]!;
      const format = withMeaning(column, columnSettings(settings, column));
      const total = totals[at]!;
      return { title: columnTitle(settings, column), text: formatNumber(total, Math.abs(total) >= 1000 ? { ...format, decimals: 0 } : format), quiet: compares && at === 1 };
    }),
    change: moved ? { text: moved.text, tone: moved.direction === 'up' ? 'good' : moved.direction === 'down' ? 'bad' : 'same' } : null,
  };
}
