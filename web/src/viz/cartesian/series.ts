import { isExtraction, isNumber } from '../../query/kinds';
import { say } from '../../query/words';
import { columnNamed, guessDimensions, guessMetrics, isTimeDimension } from '../columns';
import { axisDate, formatValue, isUnfinished, nextPeriod, parseDate, toNumber, truncating_units } from '../format';
import { columnSettings, columnTitle, listSetting, seriesSettings, textSetting } from '../settings';
import type { Column, DrawInput, Row, VisualizationSettings } from '../types';

export type SeriesDisplay = 'line' | 'area' | 'bar';

export interface Place {
  /** The dimension's value as the result has it; for filled-in periods the text of their first day. */
  value: unknown;
  /** In full, for tooltips. */
  title: string;
  /** Short, for the axis. */
  label: string;
}
export interface Series {
  key: string;
  name: string;
  column: Column;
  /** One number per place; null where there is none. */
  values: (number | null)[];
  /** Row of the result behind each place. */
  rows: (number | null)[];
  /** Value of the second dimension, when the series comes from one. */
  split: { column: Column; value: unknown } | null;
  display: SeriesDisplay;
  right: boolean;
  color: string;
  edge: string;
  style: 'solid' | 'dashed' | 'dotted';
  /** An earlier period for comparison: thin, grey, dashed. */
  compare: boolean;
  missing: 'interpolate' | 'zero' | 'none';
}
export interface CartesianModel {
  dimension: Column;
  unit: string | undefined;
  time: boolean;
  /** Unbinned numbers along the axis keep their distances. */
  numeric: boolean;
  places: Place[];
  series: Series[];
  split: Column | null;
  /** Place of the period that is not over. */
  unfinished: number | null;
}

export const most_series = 100;

/** The dimensions and metrics in force: what was chosen and still exists, else a guess. */
export function chosenColumns(columns: Column[], rows: Row[], settings: VisualizationSettings): { dimensions: string[]; metrics: string[] } {
  const known = (names: string[] | undefined) => names?.filter((name) => columnNamed(columns, name) >= 0);
  let dimensions = known(listSetting(settings, 'graph.dimensions'));
  if (!dimensions || dimensions.length === 0) dimensions = guessDimensions(columns, rows);
  let metrics = known(listSetting(settings, 'graph.metrics'));
  if (!metrics || metrics.length === 0) metrics = guessMetrics(columns, dimensions.length > 1).filter((name) => !dimensions.includes(name));
  return { dimensions: dimensions.slice(0, 2), metrics };
}

function keyOf(value: unknown): string {
  return value === null || value === undefined ? '\u0000' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
export const looks_like_comparison = /\((previous|same|last)\b.*\)$|\b(year|month|week|quarter) before$|^previous /i;

/** All periods from the first to the last one, so that a month without rows is seen as a gap. */
function filledPeriods(values: unknown[], unit: string): unknown[] {
  const dated = values.map((value) => ({ value, date: parseDate(value) })).filter((item): item is { value: unknown; date: Date } => item.date !== null);
  dated.sort((a, b) => a.date.getTime() - b.date.getTime());
  if (dated.length < 2) return dated.map((item) => item.value);
  const known = new Map(dated.map((item) => [item.date.getTime(), item.value]));
  const last = dated[dated.length - 1]!.date.getTime();
  const all: unknown[] = [];
  let at = dated[0]!.date;
  while (at.getTime() <= last && all.length <= 20_000) {
    all.push(known.get(at.getTime()) ?? at.toISOString());
    known.delete(at.getTime());
    at = nextPeriod(at, unit);
  }
  // Values off the grid (other zone offsets, odd weeks): then the result's own order in time is kept.
  return known.size > 0 ? dated.map((item) => item.value) : all;
}

export function readSeries(input: DrawInput, fallback: SeriesDisplay, options: { combo?: boolean; times?: boolean } = {}): CartesianModel | { problem: string } {
  const { columns, rows, settings, tokens } = input;
  const { dimensions, metrics } = chosenColumns(columns, rows, settings);
  const x = columnNamed(columns, dimensions[0]);
  if (x < 0) return { problem: say('This chart needs a column to group by. Choose one in the settings, or show the result as a table.') };
  if (metrics.length === 0) return { problem: say('This chart needs a number to show. Choose one in the settings, or show the result as a table.') };
  const dimension = columns[x]!;
  const scale = textSetting(settings, 'graph.x_axis.scale');
  const time = isTimeDimension(dimension) && scale !== 'ordinal';
  const unit = dimension.unit && dimension.unit !== 'default' ? dimension.unit : undefined;
  const numeric = !time && isNumber(dimension) && !dimension.binning_info && !isExtraction(unit) && scale !== 'ordinal' && scale !== 'histogram' && !(dimension.semantic_type === 'type/PK' || dimension.semantic_type === 'type/FK' || dimension.semantic_type === 'type/Category');
  const split_index = columnNamed(columns, dimensions[1]);

  const seen = new Map<string, unknown>();
  for (const row of rows) {
    const key = keyOf(row[x]);
    if (!seen.has(key)) seen.set(key, row[x]);
  }
  let values = [...seen.values()];
  if (time) {
    const empty = values.filter((value) => parseDate(value) === null);
    values = unit && truncating_units.includes(unit) && options.times !== false
      ? filledPeriods(values, unit)
      : values.filter((value) => parseDate(value) !== null).sort((a, b) => parseDate(a)!.getTime() - parseDate(b)!.getTime());
    if (values.length === 0) values = empty;
  } else if (isNumber(dimension)) {
    values.sort((a, b) => (toNumber(a) ?? Infinity) - (toNumber(b) ?? Infinity));
  }
  const place_of = new Map(values.map((value, index) => [keyOf(value), index]));
  const own = columnSettings(settings, dimension);
  const format = { locale: input.locale, first_weekday: input.first_weekday };
  let year: number | null = null;
  const many_years = time && values.length > 13;
  const places = values.map((value): Place => {
    const title = value === null ? say('(empty)') : formatValue(value, dimension, own, format) || say('(empty)');
    let label = title;
    if (value !== null && (time || isExtraction(unit))) {
      const this_year = parseDate(value)?.getUTCFullYear() ?? null;
      const turn = this_year !== null && year !== this_year && many_years;
      year = this_year;
      label = axisDate(value, unit ?? (time ? 'day' : undefined), turn && unit !== 'year', format);
    }
    return { value, title, label };
  });

  const series: Series[] = [];
  const add = (key: string, name: string, column: Column, split: Series['split'], index: number): Series => {
    const chosen = seriesSettings(settings, key);
    const compare = !split && chosen.color === undefined && chosen['line.style'] === undefined && index > 0 && looks_like_comparison.test(column.display_name);
    const color = chosen.color ?? (compare ? tokens.compare : tokens.series[index % tokens.series.length]!);
    const known = tokens.series.indexOf(color);
    const display = chosen.display ?? (compare && fallback !== 'bar' ? 'line' : options.combo ? (index === 0 ? 'line' : 'bar') : fallback);
    return {
      key, name: chosen.title || name, column, split,
      values: new Array<number | null>(places.length).fill(null),
      rows: new Array<number | null>(places.length).fill(null),
      display, right: chosen.axis === 'right', color,
      edge: known >= 0 ? tokens.edges[known]! : color,
      style: chosen['line.style'] ?? (compare ? 'dashed' : 'solid'), compare,
      missing: chosen['line.missing'] ?? 'interpolate',
    };
  };
  const put = (one: Series, place: number, value: number | null, row: number) => {
    const before = one.values[place];
    // Several rows for one place (nothing was summed up): their sum, as bars on top of each other would show it.
    one.values[place] = value === null ? (before ?? null) : (before ?? 0) + value;
    one.rows[place] ??= row;
  };

  if (split_index >= 0) {
    const split_column = columns[split_index]!;
    const metric_index = columnNamed(columns, metrics[0]);
    const metric = columns[metric_index]!;
    const by_key = new Map<string, Series>();
    const split_settings = columnSettings(settings, split_column);
    rows.forEach((row, index) => {
      const place = place_of.get(keyOf(row[x]));
      if (place === undefined) return;
      const key = keyOf(row[split_index]);
      let one = by_key.get(key);
      if (!one) {
        const name = row[split_index] === null ? say('(empty)') : formatValue(row[split_index], split_column, split_settings, format);
        one = add(row[split_index] === null ? '(empty)' : String(row[split_index]), name || say('(empty)'), metric, { column: split_column, value: row[split_index] }, by_key.size);
        by_key.set(key, one);
        series.push(one);
      }
      put(one, place, toNumber(row[metric_index]), index);
    });
    if (series.length > most_series)
      return { problem: say('{{column}} has {{count}} different values, too many to tell apart. Choose another column, or filter first.', { column: columnTitle(settings, split_column), count: String(series.length) }) };
    if (isTimeDimension(split_column) || isExtraction(split_column.unit)) {
      series.sort((a, b) => (keyOf(a.split!.value) < keyOf(b.split!.value) ? -1 : 1));
      series.forEach((one, index) => {
        if (seriesSettings(settings, one.key).color) return;
        one.color = tokens.series[index % 8]!;
        one.edge = tokens.edges[index % 8]!;
      });
    }
  } else {
    metrics.forEach((name, index) => {
      const metric_index = columnNamed(columns, name);
      const column = columns[metric_index]!;
      const one = add(column.name, columnTitle(settings, column), column, null, index);
      rows.forEach((row, row_index) => {
        const place = place_of.get(keyOf(row[x]));
        if (place !== undefined) put(one, place, toNumber(row[metric_index]), row_index);
      });
      series.push(one);
    });
  }
  const last = places.length - 1;
  return {
    dimension, unit, time, numeric, places, series, split: split_index >= 0 ? columns[split_index]! : null,
    unfinished: time && last >= 0 && isUnfinished(places[last]!.value, unit, input.now) ? last : null,
  };
}

/** Values per series after stacking: `upper` is where the mark ends. Normalised ones run from 0 to 1. */
export function stackedTotals(series: Series[], places: number, normalized: boolean): { low: number; high: number; shares: (number | null)[][] } {
  let low = 0;
  let high = 0;
  const shares = series.map(() => new Array<number | null>(places).fill(null));
  for (let place = 0; place < places; place += 1) {
    let up = 0;
    let down = 0;
    let total = 0;
    for (const one of series) total += Math.abs(one.values[place] ?? 0);
    series.forEach((one, index) => {
      const raw = one.values[place] ?? null;
      const value = raw === null ? null : normalized ? (total === 0 ? 0 : raw / total) : raw;
      shares[index]![place] = value;
      if (value === null) return;
      if (value >= 0) up += value;
      else down += value;
    });
    high = Math.max(high, up);
    low = Math.min(low, down);
  }
  return { low, high: normalized ? 1 : high, shares };
}

/** Least squares through the known values; null for fewer than two. */
export function trendLine(values: (number | null)[]): (number | null)[] | null {
  const known = values.map((value, index) => ({ value, index })).filter((item): item is { value: number; index: number } => item.value !== null);
  if (known.length < 2) return null;
  const mean_x = known.reduce((sum, item) => sum + item.index, 0) / known.length;
  const mean_y = known.reduce((sum, item) => sum + item.value, 0) / known.length;
  const spread = known.reduce((sum, item) => sum + (item.index - mean_x) ** 2, 0);
  const slope = known.reduce((sum, item) => sum + (item.index - mean_x) * (item.value - mean_y), 0) / spread;
  return values.map((_, index) => mean_y + slope * (index - mean_x));
}
