import { describe, expect, it } from 'vitest';
import { axisDate, change, compactNumber, formatDate, formatNumber, formatValue, isUnfinished, nextPeriod, parseDate } from './format';
import type { Column } from './types';

const column = (more: Partial<Column>): Column => ({ name: 'x', display_name: 'X', base_type: 'type/Float', ...more });
const plain = (text: string) => text.replace(/[\u00a0\u2009\u202f]/g, ' ');

describe('numbers', () => {
  it('groups thousands and keeps two digits at most', () => {
    expect(formatNumber(38412)).toBe('38,412');
    expect(formatNumber(1234.567)).toBe('1,234.57');
    expect(formatNumber(-14.8)).toBe('\u221214.8');
  });
  it('shortens to three digits, also where rounding climbs a step', () => {
    expect(compactNumber(271_000)).toBe('271k');
    expect(compactNumber(3_000_000)).toBe('3.00M');
    expect(compactNumber(3_000_000, true)).toBe('3M');
    expect(compactNumber(999_600)).toBe('1.00M');
    expect(compactNumber(250)).toBe('250');
    expect(compactNumber(0)).toBe('0');
  });
  it('writes money, percent, other separators, prefix and suffix', () => {
    expect(formatNumber(1234.5, { number_style: 'currency' })).toBe('$1,234.50');
    expect(formatNumber(-3, { number_style: 'currency', currency: 'EUR' })).toBe('\u2212€3');
    expect(plain(formatNumber(0.068, { number_style: 'percent' }))).toBe('6.8 %');
    expect(formatNumber(1234.5, { number_separators: ',.', decimals: 2 })).toBe('1.234,50');
    expect(formatNumber(5, { prefix: '~', suffix: ' kg', scale: 2 })).toBe('~10 kg');
    expect(formatNumber(12345, { number_style: 'scientific' })).toBe('1.23e+4');
  });
  it('does not turn a small number into zero', () => {
    expect(formatNumber(0.0000001)).not.toBe('0');
  });
  it('leaves keys and integers beyond a double alone', () => {
    expect(formatValue(12345, column({ semantic_type: 'type/PK', base_type: 'type/Integer' }))).toBe('12345');
    expect(formatValue('9007199254740993', column({ base_type: 'type/BigInteger' }))).toBe('9,007,199,254,740,993');
  });
  it('shows a bin as its two ends', () => {
    expect(formatValue(20, column({ binning_info: { bin_width: 20 } }))).toBe('20 – 40');
  });
  it('nothing is an empty text', () => {
    expect(formatValue(null, column({}))).toBe('');
  });
});

describe('dates', () => {
  it('keeps the wall clock of the server whatever the offset', () => {
    expect(formatDate('2015-06-01T00:00:00-07:00', 'day')).toBe('Jun 1, 2015');
    expect(parseDate('2024-05')?.toISOString()).toBe('2024-05-01T00:00:00.000Z');
    expect(parseDate('soon')).toBeNull();
  });
  it('speaks each unit', () => {
    expect(formatDate('2026-05-01', 'month')).toBe('May 2026');
    expect(formatDate('2026-05-01', 'quarter')).toBe('Q2 2026');
    expect(formatDate('2026-01-01', 'year')).toBe('2026');
    expect(plain(formatDate('2026-05-03', 'week'))).toBe('May 3 – 9, 2026');
    expect(formatDate('2026-05-03T08:00:00Z', 'hour')).toBe('May 3, 2026, 08:00');
    expect(formatDate(1, 'day-of-week', {}, { first_weekday: 1 })).toBe('Monday');
    expect(formatDate(12, 'month-of-year')).toBe('December');
    expect(formatDate(3, 'quarter-of-year')).toBe('Q3');
  });
  it('honours the styles of saved cards', () => {
    expect(formatDate('2026-05-03', 'day', { date_style: 'D/M/YYYY', date_separator: '-' })).toBe('3-5-2026');
    expect(formatDate('2026-05-03', 'day', { date_style: 'dddd, MMMM D, YYYY' })).toBe('Sunday, May 3, 2026');
  });
  it('leaves a midnight of a timestamp out', () => {
    expect(formatDate('2026-05-03T00:00:00Z', undefined)).toBe('May 3, 2026');
    expect(formatDate('2026-05-03T14:05:00Z', undefined)).toBe('May 3, 2026, 14:05');
  });
  it('labels an axis shortly', () => {
    expect(axisDate('2026-05-01', 'month', false)).toBe('May');
    expect(axisDate('2026-01-01', 'month', true)).toBe('Jan 2026');
  });
  it('knows whether a period is over', () => {
    const now = Date.UTC(2026, 10, 23);
    expect(isUnfinished('2026-11-01', 'month', now)).toBe(true);
    expect(isUnfinished('2026-10-01', 'month', now)).toBe(false);
    expect(isUnfinished('2026-11-01', undefined, now)).toBe(false);
    expect(nextPeriod(new Date(Date.UTC(2026, 11, 1)), 'month').toISOString()).toBe('2027-01-01T00:00:00.000Z');
  });
});

describe('change', () => {
  it('says how much and which way', () => {
    expect(plain(change(117, 100)!.text)).toBe('+17.0 %');
    expect(change(85, 100)!.direction).toBe('down');
    expect(plain(change(100, 100)!.text)).toBe('0.0 %');
    expect(change(1, 0)).toBeNull();
  });
});
