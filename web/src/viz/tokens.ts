import { token } from '../lib/theme';
import { roughWidth } from './scale';
import type { Tokens } from './types';

/** The design tokens as they are on screen now. */
export function readTokens(dark: boolean): Tokens {
  const of = (name: string) => token(`--${name}`);
  const series = [1, 2, 3, 4, 5, 6, 7, 8].map((index) => of(`chart-${index}`));
  return {
    dark,
    font: of('font-ui') || 'sans-serif',
    surface: of('surface'), raised: of('raised'), ink: of('ink'), text: of('text'), muted: of('muted'),
    line: of('line'), line_control: of('line-control'), brand: of('brand'), ember: of('ember'),
    ember_text: of('ember-text'), green_text: of('green-text'), green_tint: of('green-tint'),
    red_text: of('red-text'), red_tint: of('red-tint'),
    series,
    edges: series.map((color, index) => of(`chart-${index + 1}-edge`) || color),
    grid: of('chart-grid'), axis: of('chart-axis'), label: of('chart-label'), quiet: of('chart-quiet'), compare: of('chart-compare'),
    sequential: [1, 2, 3, 4, 5, 6, 7].map((index) => of(`seq-${index}`)),
  };
}

let context: CanvasRenderingContext2D | null | undefined;
const widths = new Map<string, number>();
/** Pixels that a text takes in the app's font. */
export function measureText(text: string, font_size: number, weight = 400): number {
  if (context === undefined) {
    const real = typeof document !== 'undefined' && !navigator.userAgent.includes('jsdom');
    context = real ? document.createElement('canvas').getContext('2d') : null;
  }
  if (!context) return roughWidth(text, font_size, weight);
  const key = `${weight}/${font_size}/${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    context.font = `${weight} ${font_size}px "Inter Variable", Inter, system-ui, sans-serif`;
    width = context.measureText(text).width;
    if (widths.size > 5000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** `rgba()` of a `#rrggbb` colour. */
export function fade(color: string, opacity: number): string {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  return match ? `rgba(${parseInt(match[1]!, 16)}, ${parseInt(match[2]!, 16)}, ${parseInt(match[3]!, 16)}, ${opacity})` : color;
}

/** Values for tests: the light theme. */
export const test_tokens: Tokens = {
  dark: false, font: 'sans-serif', surface: '#FFFFFF', raised: '#FFFFFF', ink: '#1B2430', text: '#2A3441', muted: '#5A6778', line: '#E3E7EC',
  line_control: '#7F8B9A', brand: '#2F5BD8', ember: '#DF6B35', ember_text: '#A84410', green_text: '#24703C', green_tint: '#E9F5EC', red_text: '#B42F25', red_tint: '#FCECEA',
  series: ['#2F5BD8', '#DF6B35', '#25A68B', '#E8B93F', '#482885', '#58BCE8', '#A3244F', '#6E7780'],
  edges: ['#2F5BD8', '#DF6B35', '#25A68B', '#96700F', '#482885', '#2480A8', '#A3244F', '#6E7780'],
  grid: '#E9ECF0', axis: '#CBD2DA', label: '#5A6778', quiet: '#C3CBD5', compare: '#6F7B8A',
  sequential: ['#EAF0FD', '#C5D5F9', '#97B2F2', '#678BE6', '#3F67DB', '#2849AE', '#1B3178'],
};
