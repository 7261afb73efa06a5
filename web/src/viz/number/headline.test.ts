import { describe, expect, it } from 'vitest';
import type { Column, Row } from '../types';
import { headline } from './headline';

const month: Column = { name: 'm', display_name: 'Month', base_type: 'type/Date', unit: 'month', source: 'breakout' };
const sum: Column = { name: 'sum', display_name: 'Net revenue', base_type: 'type/Float', source: 'aggregation', semantic_type: 'type/Currency' };
const before: Column = { ...sum, name: 'sum_2', display_name: 'Net revenue (previous year)' };
const rows: Row[] = [['2026-01-01', 1500.4, 1000], ['2026-02-01', 1500, 1000]];

describe('the line above a chart', () => {
  it('adds up what may be added', () => {
    expect(headline([month, sum], rows, {}, () => true)).toEqual({ period: 'Jan 2026 to Feb 2026', numbers: [{ title: 'Net revenue', text: '$3,000', quiet: false }], change: null });
    expect(headline([month, sum], rows, {}, () => false)).toBeNull();
  });
  it('compares with the period before', () => {
    const found = headline([month, sum, before], rows, {}, () => true);
    expect(found?.numbers.map((one) => one.quiet)).toEqual([false, true]);
    expect(found?.change).toMatchObject({ tone: 'good' });
  });
  it('says nothing without time, or when one of two numbers cannot be added', () => {
    expect(headline([{ ...month, base_type: 'type/Text', unit: undefined }, sum], rows, {}, () => true)).toBeNull();
    expect(headline([month, sum, before], rows, {}, (column) => column.name === 'sum')).toBeNull();
  });
});
