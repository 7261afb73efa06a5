import { date_locale } from './i18n';

// Moments in words. All arithmetic on the person's own clock and zone; the server does bucketing and zones of data.

const day_ms = 86_400_000;

function day_start(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function clock(date: Date, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "Yesterday, 18:20", "Friday, 11:02", "16 November", "16 November 2024". Empty for no moment. */
export function when(moment: string | Date | null | undefined, now = new Date(), locale = date_locale()): string {
  if (!moment) return '';
  const date = typeof moment === 'string' ? new Date(moment) : moment;
  if (Number.isNaN(date.getTime())) return '';
  const days = Math.round((day_start(now) - day_start(date)) / day_ms);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-days, 'day');
    return `${capital(word)}, ${clock(date, locale)}`;
  }
  if (days > 1 && days < 7) return `${new Intl.DateTimeFormat(locale, { weekday: 'long' }).format(date)}, ${clock(date, locale)}`;
  const same_year = date.getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: same_year ? undefined : 'numeric' }).format(date);
}

/** Like `when`, to stand inside a sentence: "yesterday, 18:20". */
export function when_inside(moment: string | Date | null | undefined, now = new Date(), locale = date_locale()): string {
  return inside(when(moment, now, locale), locale);
}

/** Like `ago`, to stand inside a sentence: "yesterday, 18:20", "20 min ago". */
export function ago_inside(moment: string | Date | null | undefined, now = new Date(), locale = date_locale()): string {
  return inside(ago(moment, now, locale), locale);
}

function inside(words: string, locale: string): string {
  // "Yesterday" loses its capital, "Friday" keeps it.
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const small = [0, -1].map((day) => relative.format(day, 'day')).find((word) => words.startsWith(capital(word)));
  return small ? small + words.slice(small.length) : words;
}

/** "just now", "20 min ago", "3 h ago", then as `when`. */
export function ago(moment: string | Date | null | undefined, now = new Date(), locale = date_locale()): string {
  if (!moment) return '';
  const date = typeof moment === 'string' ? new Date(moment) : moment;
  const seconds = (now.getTime() - date.getTime()) / 1000;
  if (Number.isNaN(seconds)) return '';
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  if (seconds >= 0 && seconds < 60) return locale.startsWith('en') ? 'just now' : relative.format(0, 'second');
  if (seconds >= 0 && seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute');
  if (seconds >= 0 && seconds < 6 * 3600) return relative.format(-Math.floor(seconds / 3600), 'hour');
  return when(date, now, locale);
}

/** "Monday 23 November". */
export function long_day(date: Date, locale = date_locale()): string {
  const text = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(date);
  return locale.startsWith('en') ? text.replace(',', '') : text;
}

/** Full date and time, for a tooltip. */
export function exact(moment: string | null | undefined, locale = date_locale()): string {
  if (!moment) return '';
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? '' : new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(date);
}

/** "340 ms", "8 s", "3 min 48 s", "2 h 5 min". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${ms < 10_000 ? (ms / 1000).toFixed(1).replace(/\.0$/, '') : seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
