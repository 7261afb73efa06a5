import { expect, it, vi } from 'vitest';
import { visualizationOf } from './all';
import { fits, LightChart } from './light';
import { roughWidth } from './scale';
import { test_tokens } from './tokens';
import type { ChartDescription, Column, Row, VisualizationSettings } from './types';

const month: Column = { name: 'created_at', display_name: 'Created At: Month', base_type: 'type/DateTime', unit: 'month', source: 'breakout' };
const sum: Column = { name: 'sum', display_name: 'Sum', base_type: 'type/Float', source: 'aggregation' };
const rows: Row[] = [['2026-08-01', 100], ['2026-09-01', null], ['2026-10-01', 300]];
const size = { width: 600, height: 300 };

function described(display: string, settings: VisualizationSettings = {}): ChartDescription {
  return visualizationOf(display).draw({ columns: [month, sum], rows, settings, tokens: test_tokens, size, inset: 16, now: Date.UTC(2026, 10, 23), locale: 'en-US', hidden: new Set(), measure: roughWidth, first_weekday: 0 }) as ChartDescription;
}
function drawn(display: string) {
  const box = document.createElement('div');
  const chart = new LightChart(box, size);
  chart.setOption(described(display).option);
  return { box, chart };
}

it('takes the everyday charts and leaves the others to the library', () => {
  expect(['line', 'area', 'bar'].map((display) => fits(described(display).option))).toEqual([true, true, true]);
  expect(fits(described('row').option)).toBe(false);
  expect(fits(described('line', { 'line.interpolate': 'cardinal' }).option)).toBe(false);
  expect(fits(described('bar', { 'graph.show_values': true }).option)).toBe(false);
  expect(fits(described('bar', { 'graph.show_goal': true, 'graph.goal_value': 50 }).option)).toBe(false);
});

it('draws a bar for every value, as high as its value says', () => {
  const bars = [...drawn('bar').box.querySelectorAll('rect')];
  expect(bars.map((bar) => bar.getAttribute('data-place'))).toEqual(['0', '2']);
  const [first, last] = bars.map((bar) => Number(bar.getAttribute('height')));
  expect(last! / first!).toBeCloseTo(3, 1);
});

it('turns places into pixels and back', () => {
  for (const display of ['line', 'bar']) {
    const { chart } = drawn(display);
    for (const place of [0, 1, 2]) expect(chart.convertFromPixel({ xAxisIndex: 0 }, chart.convertToPixel({ xAxisIndex: 0 }, place))).toBe(place);
    expect(chart.convertToPixel({ yAxisIndex: 0 }, 300)).toBeLessThan(chart.convertToPixel({ yAxisIndex: 0 }, 100));
  }
});

it('says which bar was pressed, until it is disposed of', () => {
  const { box, chart } = drawn('bar');
  const pressed = vi.fn();
  chart.on('click', pressed);
  const bar = box.querySelector('rect')!;
  bar.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(pressed).toHaveBeenCalledTimes(1);
  expect(pressed.mock.calls[0]![0]).toMatchObject({ componentType: 'series', seriesIndex: 0, dataIndex: 0 });
  chart.dispose();
  expect(box.childElementCount).toBe(0);
});
