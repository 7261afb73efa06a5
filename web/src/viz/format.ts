import { isForeignKey, isPrimaryKey, isCoordinate, kindOf } from '../query/kinds';
import { say } from '../query/words';
import { i18next } from '../lib/i18n';
import type { Column } from './types';

/** Settings of one column; keys as saved cards hold them. */
export interface ColumnSettings {
  column_title?: string;
  number_style?: 'decimal' | 'percent' | 'scientific' | 'currency' | null;
  currency?: string;
  currency_style?: 'symbol' | 'code' | 'name' | 'local';
  number_separators?: string;
  decimals?: number | null;
  scale?: number;
  prefix?: string;
  suffix?: string;
  date_style?: string;
  date_separator?: string;
  date_abbreviate?: boolean;
  time_enabled?: null | 'minutes' | 'seconds' | 'milliseconds';
  time_style?: string;
  view_as?: null | 'link' | 'email_link' | 'image' | 'auto';
  link_text?: string;
  link_url?: string;
  show_mini_bar?: boolean;
  text_align?: 'left' | 'right' | 'middle';
  text_wrapping?: boolean;
  [key: string]: unknown;
}

export interface FormatOptions {
  locale?: string;
  /** 0 = Sunday: the day that the server counts as 1. */
  first_weekday?: number;
  /** Shortened to three digits: 271k, 3.00M. */
  compact?: boolean;
  /** With `compact`: 400k instead of 400.0k, for axes. */
  trim?: boolean;
}

const default_locale = 'en-US';
/** Names of months and days follow the language; separators of numbers are a setting. */
export const chart_locale = (): string => (i18next.language === 'de' ? 'de-DE' : default_locale);

/* ---- dates ------------------------------------------------------------------------------------ */

/**
 * The wall clock that the server wrote, as a UTC date: all zone work was done there, so an offset in the text is
 * not applied a second time. Null for what is no date.
 */
export function parseDate(value: unknown): Date | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (typeof value !== 'string') return null;
  const match = /^(-?\d{4,6})-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?/.exec(value);
  if (!match) return null;
  const [, year, month, day = '1', hour = '0', minute = '0', second = '0', fraction = '0'] = match;
  const time = Date.UTC(+year!, +month! - 1, +day, +hour, +minute, +second, Math.floor(Number(`0.${fraction}`) * 1000));
  return Number.isNaN(time) ? null : new Date(time);
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function intl(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + Object.entries(options).join();
  let found = formatters.get(key);
  if (!found) formatters.set(key, (found = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })));
  return found;
}

const day_ms = 86_400_000;

/** First moment of the period after the one that begins at `start`. */
export function nextPeriod(start: Date, unit: string, count = 1): Date {
  const next = new Date(start);
  switch (unit) {
    case 'minute': next.setTime(next.getTime() + count * 60_000); break;
    case 'hour': next.setTime(next.getTime() + count * 3_600_000); break;
    case 'day': next.setTime(next.getTime() + count * day_ms); break;
    case 'week': next.setTime(next.getTime() + count * 7 * day_ms); break;
    case 'month': next.setUTCMonth(next.getUTCMonth() + count); break;
    case 'quarter': next.setUTCMonth(next.getUTCMonth() + 3 * count); break;
    case 'year': next.setUTCFullYear(next.getUTCFullYear() + count); break;
    default: break;
  }
  return next;
}
export const truncating_units = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

/** Is `now` (milliseconds) inside the period? Compared by wall clock; a zone's hours do not matter for "so far". */
export function isUnfinished(value: unknown, unit: string | undefined, now: number): boolean {
  if (!unit || !['day', 'week', 'month', 'quarter', 'year'].includes(unit)) return false;
  const start = parseDate(value);
  if (!start) return false;
  return now >= start.getTime() && now < nextPeriod(start, unit).getTime();
}

function weekdayName(number: number, first_weekday: number, locale: string, length: 'long' | 'short'): string {
  // 4 January 1970 was a Sunday.
  const day = new Date(Date.UTC(1970, 0, 4 + ((number - 1 + first_weekday) % 7)));
  return intl(locale, { weekday: length }).format(day);
}

function number(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  return null;
}

function clock(date: Date, settings: ColumnSettings, locale: string, detail: 'minutes' | 'seconds' | 'milliseconds'): string {
  const twelve = settings.time_style?.includes('A') ?? false;
  const fields: Intl.DateTimeFormatOptions = { hour: twelve ? 'numeric' : '2-digit', minute: '2-digit', hourCycle: twelve ? 'h12' : 'h23' };
  if (detail !== 'minutes') fields.second = '2-digit';
  if (detail === 'milliseconds') fields.fractionalSecondDigits = 3;
  return intl(locale, fields).format(date);
}

/** A day in one of the styles that saved cards name ("MMMM D, YYYY"); without one as the reader's language does it. */
function dayText(date: Date, settings: ColumnSettings, locale: string): string {
  const style = settings.date_style;
  const long = settings.date_abbreviate ? 'short' : 'long';
  if (!style) return intl(locale, { year: 'numeric', month: 'short', day: 'numeric' }).format(date);
  const year = String(date.getUTCFullYear());
  const separator = settings.date_separator ?? '/';
  const parts: Record<string, string> = {
    dddd: intl(locale, { weekday: long }).format(date),
    MMMM: intl(locale, { month: long }).format(date),
    MMM: intl(locale, { month: 'short' }).format(date),
    MM: String(date.getUTCMonth() + 1).padStart(2, '0'),
    M: String(date.getUTCMonth() + 1),
    DD: String(date.getUTCDate()).padStart(2, '0'),
    D: String(date.getUTCDate()),
    YYYY: year,
  };
  return style.replace(/dddd|MMMM|MMM|MM|M|DD|D|YYYY/g, (part) => parts[part]!).replace(/\//g, separator);
}

/** A bucketed or plain date in words: "May 2026", "Q2 2026", "4 – 10 May 2026". */
export function formatDate(value: unknown, unit: string | undefined, settings: ColumnSettings = {}, options: FormatOptions = {}): string {
  const locale = options.locale ?? chart_locale();
  const plain = number(value);
  switch (unit) {
    case 'day-of-week': return plain === null ? String(value) : weekdayName(plain, options.first_weekday ?? 0, locale, 'long');
    case 'month-of-year': return plain === null ? String(value) : intl(locale, { month: 'long' }).format(new Date(Date.UTC(2024, plain - 1, 1)));
    case 'quarter-of-year': return plain === null ? String(value) : say('Q{{quarter}}', { quarter: plain });
    case 'hour-of-day': return plain === null ? String(value) : `${String(plain).padStart(2, '0')}:00`;
    case 'minute-of-hour': case 'day-of-month': case 'day-of-year': case 'week-of-year': case 'second-of-minute': case 'year-of-era':
      return String(value);
    default: break;
  }
  const date = parseDate(value);
  if (!date) return String(value);
  switch (unit) {
    case 'year': return String(date.getUTCFullYear());
    case 'quarter': return say('Q{{quarter}} {{year}}', { quarter: Math.floor(date.getUTCMonth() / 3) + 1, year: date.getUTCFullYear() });
    case 'month': return intl(locale, { month: settings.date_abbreviate ? 'short' : 'long', year: 'numeric' }).format(date);
    case 'week': {
      const last = new Date(date.getTime() + 6 * day_ms);
      const range = intl(locale, { year: 'numeric', month: 'short', day: 'numeric' });
      return range.formatRange ? range.formatRange(date, last) : `${range.format(date)} – ${range.format(last)}`;
    }
    case 'day': return dayText(date, settings, locale);
    case 'hour': case 'minute': return `${dayText(date, settings, locale)}, ${clock(date, settings, locale, 'minutes')}`;
    default: {
      const has_time = typeof value === 'string' && /[T ]\d{2}:/.test(value);
      const detail = settings.time_enabled === undefined ? 'minutes' : settings.time_enabled;
      if (!has_time || detail === null) return dayText(date, settings, locale);
      if (settings.time_enabled === undefined && /[T ]00:00(:00(\.0+)?)?(Z|[+-]|$)/.test(value as string)) return dayText(date, settings, locale);
      return `${dayText(date, settings, locale)}, ${clock(date, settings, locale, detail)}`;
    }
  }
}

/** Short label under an axis. `show_year` where a year begins or the axis starts. */
export function axisDate(value: unknown, unit: string | undefined, show_year: boolean, options: FormatOptions = {}): string {
  const locale = options.locale ?? chart_locale();
  const plain = number(value);
  if (unit === 'day-of-week' && plain !== null) return weekdayName(plain, options.first_weekday ?? 0, locale, 'short');
  if (unit === 'month-of-year' && plain !== null) return intl(locale, { month: 'short' }).format(new Date(Date.UTC(2024, plain - 1, 1)));
  const date = parseDate(value);
  if (!date) return formatDate(value, unit, {}, options);
  switch (unit) {
    case 'year': return String(date.getUTCFullYear());
    case 'quarter': {
      const quarter = say('Q{{quarter}}', { quarter: Math.floor(date.getUTCMonth() / 3) + 1 });
      return show_year ? `${quarter} ${date.getUTCFullYear()}` : quarter;
    }
    case 'month': return intl(locale, show_year ? { month: 'short', year: 'numeric' } : { month: 'short' }).format(date);
    case 'hour': case 'minute':
      return date.getUTCHours() === 0 && date.getUTCMinutes() === 0
        ? intl(locale, { month: 'short', day: 'numeric' }).format(date)
        : intl(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
    default:
      return intl(locale, show_year ? { month: 'short', day: 'numeric', year: 'numeric' } : { month: 'short', day: 'numeric' }).format(date);
  }
}

/* ---- numbers ---------------------------------------------------------------------------------- */

function separators(text: string, wanted: string | undefined): string {
  if (!wanted || wanted === '.,') return text;
  const decimal = wanted[0] ?? '.';
  const group = wanted[1] ?? '';
  return text.replace(/[.,]/g, (letter) => (letter === '.' ? decimal : group));
}

const currency_names = new Map<string, string>();
function currencySymbol(currency: string, style: ColumnSettings['currency_style']): string {
  if (style === 'code') return `${currency} `;
  const key = `${currency}/${style ?? 'symbol'}`;
  let found = currency_names.get(key);
  if (found === undefined) {
    try {
      const parts = new Intl.NumberFormat(default_locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).formatToParts(0);
      found = parts.find((part) => part.type === 'currency')?.value ?? currency;
    } catch {
      found = currency;
    }
    if (/^[A-Za-z]+$/.test(found)) found += ' ';
    currency_names.set(key, found);
  }
  return found;
}
function currencyName(currency: string): string {
  try {
    return new Intl.DisplayNames([default_locale], { type: 'currency' }).of(currency) ?? currency;
  } catch {
    return currency;
  }
}

const steps: [number, string][] = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'k']];

/** 271k, 3.00M, 1.25k: three digits; with `trim` without the zeros behind the point. */
export function compactNumber(value: number, trim = false): string {
  const size = Math.abs(value);
  // 999.6 thousand is a million: choose the step after rounding to three digits.
  const rounded = size === 0 ? 0 : Number(size.toPrecision(3));
  for (const [step, letter] of steps) {
    if (rounded < step) continue;
    const scaled = value / step;
    const digits = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
    let text = scaled.toFixed(digits);
    if (trim && text.includes('.')) text = text.replace(/\.?0+$/, '');
    return text + letter;
  }
  if (Number.isInteger(value)) return String(value);
  let text = value.toFixed(size >= 99.95 ? 0 : size >= 1 ? 2 : Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(size || 1)))));
  if (trim && text.includes('.')) text = text.replace(/\.?0+$/, '');
  return text;
}

const plain_formats = new Map<number, Intl.NumberFormat>();
/** Making a formatter costs more than a thousand uses of it. */
function plainFormat(least: number, most: number): Intl.NumberFormat {
  const key = least * 100 + most;
  let found = plain_formats.get(key);
  if (!found) plain_formats.set(key, (found = new Intl.NumberFormat(default_locale, { minimumFractionDigits: least, maximumFractionDigits: most })));
  return found;
}

export function formatNumber(input: number, settings: ColumnSettings = {}, options: FormatOptions = {}): string {
  if (!Number.isFinite(input)) return '';
  const value = input * (settings.scale ?? 1);
  const style = settings.number_style ?? 'decimal';
  const shown = style === 'percent' ? value * 100 : value;
  const fixed = typeof settings.decimals === 'number' ? Math.max(0, Math.min(12, settings.decimals)) : null;
  let digits: string;
  if (style === 'scientific') {
    digits = Math.abs(shown).toExponential(fixed ?? 2);
  } else if (options.compact && Math.abs(shown) >= (options.trim ? 1000 : 10_000)) {
    digits = compactNumber(Math.abs(shown), options.trim);
  } else {
    const size = Math.abs(shown);
    const most = fixed ?? (style === 'percent' ? (size < 1000 ? 1 : 0) : size !== 0 && size < 0.01 ? 6 : 2);
    const least = fixed ?? (style === 'currency' && !options.trim && !Number.isInteger(shown) ? 2 : options.trim ? 0 : style === 'percent' ? 1 : 0);
    digits = plainFormat(Math.min(least, most), most).format(size);
    if (/^0(\.0*)?$/.test(digits) && settings.scale === undefined && size !== 0 && fixed === null) digits = size.toPrecision(2);
  }
  digits = separators(digits, settings.number_separators);
  const minus = shown < 0 && !/^0([.,]0*)?$/.test(digits) ? '\u2212' : '';
  let text = minus + digits;
  if (style === 'percent') text += '\u00a0%';
  if (style === 'currency') {
    const currency = settings.currency ?? 'USD';
    text = settings.currency_style === 'name' ? `${text} ${currencyName(currency)}` : minus + currencySymbol(currency, settings.currency_style) + digits;
  }
  return (settings.prefix ?? '') + text + (settings.suffix ?? '');
}

/* ---- any value of a column -------------------------------------------------------------------- */

/** What the column's meaning says about its format, under what people set. */
export function withMeaning(column: Column, settings: ColumnSettings = {}): ColumnSettings {
  const own = (column.settings ?? {}) as ColumnSettings;
  const meaning: ColumnSettings = {};
  const semantic = column.semantic_type;
  if (semantic && ['type/Currency', 'type/Income', 'type/Price', 'type/Cost', 'type/GrossMargin', 'type/Discount'].includes(semantic) && column.source !== 'count')
    meaning.number_style = 'currency';
  if (semantic === 'type/Percentage' || semantic === 'type/Share') meaning.number_style = 'percent';
  const merged: ColumnSettings = { ...meaning, ...own, ...settings };
  for (const key of Object.keys(merged)) if (merged[key] === undefined) delete merged[key];
  return merged;
}

/** The text of a value; nothing (null) is an empty text. */
export function formatValue(value: unknown, column: Column, settings: ColumnSettings = {}, options: FormatOptions = {}): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? say('true') : say('false');
  const all = withMeaning(column, settings);
  if (column.unit && column.unit !== 'default') return all.prefix || all.suffix ? `${all.prefix ?? ''}${formatDate(value, column.unit, all, options)}${all.suffix ?? ''}` : formatDate(value, column.unit, all, options);
  const kind = kindOf(column);
  if (kind === 'date' || kind === 'datetime') return formatDate(value, undefined, kind === 'date' ? { ...all, time_enabled: null } : all, options);
  if (kind === 'time' && typeof value === 'string') return value.replace(/(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$/, '').replace(/^(\d{2}:\d{2}):00$/, '$1');
  const plain = typeof value === 'number' ? value : kind === 'number' ? number(value) : null;
  if (plain !== null) {
    if (isPrimaryKey(column) || isForeignKey(column)) return (all.prefix ?? '') + String(value) + (all.suffix ?? '');
    const bins = column.binning_info;
    if (bins?.bin_width) {
      const low = formatNumber(plain, all, { ...options, trim: true });
      const high = formatNumber(Number((plain + bins.bin_width).toPrecision(12)), all, { ...options, trim: true });
      return isCoordinate(column) ? `${low}° – ${high}°` : `${low} – ${high}`;
    }
    if (isCoordinate(column)) return plain.toFixed(typeof all.decimals === 'number' ? all.decimals : 4).replace('-', '\u2212');
    // Digits beyond what a double can hold arrive as text and must not be rounded.
    if (typeof value === 'string' && !Number.isSafeInteger(plain) && /^-?\d+$/.test(value)) return value.replace(/\B(?=(\d{3})+$)/g, ',');
    return formatNumber(plain, all, options);
  }
  if (typeof value === 'object') return JSON.stringify(value);
  return (all.prefix ?? '') + String(value) + (all.suffix ?? '');
}

/** "+17.0 %" and which way it went; null when there is nothing to compare with. */
export function change(now: number | null, before: number | null): { text: string; ratio: number; direction: 'up' | 'down' | 'same' } | null {
  if (now === null || before === null || before === 0 || !Number.isFinite(now) || !Number.isFinite(before)) return null;
  const ratio = (now - before) / Math.abs(before);
  const percent = Math.abs(ratio) * 100;
  const text = percent >= 1000 ? plainFormat(0, 0).format(percent) : percent.toFixed(1);
  const same = text === '0.0';
  return { text: `${same ? '' : ratio > 0 ? '+' : '\u2212'}${text}\u00a0%`, ratio, direction: same ? 'same' : ratio > 0 ? 'up' : 'down' };
}

export function toNumber(value: unknown): number | null {
  return number(value);
}
