import { say } from '../../query/words';
import { columnNamed, guessDimensions, guessMetrics } from '../columns';
import { formatNumber, formatValue, toNumber, withMeaning } from '../format';
import { columnSettings, columnTitle, listSetting, numberSetting, objectSetting, textSetting, toggleSetting } from '../settings';
import { shorten } from '../scale';
import type { ChartDescription, Column, Description, DrawInput, Row } from '../types';

interface Slice {
  key: string;
  name: string;
  value: number;
  rows: number[];
  /** The dimension's value; undefined for what was put together as "Other". */
  raw: unknown;
  color: string;
  edge: string;
}

export function pieColumns(columns: Column[], rows: Row[], settings: DrawInput['settings']): { dimension: number; metric: number } {
  const wanted = textSetting(settings, 'pie.dimension') ?? listSetting(settings, 'pie.dimension')?.[0];
  let dimension = columnNamed(columns, wanted);
  if (dimension < 0) dimension = columnNamed(columns, guessDimensions(columns, rows)[0]);
  let metric = columnNamed(columns, textSetting(settings, 'pie.metric'));
  if (metric < 0) metric = columnNamed(columns, guessMetrics(columns, false).find((name) => columnNamed(columns, name) !== dimension));
  return { dimension, metric };
}

/** Slices, the largest first; those under the threshold (a share of 1) are put together. */
export function pieSlices(input: DrawInput, dimension: number, metric: number): Slice[] {
  const { columns, rows, settings, tokens } = input;
  const column = columns[dimension]!;
  const groups = new Map<string, Slice>();
  const colors = objectSetting(settings, 'pie.colors');
  rows.forEach((row, index) => {
    const value = toNumber(row[metric]);
    if (value === null || value <= 0) return;
    const key = row[dimension] == null ? '(empty)' : String(row[dimension]);
    const found = groups.get(key);
    if (found) {
      found.value += value;
      found.rows.push(index);
      return;
    }
    const name = row[dimension] == null ? say('(empty)') : formatValue(row[dimension], column, columnSettings(settings, column), { locale: input.locale, first_weekday: input.first_weekday });
    groups.set(key, { key, name: name || say('(empty)'), value, rows: [index], raw: row[dimension], color: '', edge: '' });
  });
  const all = [...groups.values()].sort((a, b) => b.value - a.value);
  const total = all.reduce((sum, slice) => sum + slice.value, 0);
  const least = (numberSetting(settings, 'pie.slice_threshold') ?? 2.5) / 100;
  // Seven colours at most are told apart; the eighth, grey, is for the rest.
  const kept = all.filter((slice, index) => index < 7 && slice.value / total >= least);
  const rest = all.slice(kept.length);
  if (rest.length === 1 && kept.length < 7) kept.push(...rest.splice(0));
  kept.forEach((slice, index) => {
    const color = typeof colors[slice.key] === 'string' ? (colors[slice.key] as string) : tokens.series[index % 8]!;
    const known = tokens.series.indexOf(color);
    slice.color = color;
    slice.edge = known >= 0 ? tokens.edges[known]! : color;
  });
  if (rest.length > 0) kept.push({ key: '\u0000other', name: say('Other ({{count}})', { count: String(rest.length) }), value: rest.reduce((sum, slice) => sum + slice.value, 0), rows: [], raw: undefined, color: tokens.series[7]!, edge: tokens.edges[7]! });
  return kept;
}

export function describePie(input: DrawInput): Description {
  const { columns, settings, tokens, size } = input;
  const { dimension, metric } = pieColumns(columns, input.rows, settings);
  if (dimension < 0) return { kind: 'problem', sentence: say('A pie needs a column to group by. Choose one in the settings.') };
  if (metric < 0) return { kind: 'problem', sentence: say('A pie needs a number to share out. Choose one in the settings.') };
  const every = pieSlices(input, dimension, metric);
  if (every.length === 0) return { kind: 'problem', sentence: say('No value is above zero, so there is nothing to share out.') };
  const slices = every.filter((slice) => !input.hidden.has(slice.key));
  const total = slices.reduce((sum, slice) => sum + slice.value, 0);
  const column = columns[metric]!;
  const format = withMeaning(column, columnSettings(settings, column));
  const full = (value: number) => formatValue(value, column, columnSettings(settings, column));
  const short = (value: number) => formatNumber(value, format, { compact: true });
  const share = (value: number) => formatNumber(total === 0 ? 0 : value / total, { number_style: 'percent' });
  const room = Math.min(size.width, size.height);
  const outside = size.width >= 340 && size.height >= 190;
  const radius = Math.max(16, Math.min(size.height / 2 - (outside ? 22 : 6), outside ? (size.width - 2 * input.inset) / 2 - 96 : size.width / 2 - 6, 190));
  const hole = toggleSetting(settings, 'pie.show_total', true);
  const where = textSetting(settings, 'pie.percent_visibility') ?? 'legend';
  const text = { fontFamily: tokens.font, fontSize: 11 };
  const option: Record<string, unknown> = {
    textStyle: { fontFamily: tokens.font }, aria: { enabled: false },
    graphic: hole && radius >= 48 ? [
      { type: 'text', left: 'center', top: size.height / 2 - 20, style: { text: shorten(short(total), radius * 1.1, 20, (value, font) => input.measure(value, font, 600)), fill: tokens.ink, font: `600 20px ${tokens.font}`, align: 'center' }, silent: true },
      { type: 'text', left: 'center', top: size.height / 2 + 6, style: { text: say('Total'), fill: tokens.muted, font: `400 11px ${tokens.font}`, align: 'center' }, silent: true },
    ] : [],
    series: [{
      type: 'pie', radius: [hole ? radius * 0.62 : 0, radius], center: ['50%', '50%'], startAngle: 90, animationDuration: 160, emphasis: { disabled: false, scale: false },
      avoidLabelOverlap: true, minShowLabelAngle: 4,
      label: outside ? { show: true, color: tokens.text, ...text, formatter: (params: { dataIndex: number }) => { const slice = slices[params.dataIndex]!; return `${shorten(slice.name, 110, 11, input.measure)}\n{share|${where === 'off' ? short(slice.value) : share(slice.value)}}`; }, rich: { share: { color: tokens.muted, fontSize: 11, lineHeight: 15 } } } : { show: false },
      labelLine: { show: outside, length: 8, length2: 8, lineStyle: { color: tokens.axis } },
      data: slices.map((slice) => ({ name: slice.name, value: slice.value, itemStyle: { color: slice.color, borderColor: slice.edge !== slice.color ? slice.edge : tokens.surface, borderWidth: 1 } })),
    }],
  };
  const first = slices[0];
  const description: ChartDescription = {
    kind: 'chart', option, places: slices.length, along: 'none', axis_value: (place) => place, range: null, weight: slices.length,
    legend: room < 90 ? [] : outside && slices.length === every.length ? [] : every.map((slice) => ({ key: slice.key, name: slice.name, color: slice.color, edge: slice.edge !== slice.color ? slice.edge : undefined, shape: 'box' as const, hidden: input.hidden.has(slice.key) })),
    summary: first ? say('Pie chart of {{measure}} by {{by}}: {{count}} parts of {{total}}, the largest is {{first}} with {{share}}.', {
      measure: columnTitle(settings, column), by: columnTitle(settings, columns[dimension]!), count: String(slices.length), total: full(total), first: first.name, share: share(first.value),
    }) : say('All parts are switched off.'),
    tip: (place) => {
      const slice = slices[place];
      return slice ? { title: slice.name, lines: [{ label: columnTitle(settings, column), value: full(slice.value), color: slice.color }, { label: say('Share'), value: share(slice.value), quiet: true }] } : null;
    },
    mark: (_, place) => {
      const slice = slices[place];
      return !slice || slice.raw === undefined ? null : { value: { column, value: slice.value }, dimensions: [{ column: columns[dimension]!, value: slice.raw }], row: slice.rows[0] ?? null };
    },
    values_at: (place) => (slices[place] ? [{ series: 0, value: slices[place]!.value, axis: 0 }] : []),
  };
  return description;
}
