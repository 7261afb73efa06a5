import { describe, expect, it } from 'vitest';
import { bytes, count } from './numbers';
import { ago, ago_inside, duration, long_day, when } from './time';

const now = new Date(2026, 10, 23, 9, 20);
const at = (year: number, month: number, day: number, hour = 0, minute = 0) => new Date(year, month - 1, day, hour, minute);

describe('moments in words', () => {
  it.each([
    [at(2026, 11, 23, 9, 12), 'Today, 09:12'],
    [at(2026, 11, 22, 18, 20), 'Yesterday, 18:20'],
    [at(2026, 11, 20, 11, 2), 'Friday, 11:02'],
    [at(2026, 11, 17, 0, 0), 'Tuesday, 00:00'],
    [at(2026, 11, 16, 23, 59), '16 November'],
    [at(2024, 11, 16), '16 November 2024'],
  ])('%s is %s', (moment, words) => expect(when(moment, now)).toBe(words));

  it('counts days by the calendar, not by 24 hours', () => {
    expect(when(at(2026, 11, 22, 23, 59), at(2026, 11, 23, 0, 1))).toBe('Yesterday, 23:59');
  });

  it('says how long ago within hours', () => {
    expect(ago(at(2026, 11, 23, 9, 0), now)).toMatch(/^20 min\.? ago$/);
    expect(ago(at(2026, 11, 23, 7, 0), now)).toMatch(/^2 (h|hr)\.? ago$/);
    expect(ago(new Date(now.getTime() - 5000), now)).toBe('just now');
    expect(ago(at(2026, 11, 22, 17, 40), now)).toBe('Yesterday, 17:40');
  });

  it('stands inside a sentence with the capitals a sentence wants', () => {
    expect(ago_inside(at(2026, 11, 22, 17, 40), now)).toBe('yesterday, 17:40');
    expect(ago_inside(at(2026, 11, 20, 11, 2), now)).toBe('Friday, 11:02');
  });

  it('is silent for no moment and for nonsense', () => {
    expect(when(null, now)).toBe('');
    expect(when('soon', now)).toBe('');
    expect(ago(undefined, now)).toBe('');
  });

  it('names the day', () => expect(long_day(now)).toBe('Monday 23 November'));
});

describe('lengths of time', () => {
  it.each([
    [4, '4 ms'],
    [980, '980 ms'],
    [1500, '1.5 s'],
    [8000, '8 s'],
    [35_400, '35 s'],
    [228_000, '3 min 48 s'],
    [180_000, '3 min'],
    [7_500_000, '2 h 5 min'],
    [null, '–'],
  ] as const)('%s ms is %s', (ms, words) => expect(duration(ms)).toBe(words));
});

describe('numbers', () => {
  it('are grouped', () => expect([count(1042118), count(0), count(null)]).toEqual(['1,042,118', '0', '–']));
  it('of bytes have a unit', () => expect([bytes(512), bytes(38_400_000), bytes(310_000_000), bytes(1500)]).toEqual(['512 B', '38.4 MB', '310 MB', '1.5 kB']));
});
