import { kindOf } from '../../query/kinds';
import { toNumber } from '../format';
import type { Column, Row, VisualizationSettings } from '../types';

/** A rule of `table.column_formatting`, as saved cards hold it. */
export interface Rule {
  columns?: string[];
  type?: 'single' | 'range';
  operator?: string;
  value?: unknown;
  color?: string;
  highlight_row?: boolean;
  colors?: string[];
  min_type?: string | null;
  max_type?: string | null;
  min_value?: number;
  max_value?: number;
}
export type Tone = { background: string; color: string };

export function readRules(settings: VisualizationSettings): Rule[] {
  const raw = settings['table.column_formatting'];
  return Array.isArray(raw) ? raw.filter((rule): rule is Rule => rule !== null && typeof rule === 'object') : [];
}

export function ruleHolds(rule: Rule, value: unknown): boolean {
  const wanted = rule.value;
  const a = toNumber(value);
  const b = toNumber(wanted);
  const both = a !== null && b !== null;
  const text = value == null ? '' : String(value).toLowerCase();
  const needle = wanted == null ? '' : String(wanted).toLowerCase();
  switch (rule.operator ?? '=') {
    case '=': return both ? a === b : value != null && text === needle;
    case '!=': return both ? a !== b : value == null || text !== needle;
    case '<': return both && a < b;
    case '>': return both && a > b;
    case '<=': return both && a <= b;
    case '>=': return both && a >= b;
    case 'is-null': return value == null;
    case 'not-null': return value != null;
    case 'is-true': return value === true;
    case 'is-false': return value === false;
    case 'contains': return value != null && text.includes(needle);
    case 'does-not-contain': return value == null || !text.includes(needle);
    case 'starts-with': return value != null && text.startsWith(needle);
    case 'ends-with': return value != null && text.endsWith(needle);
    default: return false;
  }
}

/** A colour of a rule as a ground that text can be read on, in both themes. */
export function tint(color: string, share = 22): Tone {
  return { background: `color-mix(in oklab, ${color} ${share}%, var(--surface))`, color: `color-mix(in oklab, ${color} 38%, var(--ink))` };
}

export function numbersOf(rows: Row[], index: number): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const row of rows) {
    const value = toNumber(row[index]);
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** One function per column: the tone of a cell, from the first rule that holds; rules that colour whole rows come last. */
export function tones(columns: Column[], rows: Row[], settings: VisualizationSettings): ((column: number, value: unknown, row: Row) => Tone | null) | null {
  const rules = readRules(settings);
  if (rules.length === 0) return null;
  const prepared = rules.map((rule) => {
    const indexes = (rule.columns ?? []).map((name) => columns.findIndex((column) => column.name === name)).filter((index) => index >= 0);
    const spans = new Map<number, { low: number; high: number }>();
    if (rule.type === 'range') {
      for (const index of indexes) {
        const found = numbersOf(rows, index);
        spans.set(index, {
          low: rule.min_type === 'custom' ? (toNumber(rule.min_value) ?? found.low) : found.low,
          high: rule.max_type === 'custom' ? (toNumber(rule.max_value) ?? found.high) : found.high,
        });
      }
    }
    return { rule, indexes, spans };
  });
  return (column, value, row) => {
    for (const { rule, indexes, spans } of prepared) {
      if (!indexes.includes(column)) continue;
      if (rule.type === 'range') {
        const number = kindOf(columns[column]!) === 'number' ? toNumber(value) : null;
        const span = spans.get(column);
        if (number === null || !span || !(span.high > span.low)) continue;
        const place = Math.min(1, Math.max(0, (number - span.low) / (span.high - span.low)));
        const colors = rule.colors?.filter((color) => typeof color === 'string') ?? [];
        // White is the ground itself, so that a ramp looks right on dark as well.
        const ground = (color: string) => (/^(white|#fff(fff)?)$/i.test(color) ? 'var(--surface)' : color);
        const from = ground(colors[0] ?? 'white');
        const to = ground(colors[colors.length - 1] ?? 'var(--brand)');
        const middle = colors.length > 2 ? ground(colors[1]!) : null;
        const mixed = middle ? (place < 0.5 ? `color-mix(in oklab, ${middle} ${Math.round(place * 200)}%, ${from})` : `color-mix(in oklab, ${to} ${Math.round((place - 0.5) * 200)}%, ${middle})`) : `color-mix(in oklab, ${to} ${Math.round(place * 100)}%, ${from})`;
        return { background: `color-mix(in oklab, ${mixed} 55%, var(--surface))`, color: 'var(--ink)' };
      }
      if (ruleHolds(rule, value)) return tint(rule.color ?? 'var(--brand)');
    }
    for (const { rule, indexes } of prepared)
      if (rule.highlight_row && rule.type !== 'range' && indexes.some((index) => ruleHolds(rule, row[index]))) return tint(rule.color ?? 'var(--brand)', 12);
    return null;
  };
}
