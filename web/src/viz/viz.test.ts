import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { visualizations, visualizationOf } from './all';
import { chooseDisplay } from './choose';
import { columnSettings, withColumnSettings } from './settings';
import { colorStep } from './map/describe';
import { stateCode, states } from './map/states';
import { labelEvery, niceScale, roughWidth, shorten } from './scale';
import { fillTemplate, listedColumns, safeLink, tableText } from './table/describe';
import { ruleHolds } from './table/conditional';
import { trendLine } from './cartesian/series';
import { test_tokens } from './tokens';
import type { ChartDescription, Column, DrawInput, HexDescription, NumberDescription, Row, TableDescription } from './types';

const month: Column = { name: 'created_at', display_name: 'Created At: Month', base_type: 'type/DateTime', unit: 'month', source: 'breakout' };
const category: Column = { name: 'category', display_name: 'Category', base_type: 'type/Text', source: 'breakout' };
const sum: Column = { name: 'sum', display_name: 'Sum of Total', base_type: 'type/Float', source: 'aggregation', semantic_type: 'type/Currency' };
const count: Column = { name: 'count', display_name: 'Count', base_type: 'type/Integer', source: 'aggregation' };
const id: Column = { name: 'id', display_name: 'ID', base_type: 'type/Integer', semantic_type: 'type/PK', source: 'fields' };
const title: Column = { name: 'title', display_name: 'Title', base_type: 'type/Text', source: 'fields' };

function input(columns: Column[], rows: Row[], more: Partial<DrawInput> = {}): DrawInput {
  return {
    columns, rows, settings: {}, tokens: test_tokens, size: { width: 600, height: 300 }, inset: 16, now: Date.UTC(2026, 10, 23),
    locale: 'en-US', hidden: new Set(), measure: roughWidth, first_weekday: 0, ...more,
  };
}
const months: Row[] = [['2026-09-01', 100], ['2026-10-01', 200], ['2026-11-01', 150]];
const draw = (display: string, of: DrawInput) => visualizationOf(display).draw(of);
const series = (chart: ChartDescription) => chart.option['series'] as { type: string; data: unknown[]; lineStyle?: { type: unknown } }[];

it('never stacks lines, whatever was set for bars before', () => {
  const columns = [month, category, count];
  const rows: Row[] = [['2026-09-01', 'a', 1], ['2026-09-01', 'b', 2], ['2026-10-01', 'a', 3], ['2026-10-01', 'b', 4]];
  const stacks = (display: string) => (draw(display, input(columns, rows, { settings: { 'stackable.stack_type': 'stacked' } })) as ChartDescription).option['series'] as { stack?: string }[];
  expect(stacks('line').map((one) => one.stack)).toEqual([undefined, undefined]);
  expect(stacks('bar').map((one) => one.stack)).toEqual(['all', 'all']);
});

describe('the list of visualizations', () => {
  it('has every folder that holds one', () => {
    const here = import.meta.dirname;
    const shared = ['cartesian', 'number'];
    const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !shared.includes(entry.name)).map((entry) => entry.name);
    expect(folders.sort()).toEqual(visualizations.map((one) => one.id).sort());
  });
  it('shows what it does not know as a table', () => {
    expect(visualizationOf('sankey').id).toBe('table');
  });
  it.each(visualizations.map((one) => one.id))('%s answers an empty and an odd result with a sentence, not a failure', (display) => {
    for (const of of [input([], []), input([title], [[null]]), input([title, id], [['a', null], [null, 3]])]) {
      const drawn = draw(display, of);
      if (drawn.kind === 'problem') expect(drawn.sentence.length).toBeGreaterThan(10);
      else expect(drawn.summary.length).toBeGreaterThan(5);
    }
  });
});

describe('lines', () => {
  it('draws the month that is not over as its own dashed piece with a lit end', () => {
    const chart = draw('line', input([month, sum], months)) as ChartDescription;
    const [main, tail] = series(chart);
    expect(main!.data[2]).toBeNull();
    expect(tail!.lineStyle?.type).toEqual([2, 3]);
    expect(tail!.data[2]).toMatchObject({ value: 150, itemStyle: { color: test_tokens.ember } });
    expect(chart.tip(2)?.title).toBe('November 2026 so far');
  });
  it('lights the newest point when all periods are over', () => {
    const chart = draw('line', input([month, sum], months, { now: Date.UTC(2027, 3, 1) })) as ChartDescription;
    expect(series(chart)).toHaveLength(1);
    expect(series(chart)[0]!.data[2]).toMatchObject({ itemStyle: { color: test_tokens.ember } });
  });
  it('fills a month without rows with a gap', () => {
    const chart = draw('line', input([month, sum], [['2026-01-01', 1], ['2026-04-01', 4]])) as ChartDescription;
    expect(chart.places).toBe(4);
    expect(chart.tip(1)?.lines[0]?.value).toBe('no value');
    expect(chart.mark(0, 1)).toBeNull();
  });
  it('knows what a press on a point means', () => {
    const chart = draw('line', input([month, sum], months)) as ChartDescription;
    expect(chart.mark(0, 1)).toEqual({ value: { column: sum, value: 200 }, dimensions: [{ column: month, value: '2026-10-01' }], row: 1 });
  });
  it('compares with the period before in the tooltip', () => {
    const chart = draw('line', input([month, sum], months)) as ChartDescription;
    expect(chart.tip(1)?.lines[1]).toMatchObject({ tone: 'good' });
    expect(chart.tip(1)?.lines[1]?.value).toContain('+100.0');
  });
  it('says highest, lowest and latest in one sentence', () => {
    expect(draw('line', input([month, sum], months))).toMatchObject({ summary: 'Line chart of Sum of Total by Created At: Month: highest $200 (October 2026), lowest $100 (September 2026), latest $150 (November 2026).' });
  });
  it('labels two lines at their ends on a wide chart and in a legend on a narrow one', () => {
    const rows = months.map((row) => [...row, 5]);
    const wide = draw('line', input([month, sum, count], rows, { size: { width: 900, height: 400 } })) as ChartDescription;
    const narrow = draw('line', input([month, sum, count], rows)) as ChartDescription;
    expect(wide.legend).toHaveLength(0);
    expect(narrow.legend.map((item) => item.name)).toEqual(['Sum of Total', 'Count']);
  });
});

describe('bars', () => {
  const rows: Row[] = [['2026-09-01', 'A', 10], ['2026-09-01', 'B', 30], ['2026-10-01', 'A', 20]];
  it('split by the second dimension and stack when asked', () => {
    const chart = draw('bar', input([month, category, sum], rows, { settings: { 'graph.dimensions': ['created_at', 'category'], 'graph.metrics': ['sum'], 'stackable.stack_type': 'stacked' } })) as ChartDescription;
    expect(series(chart).map((one) => one.data)).toEqual([[10, 20], [30, null]]);
    expect((chart.option['yAxis'] as { max: number }[])[0]!.max).toBeGreaterThanOrEqual(40);
    expect(chart.mark(1, 0)?.dimensions).toEqual([{ column: month, value: '2026-09-01' }, { column: category, value: 'B' }]);
    expect(chart.tip(0)?.lines.map((line) => line.label)).toEqual(['A', 'B']);
  });
  it('leave out what the reader switched off', () => {
    const chart = draw('bar', input([month, category, sum], rows, { hidden: new Set(['A']) })) as ChartDescription;
    expect(series(chart)).toHaveLength(1);
    expect(chart.legend.find((item) => item.key === 'A')?.hidden).toBe(true);
  });
  it('refuse to tell a hundred colours apart', () => {
    const many = Array.from({ length: 101 }, (_, index) => ['2026-09-01', `c${index}`, index]);
    expect(draw('bar', input([month, category, sum], many, { settings: { 'graph.dimensions': ['created_at', 'category'], 'graph.metrics': ['sum'] } })).kind).toBe('problem');
  });
  it('begin at zero and normalise to one', () => {
    const chart = draw('bar', input([month, category, sum], rows, { settings: { 'stackable.stack_type': 'normalized' } })) as ChartDescription;
    expect((chart.option['yAxis'] as { max: number; min: number }[])[0]).toMatchObject({ min: 0, max: 1 });
  });
});

describe('numbers', () => {
  it('compares the newest period with the one before', () => {
    const drawn = draw('smartscalar', input([month, sum], months, { now: Date.UTC(2027, 0, 1) })) as NumberDescription;
    expect(drawn.text).toBe('$150');
    expect(drawn.trends[0]).toMatchObject({ direction: 'down', tone: 'bad', against: 'vs $200' });
    expect(drawn.spark.map((one) => one.value)).toEqual([100, 200, 150]);
  });
  it('turns the tone round when down is good, and compares with another month when told', () => {
    const drawn = draw('smartscalar', input([month, sum], months, { settings: { 'scalar.switch_positive_negative': true, 'scalar.comparisons': [{ type: 'periodsAgo', value: 2 }] } })) as NumberDescription;
    expect(drawn.trends[0]).toMatchObject({ direction: 'up', tone: 'bad' });
    expect(drawn.caption).toBe('November 2026 so far');
  });
  it('shows the chosen column', () => {
    expect(draw('scalar', input([sum, count], [[12, 7]], { settings: { 'scalar.field': 'count' } }))).toMatchObject({ text: '7', caption: 'Count' });
  });
});

describe('pie', () => {
  it('sorts parts and puts the small ones together', () => {
    const rows: Row[] = [['a', 2], ['b', 100], ['c', 1], ['d', 60]];
    const chart = draw('pie', input([category, sum], rows)) as ChartDescription;
    const data = series(chart)[0]!.data as { name: string; value: number }[];
    expect(data.map((one) => [one.name, one.value])).toEqual([['b', 100], ['d', 60], ['Other (2)', 3]]);
    expect(chart.mark(0, 2)).toBeNull();
    expect(chart.mark(0, 1)?.dimensions[0]?.value).toBe('d');
  });
});

describe('map', () => {
  it('reads codes and names of states', () => {
    expect(stateCode('texas')).toBe('TX');
    expect(stateCode('US-NY')).toBe('NY');
    expect(stateCode('Bavaria')).toBeUndefined();
  });
  it('has 51 places, none on top of another', () => {
    expect(new Set(states.map((state) => `${state.column}/${state.row}`)).size).toBe(51);
    expect(states.every((state) => state.row < 2 || state.column % 2 === state.row % 2 || state.row === 7)).toBe(true);
  });
  it('colours by range and rank', () => {
    const drawn = draw('map', input([{ ...category, semantic_type: 'type/State' }, sum], [['TX', 400], ['ny', 10], ['Ohio', 20], ['Mars', 5]])) as HexDescription;
    expect(drawn.unplaced).toBe(1);
    expect(drawn.cells.find((cell) => cell.code === 'TX')).toMatchObject({ step: 6, text: '$400' });
    expect(drawn.cells.find((cell) => cell.code === 'CA')?.step).toBeNull();
    expect(colorStep(5, [5, 5])).toBe(3);
  });
});

describe('table', () => {
  it('honours order and hiding of saved cards and adds new columns', () => {
    expect(listedColumns([id, title, count], { 'table.columns': [{ name: 'title', enabled: true }, { name: 'id', enabled: false }, { name: 'gone', enabled: true }] })).toEqual([
      { name: 'title', enabled: true }, { name: 'id', enabled: false }, { name: 'count', enabled: true },
    ]);
  });
  it('aligns numbers right and links only what cannot run', () => {
    const drawn = draw('table', input([title, count], [['https://a.example/', 1], ['javascript:alert(1)', 2]], { settings: withColumnSettings({}, title, { view_as: 'link' }) })) as TableDescription;
    expect(drawn.columns.map((column) => column.align)).toEqual(['left', 'right']);
    expect(drawn.columns[0]!.link('https://a.example/', [])).toBe('https://a.example/');
    expect(drawn.columns[0]!.link('javascript:alert(1)', [])).toBeNull();
    expect(safeLink('//evil.example')).toBeNull();
  });
  it('fills templates with encoded values', () => {
    expect(fillTemplate('/q?x={{title}}&i={{ID}}', [title, id], ['a b&c', 5], true)).toBe('/q?x=a%20b%26c&i=5');
  });
  it('colours cells by rules', () => {
    const settings = { 'table.column_formatting': [{ columns: ['count'], type: 'single', operator: '>', value: 10, color: '#84BB4C' }] };
    const drawn = draw('table', input([count], [[5], [50]], { settings })) as TableDescription;
    expect(drawn.columns[0]!.tone(5, [5])).toBeNull();
    expect(drawn.columns[0]!.tone(50, [50])?.background).toContain('#84BB4C');
    expect(ruleHolds({ operator: 'contains', value: 'LAM' }, 'floor lamp')).toBe(true);
    expect(ruleHolds({ operator: '=', value: '3' }, 3)).toBe(true);
    expect(ruleHolds({ operator: 'is-null' }, null)).toBe(true);
  });
  it('copies a block for spreadsheets', () => {
    const drawn = draw('table', input([title, count], [['a\tb', 1], ['c', 2]])) as TableDescription;
    expect(tableText(drawn)).toBe('Title\tCount\n"a\tb"\t1\nc\t2');
    expect(tableText(drawn, { row: 1, column: 1 }, { row: 1, column: 1 })).toBe('2');
  });
});

describe('the first choice', () => {
  it.each([
    ['a number', [count], [[5]], 'scalar'],
    ['numbers over time', [month, sum], months, 'line'],
    ['numbers by category', [category, sum], [['a', 1], ['b', 2]], 'bar'],
    ['rows', [id, title], [[1, 'a'], [2, 'b']], 'table'],
    ['numbers by state', [{ ...category, semantic_type: 'type/State' }, sum], [['TX', 1], ['NY', 2]], 'map'],
    ['nothing', [category, sum], [], 'table'],
  ] as [string, Column[], Row[], string][])('for %s', (_, columns, rows, display) => {
    expect(chooseDisplay(columns, rows).display).toBe(display);
  });
});

describe('column settings', () => {
  it('are found by name and, in older cards, by reference', () => {
    expect(columnSettings({ column_settings: { '["ref",["field",12,null]]': { decimals: 1 } } }, { ...sum, id: 12, field_ref: ['field', 12, null] })).toEqual({ decimals: 1 });
    const changed = withColumnSettings({}, sum, { decimals: 3 });
    expect(columnSettings(changed, sum)).toEqual({ decimals: 3 });
    expect(withColumnSettings(changed, sum, { decimals: undefined })).toEqual({ column_settings: {} });
  });
});

describe('scales and labels', () => {
  it('end on round numbers', () => {
    expect(niceScale(0, 357_000, 4)).toMatchObject({ min: 0, max: 400_000, step: 100_000 });
    expect(niceScale(-3, 7, 4).ticks).toEqual([-5, -2.5, 0, 2.5, 5, 7.5]);
    expect(niceScale(0, 3, 4, true).step).toBe(1);
    expect(niceScale(0, 0, 4).max).toBeGreaterThan(0);
  });
  it('skip labels in steps that read well', () => {
    expect(labelEvery(24, 400, 40, 'month')).toBe(3);
    expect(labelEvery(5, 400, 40)).toBe(1);
  });
  it('cut long words', () => {
    expect(shorten('A very long category name', 60, 11, roughWidth)).toMatch(/^A very.*…$/);
  });
  it('fit a trend through known values', () => {
    expect(trendLine([1, null, 3])).toEqual([1, 2, 3]);
    expect(trendLine([1])).toBeNull();
  });
});
