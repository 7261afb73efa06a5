import { say } from '../../query/words';
import { change, formatNumber, formatValue, toNumber, withMeaning, type FormatOptions } from '../format';
import { labelEvery, niceScale, shorten, type Scale } from '../scale';
import { columnSettings, columnTitle, numberSetting, seriesSettings, textSetting, toggleSetting } from '../settings';
import { fade } from '../tokens';
import type { ChartDescription, Description, DrawInput, LegendItem, Mark, Tip } from '../types';
import { readSeries, stackedTotals, trendLine, type CartesianModel, type Series, type SeriesDisplay } from './series';

export interface CartesianOptions {
  display: SeriesDisplay;
  combo?: boolean;
  /** Bars that lie: categories from top to bottom. */
  lying?: boolean;
}
type Json = Record<string, unknown>;

interface Drawn {
  /** Which series of the model an ECharts series draws, or null for lines that nobody clicks. */
  model: number | null;
  main: boolean;
}

const label_size = 11;
/** Below this a chart is a picture without axes. */
const tiny = { width: 150, height: 84 };

export function stackType(input: DrawInput, options: CartesianOptions): 'stacked' | 'normalized' | null {
  // A setting left over from bars must not lift lines onto each other.
  if (options.display === 'line' && !options.combo) return null;
  const value = input.settings['stackable.stack_type'];
  if (value === 'stacked' || value === 'normalized') return value;
  if (value === null) return null;
  // Areas over each other hide each other; parts of a whole are read as a stack.
  return options.display === 'area' && !options.combo ? 'stacked' : null;
}

export function describeCartesian(input: DrawInput, options: CartesianOptions): Description {
  if (input.rows.length === 0) return { kind: 'problem', sentence: say('There are no rows to draw.') };
  const model = readSeries(input, options.display, { combo: options.combo, times: !options.lying });
  if ('problem' in model) return { kind: 'problem', sentence: model.problem };
  const shown = model.series.map((series, index) => ({ series, index })).filter(({ series }) => !input.hidden.has(series.key));
  return options.lying ? lyingBars(input, model, shown) : upright(input, options, model, shown);
}

interface Shown {
  series: Series;
  index: number;
}

function wholeNumbers(shown: Shown[]): boolean {
  return shown.every(({ series }) => series.values.every((value) => value === null || Number.isInteger(value)));
}

function valueFormat(input: DrawInput, series: Series | undefined) {
  const settings = series ? columnSettings(input.settings, series.column) : {};
  const style: FormatOptions = { locale: input.locale, first_weekday: input.first_weekday };
  const merged = series ? withMeaning(series.column, settings) : {};
  return {
    full: (value: number | null) => (value === null || !series ? '' : formatValue(value, series.column, settings, style)),
    short: (value: number | null) => (value === null ? '' : formatNumber(value, merged, { ...style, compact: true })),
    axis: (value: number) => (value === 0 ? '0' : formatNumber(value, { ...merged, decimals: undefined }, { ...style, compact: true, trim: true })),
  };
}

function legendOf(input: DrawInput, model: CartesianModel): LegendItem[] {
  return model.series.map((series) => ({
    key: series.key, name: series.name, color: series.display === 'line' ? series.edge : series.color,
    edge: series.edge !== series.color ? series.edge : undefined,
    shape: series.display === 'line' ? (series.style === 'solid' ? 'line' : 'dashed') : 'box',
    hidden: input.hidden.has(series.key),
  }));
}

function tipFor(input: DrawInput, model: CartesianModel, shown: Shown[], place: number, normalized: boolean): Tip | null {
  const at = model.places[place];
  if (!at) return null;
  const lines: Tip['lines'] = [];
  let total = 0;
  for (const { series } of shown) total += series.values[place] ?? 0;
  for (const { series } of shown) {
    const value = series.values[place] ?? null;
    if (value === null && shown.length > 3) continue;
    const text = value === null ? say('no value') : valueFormat(input, series).full(value);
    lines.push({
      label: series.name, value: normalized && value !== null && total !== 0 ? `${text} (${formatNumber(value / total, { number_style: 'percent' })})` : text,
      color: shown.length > 1 ? (series.display === 'bar' ? series.color : series.edge) : undefined, dashed: series.style !== 'solid', quiet: series.compare,
    });
  }
  const first = shown[0]?.series;
  const compare = shown.find(({ series }) => series.compare)?.series;
  if (first && compare) {
    const moved = change(first.values[place] ?? null, compare.values[place] ?? null);
    if (moved) lines.push({ label: say('Change'), value: moved.text, tone: moved.direction === 'up' ? 'good' : moved.direction === 'down' ? 'bad' : undefined });
  } else if (first && shown.length === 1 && model.time && place > 0 && place !== model.unfinished) {
    const moved = change(first.values[place] ?? null, first.values[place - 1] ?? null);
    if (moved) lines.push({ label: say('Change on {{before}}', { before: model.places[place - 1]!.title }), value: moved.text, quiet: true, tone: moved.direction === 'up' ? 'good' : moved.direction === 'down' ? 'bad' : undefined });
  } else if (shown.length > 2 && shown.length === model.series.length && model.split && !normalized) {
    lines.push({ label: say('Total'), value: valueFormat(input, first).full(total) });
  }
  return { title: place === model.unfinished ? say('{{period}} so far', { period: at.title }) : at.title, lines };
}

function markOf(model: CartesianModel, series: Series, place: number): Mark | null {
  const at = model.places[place];
  if (!at || series.values[place] == null) return null;
  return {
    value: { column: series.column, value: series.values[place] },
    dimensions: [
      { column: model.dimension, value: at.value },
      ...(series.split ? [{ column: series.split.column, value: series.split.value }] : []),
    ],
    row: series.rows[place] ?? null,
  };
}

export function summarize(input: DrawInput, model: CartesianModel, shown: Shown[], kind: string): string {
  const first = shown[0]?.series;
  if (!first) return say('All series are switched off.');
  const format = valueFormat(input, first);
  const known = first.values.map((value, index) => ({ value, index })).filter((item): item is { value: number; index: number } => item.value !== null);
  const by = columnTitle(input.settings, model.dimension);
  if (known.length === 0) return say('{{kind}} of {{measure}} by {{by}}, without any value.', { kind, measure: first.name, by });
  const high = known.reduce((a, b) => (b.value > a.value ? b : a));
  const low = known.reduce((a, b) => (b.value < a.value ? b : a));
  const title = (index: number) => model.places[index]!.title;
  const measure = model.split ? columnTitle(input.settings, first.column) : shown.map(({ series }) => series.name).slice(0, 3).join(', ');
  if (model.split && shown.length > 1)
    return say('{{kind}} of {{measure}} by {{by}}, split into {{count}} by {{split}}, from {{from}} to {{to}}.', { kind, measure, by, count: String(shown.length), split: columnTitle(input.settings, model.split), from: title(0), to: title(model.places.length - 1) });
  const sentence = say('{{kind}} of {{measure}} by {{by}}: highest {{high}} ({{high_at}}), lowest {{low}} ({{low_at}})', {
    kind, measure, by, high: format.full(high.value), high_at: title(high.index), low: format.full(low.value), low_at: title(low.index),
  });
  const last = known[known.length - 1]!;
  return model.time ? `${sentence}, ${say('latest {{value}} ({{at}})', { value: format.full(last.value), at: title(last.index) })}.` : `${sentence}.`;
}

export const kind_names: Record<string, () => string> = {
  line: () => say('Line chart'), area: () => say('Area chart'), bar: () => say('Bar chart'), row: () => say('Row chart'), combo: () => say('Combined chart'),
};

function range(input: DrawInput, list: Shown[], stack: 'stacked' | 'normalized' | null, places: number, count: number, key: string): Scale {
  const stacked = stack ? list.filter(({ series }) => !series.compare) : [];
  let low = Infinity;
  let high = -Infinity;
  for (const { series } of list.filter((item) => !stacked.includes(item)))
    for (const value of series.values) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  if (stacked.length > 0) {
    const totals = stackedTotals(stacked.map(({ series }) => series), places, stack === 'normalized');
    low = Math.min(low, totals.low);
    high = Math.max(high, totals.high);
  }
  const goal = goalOf(input);
  if (goal !== null && stack !== 'normalized' && key === 'left') {
    low = Math.min(low, goal);
    high = Math.max(high, goal);
  }
  const unpinned = toggleSetting(input.settings, 'graph.y_axis.unpin_from_zero', false) && list.every(({ series }) => series.display === 'line');
  if (!unpinned) {
    low = Math.min(low, 0);
    high = Math.max(high, 0);
  }
  if (!toggleSetting(input.settings, 'graph.y_axis.auto_range', true)) {
    low = numberSetting(input.settings, 'graph.y_axis.min') ?? low;
    high = numberSetting(input.settings, 'graph.y_axis.max') ?? high;
  }
  const scale = niceScale(low, high, count, wholeNumbers(list) && stack !== 'normalized');
  return stack === 'normalized' ? { ...scale, max: Math.min(scale.max, 1), min: Math.max(-1, scale.min) } : scale;
}

function goalOf(input: DrawInput): number | null {
  return toggleSetting(input.settings, 'graph.show_goal', false) ? (numberSetting(input.settings, 'graph.goal_value') ?? 0) : null;
}

function upright(input: DrawInput, options: CartesianOptions, model: CartesianModel, shown: Shown[]): ChartDescription {
  const { tokens, size, inset, settings, measure } = input;
  // One series has nothing to stand on: it keeps the look of a line.
  const stack = shown.filter(({ series }) => !series.compare).length > 1 ? stackType(input, options) : null;
  const stacked = stack !== null && shown.filter(({ series }) => !series.compare).length > 0;
  const is_tiny = size.width < tiny.width || size.height < tiny.height;
  const places = model.places.length;
  const count = size.height < 120 ? (size.height < 96 ? 2 : 3) : 4;

  const split_axes = shown.length > 1 && !stacked && !model.split && toggleSetting(settings, 'graph.y_axis.auto_split', options.combo ?? false) && !shown.some(({ series }) => series.right) ? farApart(shown) : [];
  const right = shown.filter((item) => item.series.right || split_axes.includes(item.index));
  const left = shown.filter((item) => !right.includes(item));
  const axes = [left.length > 0 ? left : right, left.length > 0 ? right : []].filter((list) => list.length > 0);
  const log = textSetting(settings, 'graph.y_axis.scale') === 'log' && shown.every(({ series }) => series.values.every((value) => value === null || value > 0));

  const scales = axes.map((list, index) => range(input, list, stack, places, count, index === 0 ? 'left' : 'right'));
  const axis_formats = axes.map((list) => (stack === 'normalized' ? (value: number) => formatNumber(value, { number_style: 'percent' }, { trim: true }) : valueFormat(input, list[0]?.series).axis));
  const label_width = scales.map((scale, index) => Math.max(...scale.ticks.map((tick) => measure(axis_formats[index]!(tick), label_size))));
  const show_y = !is_tiny && settings['graph.y_axis.axis_enabled'] !== false;
  const show_x = !is_tiny && settings['graph.x_axis.axis_enabled'] !== false;

  const lines = shown.filter(({ series }) => series.display !== 'bar');
  const direct = !is_tiny && shown.length === 2 && lines.length === 2 && !stacked && size.width >= 620 && axes.length === 1 && !model.split;
  const alone = shown.filter(({ series }) => !series.compare).length === 1;
  const lit = model.time && alone && !seriesSettings(settings, shown[0]!.series.key).color;
  const values_shown = toggleSetting(settings, 'graph.show_values', false);

  const y_title = settings['graph.y_axis.labels_enabled'] === false ? undefined : textSetting(settings, 'graph.y_axis.title_text');
  const x_title = settings['graph.x_axis.labels_enabled'] === false ? undefined : textSetting(settings, 'graph.x_axis.title_text');
  const end_texts = direct ? shown.map(({ series }) => endText(input, model, series)) : [];
  const end_room = direct ? Math.max(...end_texts.map((text) => Math.max(measure(text.name, label_size, 600), measure(text.value, label_size)))) + 12 : 0;
  const grid = {
    left: is_tiny ? 2 : inset + (show_y ? label_width[0]! + 8 : 0),
    right: is_tiny ? 2 : inset + (axes.length > 1 && show_y ? label_width[1]! + 8 : 0) + end_room,
    top: is_tiny ? 4 : (values_shown || lit ? 22 : 10) + (y_title ? 16 : 0),
    bottom: is_tiny ? 2 : (show_x ? 28 : 10) + (x_title ? 18 : 0),
  };
  // The last label is centred under the last point and must not be cut.
  if (show_x && model.time && lines.length === shown.length) grid.right = Math.max(grid.right, measure(model.places[places - 1]?.label ?? '', label_size) / 2 + 4);
  const plot_width = Math.max(20, size.width - grid.left - grid.right);
  const x = categoryLabels(input, model, plot_width, show_x, shown.some(({ series }) => series.display === 'bar'));
  grid.bottom += x.extra;
  const plot_height = Math.max(20, size.height - grid.top - grid.bottom);

  const numeric = model.numeric && !shown.some(({ series }) => series.display === 'bar') && !log;
  const drawn: Drawn[] = [];
  const series_options: Json[] = [];
  const push = (option: Json, info: Drawn) => {
    series_options.push({ animationDuration: 160, animationDurationUpdate: 160, animationEasing: 'cubicOut', emphasis: { disabled: true }, ...option });
    drawn.push(info);
  };
  const point = (place: number, value: number | null) => (numeric ? [toNumber(model.places[place]!.value), value] : value);
  const totals = stacked ? stackedTotals(shown.filter(({ series }) => !series.compare).map(({ series }) => series), places, stack === 'normalized') : null;
  let stack_index = -1;

  for (const item of shown) {
    const { series } = item;
    const axis = axes.length > 1 && axes[1]!.includes(item) ? 1 : 0;
    const in_stack = stacked && !series.compare;
    if (in_stack) stack_index += 1;
    const raw = in_stack && totals ? totals.shares[stack_index]! : series.values;
    const data = raw.map((value) => (value === null && series.missing === 'zero' ? 0 : value));
    const format = valueFormat(input, series);
    const own_values = seriesSettings(settings, series.key).show_series_values ?? values_shown;
    const label = own_values && !is_tiny ? {
      show: true, color: tokens.text, fontSize: label_size, fontFamily: tokens.font,
      position: in_stack && series.display === 'bar' ? 'inside' : 'top',
      ...(in_stack && series.display === 'bar' ? { color: inkOn(series.color, tokens.ink) } : {}),
      formatter: (params: { dataIndex: number }) => format.short(series.values[params.dataIndex] ?? null),
    } : { show: false };
    const hide = textSetting(settings, 'graph.label_value_frequency') === 'all' ? undefined : { hideOverlap: true };
    if (series.display === 'bar') {
      push({
        type: 'bar', name: series.name, yAxisIndex: axis, barMaxWidth: 56, barCategoryGap: places > 60 ? '12%' : '32%', barGap: '8%',
        stack: in_stack ? 'all' : undefined, label, labelLayout: hide, large: places > 4000,
        itemStyle: { color: series.color, borderWidth: series.edge !== series.color || in_stack ? 1 : 0, borderColor: series.edge !== series.color ? series.edge : tokens.surface },
        data: data.map((value, place) => {
          if (!lit || place !== places - 1 || value === null) return point(place, value);
          const open = place === model.unfinished;
          return { value: point(place, value), itemStyle: open ? { color: fade(tokens.ember, 0.22), borderColor: tokens.ember, borderWidth: 1.5, borderType: [3, 3] } : { color: tokens.ember } };
        }),
      }, { model: item.index, main: true });
      continue;
    }
    const area = series.display === 'area';
    const thin = series.compare;
    const size_setting = seriesSettings(settings, series.key)['line.size'];
    const width = thin ? 1.5 : size_setting === 'S' ? 1 : size_setting === 'L' ? 3 : 2;
    const curve = seriesSettings(settings, series.key)['line.interpolate'] ?? textSetting(settings, 'line.interpolate');
    const markers = seriesSettings(settings, series.key)['line.marker_enabled'];
    const single_point = series.values.filter((value) => value !== null).length === 1;
    const symbols = single_point || (markers === true) || (markers !== false && !thin && !is_tiny && (plot_width / Math.max(1, places) >= 40 || (values_shown && places < 40)));
    const open = !in_stack && model.unfinished !== null && !thin ? model.unfinished : null;
    const last_known = lastKnown(series.values);
    const type = series.style === 'dashed' ? [4, 4] : series.style === 'dotted' ? [1, 3] : 'solid';
    const shape: Json = {
      type: 'line', name: series.name, yAxisIndex: axis, smooth: curve === 'cardinal' ? 0.3 : false, step: curve === 'step-after' ? 'end' : false,
      connectNulls: series.missing === 'interpolate', showSymbol: symbols, symbol: 'circle', symbolSize: thin ? 4 : 7, sampling: places > 3000 ? 'lttb' : undefined,
      stack: in_stack ? 'all' : undefined, labelLayout: hide,
      lineStyle: { color: series.edge, width, type, join: 'round' },
      itemStyle: { color: series.edge, borderColor: tokens.surface, borderWidth: symbols ? 1.5 : 0 },
    };
    const depth = area ? (tokens.dark ? 0.34 : 0.3) : tokens.dark ? 0.2 : 0.16;
    const fill = in_stack && area ? { color: series.color, opacity: 0.82 } : area && !alone ? { color: fade(series.color, 0.22) } : alone && !thin && (model.time || area)
      ? { color: { type: 'linear', x: 0, y: grid.top, x2: 0, y2: grid.top + plot_height, global: true, colorStops: [{ offset: 0, color: fade(series.color, depth) }, { offset: 1, color: fade(series.color, area ? 0.08 : 0.01) }] } }
      : undefined;
    const end_label = direct ? endLabel(input, end_texts[shown.indexOf(item)]!, endOffset(shown, item, scales[0]!, plot_height), thin) : undefined;
    push({
      ...shape, label: label.show ? label : undefined,
      areaStyle: fill ? { ...fill, origin: in_stack ? undefined : 'auto' } : undefined,
      endLabel: open === null ? end_label : undefined,
      data: data.map((value, place) => {
        if (open !== null && place === open) return numeric ? [null, null] : null;
        if (lit && !thin && open === null && place === last_known && !is_tiny) return { value: point(place, value), symbol: 'circle', symbolSize: 10, itemStyle: { color: tokens.ember, borderColor: tokens.surface, borderWidth: 2 }, label: lastLabel(input, model, series, direct) };
        return point(place, value);
      }),
    }, { model: item.index, main: true });
    if (open !== null) {
      push({
        ...shape, animation: false, connectNulls: true, lineStyle: { color: series.edge, width, type: [2, 3] }, showSymbol: true, endLabel: end_label,
        // The gradient of the past goes on under the dashed part.
        areaStyle: fill && !in_stack ? { ...fill, origin: 'auto' } : undefined,
        data: data.map((value, place) => {
          if (place < open - 1) return null;
          if (place === open) return lit && !is_tiny ? { value, symbol: 'circle', symbolSize: 10, itemStyle: { color: tokens.ember, borderColor: tokens.surface, borderWidth: 2 }, label: lastLabel(input, model, series, direct) } : { value, symbolSize: symbols ? 7 : 0 };
          return { value, symbolSize: 0 };
        }),
      }, { model: item.index, main: false });
    }
    // A lit point must be seen even where the other points are not drawn.
    if (!symbols && lit && !thin && open === null && !is_tiny) {
      const option = series_options[series_options.length - 1]!;
      option['showSymbol'] = true;
      option['data'] = (option['data'] as unknown[]).map((value, place) => (place === last_known || value === null || value === undefined ? value : { value, symbolSize: 0 }));
    }
  }
  if (toggleSetting(settings, 'graph.show_trendline', false) && !stacked) {
    for (const { series, index } of shown) {
      const known = model.unfinished === null ? series.values : series.values.map((value, place) => (place === model.unfinished ? null : value));
      const line = trendLine(known);
      if (line) push({ type: 'line', silent: true, symbol: 'none', data: line.map((value, place) => point(place, value)), lineStyle: { color: fade(series.edge, 0.7), width: 1.5, type: [6, 4] }, z: 1 }, { model: index, main: false });
    }
  }
  const goal = goalOf(input);
  if (goal !== null && series_options[0]) {
    series_options[0]['markLine'] = {
      silent: true, symbol: 'none', animation: false, data: [{ yAxis: goal }], lineStyle: { color: tokens.muted, width: 1, type: [5, 4] },
      label: { show: !is_tiny, position: 'insideEndTop', color: tokens.text, backgroundColor: fade(tokens.surface, 0.86), padding: [1, 4], borderRadius: 3, fontSize: label_size, fontFamily: tokens.font, formatter: `${textSetting(settings, 'graph.goal_label') ?? say('Goal')} ${valueFormat(input, shown[0]?.series).short(goal)}` },
    };
  }

  const text_style = { color: tokens.label, fontSize: label_size, fontFamily: tokens.font };
  const option: Json = {
    animation: true, textStyle: { fontFamily: tokens.font }, aria: { enabled: false },
    grid: { ...grid, outerBoundsMode: 'none', containLabel: false },
    xAxis: {
      ...(numeric ? { type: 'value', scale: true, splitLine: { show: false }, axisLabel: { ...text_style, show: show_x, hideOverlap: true, margin: 10, formatter: (value: number) => formatValue(value, model.dimension, columnSettings(settings, model.dimension), { trim: true }) } }
        : { type: 'category', data: model.places.map((place) => place.title), boundaryGap: shown.some(({ series }) => series.display === 'bar'), axisLabel: { ...text_style, show: show_x, margin: 10, ...x.option } }),
      axisLine: { show: show_x, lineStyle: { color: tokens.axis }, onZero: true }, axisTick: { show: false },
      name: x_title, nameLocation: 'middle', nameGap: 26 + x.extra, nameTextStyle: text_style,
    },
    yAxis: axes.map((_, index) => ({
      type: log ? 'log' : 'value', position: index === 0 ? 'left' : 'right',
      ...(log ? {} : { min: scales[index]!.min, max: scales[index]!.max, interval: scales[index]!.step }),
      axisLabel: { ...text_style, show: show_y, margin: 8, formatter: axis_formats[index] },
      axisLine: { show: false }, axisTick: { show: false },
      splitLine: { show: !is_tiny && index === 0, lineStyle: { color: tokens.grid, width: 1 } },
      name: index === 0 ? y_title : undefined, nameTextStyle: { ...text_style, align: 'left', padding: [0, 0, 0, -label_width[0]! - 8] }, nameGap: 12,
    })),
    series: series_options,
  };

  const legend = legendOf(input, model);
  const needs_legend = model.series.length > 2 || (model.series.length === 2 && !direct) || (model.series.length > 1 && input.hidden.size > 0);
  return {
    kind: 'chart', option, places, along: 'x',
    axis_value: (place) => (numeric ? (toNumber(model.places[place]?.value) ?? 0) : place),
    range: model.time || model.numeric || model.dimension.binning_info
      ? (from, to) => ({ column: model.dimension, from: model.places[Math.min(from, to)]?.value, to: model.places[Math.max(from, to)]?.value }) : null,
    legend: !is_tiny && needs_legend ? legend : [],
    summary: summarize(input, model, shown, (kind_names[options.combo ? 'combo' : options.display] ?? kind_names['bar']!)()),
    weight: places * Math.max(1, shown.length),
    tip: (place) => tipFor(input, model, shown, place, stack === 'normalized'),
    mark: (index, place) => {
      const info = drawn[index];
      const series = info?.model == null ? undefined : model.series[info.model];
      return series ? markOf(model, series, place) : null;
    },
    values_at: (place) => {
      let up = 0;
      const found: { series: number; value: number; axis: number }[] = [];
      drawn.forEach((info, index) => {
        if (info.model === null || !info.main) return;
        const item = shown.find((one) => one.index === info.model);
        const value = item?.series.values[place];
        if (!item || value == null) return;
        const in_stack = stacked && !item.series.compare;
        const share = in_stack && totals ? (totals.shares[shown.filter(({ series }) => !series.compare).indexOf(item)]![place] ?? 0) : value;
        if (in_stack) up += share;
        found.push({ series: index, value: in_stack ? up : value, axis: axes.length > 1 && axes[1]!.includes(item) ? 1 : 0 });
      });
      return found;
    },
  };
}

function lastKnown(values: (number | null)[]): number {
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null) return index;
  return -1;
}

/** Series whose range is so different from the first one's that one axis would flatten them. */
function farApart(shown: Shown[]): number[] {
  const span = ({ series }: Shown) => Math.max(...series.values.map((value) => Math.abs(value ?? 0)), 1e-12);
  const first = span(shown[0]!);
  return shown.slice(1).filter((item) => span(item) / first > 12 || first / span(item) > 12).map((item) => item.index);
}

function inkOn(color: string, ink: string): string {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (!match) return ink;
  const light = [0, 1, 2].map((index) => parseInt(match[index + 1]!, 16) / 255).map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * light[0]! + 0.7152 * light[1]! + 0.0722 * light[2]!;
  return luminance > 0.32 ? '#1B2430' : '#FFFFFF';
}

function endText(input: DrawInput, model: CartesianModel, series: Series): { name: string; value: string } {
  const last = lastKnown(series.values);
  const short = valueFormat(input, series).short(series.values[last] ?? null);
  const name = shorten(series.name, 150, label_size, (text, size) => input.measure(text, size, 600));
  return { name, value: series.compare ? '' : last === model.unfinished ? say('{{value}} so far', { value: short }) : short };
}
function endLabel(input: DrawInput, text: { name: string; value: string }, offset: number, quiet: boolean): Json {
  const { tokens } = input;
  return {
    show: true, distance: 10, offset: [0, offset], formatter: text.value ? `{name|${text.name}}\n{value|${text.value}}` : `{name|${text.name}}`,
    rich: {
      name: { color: quiet ? tokens.muted : tokens.ink, fontSize: label_size, fontWeight: quiet ? 400 : 600, lineHeight: 15, fontFamily: tokens.font },
      value: { color: tokens.muted, fontSize: label_size, lineHeight: 15, fontFamily: tokens.font },
    },
  };
}
/** Moves the two labels at the line ends apart when the lines end close together. */
function endOffset(shown: Shown[], item: Shown, scale: Scale, height: number): number {
  const other = shown.find((one) => one !== item);
  if (!other) return 0;
  const end = ({ series }: Shown) => series.values[lastKnown(series.values)] ?? 0;
  const gap = ((end(item) - end(other)) / (scale.max - scale.min || 1)) * height;
  const missing = 34 - Math.abs(gap);
  if (missing <= 0) return 0;
  const above = gap > 0 || (gap === 0 && shown.indexOf(item) < shown.indexOf(other));
  return above ? -missing / 2 : missing / 2;
}
function lastLabel(input: DrawInput, model: CartesianModel, series: Series, direct: boolean): Json {
  const { tokens } = input;
  const last = lastKnown(series.values);
  if (direct || input.size.width < 300 || input.size.height < 130) return { show: false };
  const short = valueFormat(input, series).short(series.values[last] ?? null);
  // A line that comes down would run through a label above its end.
  const before = lastKnown(series.values.slice(0, last));
  const falls = before >= 0 && (series.values[before] ?? 0) > (series.values[last] ?? 0);
  return {
    show: true, position: falls ? 'bottom' : 'top', align: 'right', offset: [6, falls ? 2 : -2], distance: 6, color: tokens.ink, textBorderColor: tokens.surface, textBorderWidth: 3, fontWeight: 600, fontSize: label_size, fontFamily: tokens.font,
    formatter: last === model.unfinished ? say('{{value}} so far', { value: short }) : short,
  };
}

/** Which labels the category axis shows: never two that overlap; long words are turned, then cut. */
function categoryLabels(input: DrawInput, model: CartesianModel, width: number, show: boolean, bars: boolean): { option: Json; extra: number } {
  const enabled = input.settings['graph.x_axis.axis_enabled'];
  const labels = model.places.map((place) => place.label);
  if (!show || labels.length === 0) return { option: { interval: 0, formatter: () => '' }, extra: 0 };
  const widest = Math.max(...labels.map((label) => input.measure(label, label_size)));
  const slot = width / Math.max(1, labels.length - (bars ? 0 : 1));
  if (model.time || (enabled !== 'rotate-45' && enabled !== 'rotate-90' && widest + 10 <= slot)) {
    // The year makes January wider: reckon with the usual label and let wide ones take their neighbour's room.
    const usual = [...labels].map((label) => input.measure(label, label_size)).sort((a, b) => a - b)[Math.floor(labels.length * 0.75)] ?? widest;
    let every = labelEvery(labels.length, width, usual + 9, model.unit);
    // Where months are left out, the year must fit between its neighbours or it would be the one to go.
    if (every > 1 && (model.unit === 'month' || model.unit === 'quarter')) every = labelEvery(labels.length, width, (usual + widest) / 2 + 9, model.unit);
    // Steps of months begin at January, so that years are named where they begin.
    let start = 0;
    if (every > 1 && model.time && (model.unit === 'month' || model.unit === 'quarter')) {
      const january = model.places.findIndex((place) => /^\d{4}-01/.test(String(place.value)));
      if (january > 0) start = january % every;
    }
    const years = every > 1 && model.time;
    return {
      option: {
        interval: (index: number) => index % every === start, hideOverlap: true,
        formatter: (_: string, index: number) => (years && every >= 12 && model.unit === 'month' ? labels[index]!.replace(/^\S+ (?=\d{4}$)/, '') : labels[index] ?? ''),
      }, extra: 0,
    };
  }
  const turn = enabled === 'rotate-90' ? 90 : 45;
  if (enabled !== 'rotate-45' && enabled !== 'rotate-90' && (slot >= 64 || model.numeric)) {
    return { option: { interval: model.numeric ? 'auto' : 0, hideOverlap: true, formatter: (_: string, index: number) => shorten(labels[index] ?? '', slot - 8, label_size, input.measure) }, extra: 0 };
  }
  const longest = Math.min(120, Math.max(44, input.size.height * 0.36));
  const every = Math.max(1, Math.ceil(16 / Math.max(1, slot)));
  const used = Math.min(widest, longest);
  return {
    option: { interval: (index: number) => index % every === 0, rotate: turn, formatter: (_: string, index: number) => shorten(labels[index] ?? '', longest, label_size, input.measure) },
    extra: Math.ceil(turn === 90 ? used - 12 : used * 0.71 - 6),
  };
}

/* ---- bars that lie ------------------------------------------------------------------------------ */

function lyingBars(input: DrawInput, model: CartesianModel, shown: Shown[]): ChartDescription {
  const { tokens, size, inset, settings, measure } = input;
  const stack = settings['stackable.stack_type'] === 'stacked' || settings['stackable.stack_type'] === 'normalized' ? (settings['stackable.stack_type'] as 'stacked' | 'normalized') : null;
  const places = model.places.length;
  const scale = range(input, shown, stack, places, size.width < 360 ? 3 : 4, 'left');
  const format = valueFormat(input, shown[0]?.series);
  const axis = stack === 'normalized' ? (value: number) => formatNumber(value, { number_style: 'percent' }, { trim: true }) : format.axis;
  const is_tiny = size.width < tiny.width || size.height < tiny.height;
  const widest = Math.max(...model.places.map((place) => measure(place.title, label_size)));
  const label_room = is_tiny ? 0 : Math.min(widest, Math.max(40, size.width * 0.32));
  const direct = !is_tiny && shown.length === 1 && (size.height - 20) / places >= 15;
  const value_room = direct ? Math.max(...shown[0]!.series.values.map((value) => measure(format.short(value), label_size))) + 8 : 0;
  const totals = stack ? stackedTotals(shown.map(({ series }) => series), places, stack === 'normalized') : null;
  const text_style = { color: tokens.label, fontSize: label_size, fontFamily: tokens.font };
  const goal = goalOf(input);
  const option: Json = {
    animation: true, textStyle: { fontFamily: tokens.font }, aria: { enabled: false },
    grid: { left: is_tiny ? 2 : inset + label_room + 8, right: (is_tiny ? 2 : inset) + value_room, top: is_tiny ? 2 : 6, bottom: is_tiny ? 2 : direct ? 8 : 26, outerBoundsMode: 'none', containLabel: false },
    xAxis: {
      type: 'value', min: scale.min, max: scale.max, interval: scale.step, axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { ...text_style, show: !is_tiny && !direct, formatter: axis, hideOverlap: true }, splitLine: { show: !is_tiny && !direct, lineStyle: { color: tokens.grid } },
    },
    yAxis: {
      type: 'category', inverse: true, data: model.places.map((place) => place.title), axisTick: { show: false }, axisLine: { show: !is_tiny, lineStyle: { color: tokens.axis } },
      axisLabel: { ...text_style, show: !is_tiny, align: 'left', margin: label_room + 8, interval: Math.max(0, Math.ceil(14 / ((size.height - 34) / places)) - 1), formatter: (text: string) => shorten(text, label_room, label_size, measure) },
    },
    series: shown.map(({ series }, index) => ({
      type: 'bar', name: series.name, stack: stack ? 'all' : undefined, barMaxWidth: 28, barCategoryGap: '28%', barGap: '8%', animationDuration: 160, emphasis: { disabled: true },
      itemStyle: { color: series.color, borderWidth: series.edge !== series.color || stack ? 1 : 0, borderColor: series.edge !== series.color ? series.edge : tokens.surface },
      data: totals ? totals.shares[index] : series.values,
      label: direct || toggleSetting(settings, 'graph.show_values', false) ? { show: !is_tiny, position: stack ? 'inside' : 'right', color: stack ? inkOn(series.color, tokens.ink) : tokens.text, fontSize: label_size, fontFamily: tokens.font, formatter: (params: { dataIndex: number }) => valueFormat(input, series).short(series.values[params.dataIndex] ?? null) } : undefined,
      labelLayout: { hideOverlap: true },
      markLine: index === 0 && goal !== null ? { silent: true, symbol: 'none', data: [{ xAxis: goal }], lineStyle: { color: tokens.muted, type: [5, 4] }, label: { formatter: textSetting(settings, 'graph.goal_label') ?? say('Goal'), color: tokens.muted, fontSize: label_size } } : undefined,
    })),
  };
  return {
    kind: 'chart', option, places, along: 'y', axis_value: (place) => place, range: null, legend: is_tiny || model.series.length < 2 ? [] : legendOf(input, model),
    summary: summarize(input, model, shown, kind_names['row']!()), weight: places * shown.length,
    tip: (place) => tipFor(input, model, shown, place, stack === 'normalized'),
    mark: (index, place) => (shown[index] ? markOf(model, shown[index]!.series, place) : null),
    values_at: (place) => shown.flatMap(({ series }, index) => (series.values[place] == null ? [] : [{ series: index, value: series.values[place]!, axis: 0 }])),
  };
}
