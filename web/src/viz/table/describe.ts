import { isKey, isNumber, isExtraction } from '../../query/kinds';
import { say } from '../../query/words';
import { formatValue, toNumber, withMeaning, type ColumnSettings } from '../format';
import { columnSettings, columnTitle, toggleSetting } from '../settings';
import { roughWidth } from '../scale';
import type { Column, DrawInput, Row, TableColumn, TableDescription, VisualizationSettings } from '../types';
import { numbersOf, tones } from './conditional';

export interface ListedColumn {
  name: string;
  enabled: boolean;
}

/** `table.columns` brought up to date: gone columns left out, new ones at the end. */
export function listedColumns(columns: Column[], settings: VisualizationSettings): ListedColumn[] {
  const saved = settings['table.columns'];
  const known: ListedColumn[] = [];
  if (Array.isArray(saved)) {
    for (const item of saved as { name?: unknown; enabled?: unknown }[]) {
      if (typeof item?.name !== 'string' || known.some((one) => one.name === item.name)) continue;
      if (columns.some((column) => column.name === item.name)) known.push({ name: item.name, enabled: item.enabled !== false });
    }
  }
  const listed = new Set(known.map((item) => item.name));
  for (const column of columns)
    if (!listed.has(column.name)) known.push({ name: column.name, enabled: column.visibility_type !== 'details-only' });
  return known;
}

/** Fills `{{column}}` in a link or text template with the row's values; values in links are encoded. */
export function fillTemplate(template: string, columns: Column[], row: Row, encode: boolean): string {
  return template.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, name: string) => {
    const index = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    const text = index < 0 || row[index] == null ? '' : String(row[index]);
    return encode ? encodeURIComponent(text) : text;
  });
}

/** Only addresses that cannot run scripts. */
export function safeLink(url: string): string | null {
  return /^(https?:|mailto:|tel:|\/(?!\/))/i.test(url.trim()) ? url.trim() : null;
}

function linkOf(column: Column, settings: ColumnSettings, columns: Column[]): (value: unknown, row: Row) => string | null {
  const template = typeof settings.link_url === 'string' && settings.link_url !== '' ? settings.link_url : null;
  const as = settings.view_as;
  if (as === null) return () => null;
  if (as === 'link' && template) return (_, row) => safeLink(fillTemplate(template, columns, row, true));
  const email = as === 'email_link' || column.semantic_type === 'type/Email';
  const url = as === 'link' || column.semantic_type === 'type/URL' || as === 'auto';
  return (value) => {
    if (typeof value !== 'string' || value === '') return null;
    if (email && /^[^@\s]+@[^@\s]+$/.test(value)) return `mailto:${value}`;
    return url && /^(https?|mailto):/i.test(value) ? safeLink(value) : null;
  };
}

const header_room = 44;
function guessWidth(title: string, column: Column, texts: string[]): number {
  const longest = texts.reduce((most, text) => Math.max(most, roughWidth(text, 13)), 0);
  const room = Math.max(longest + 28, roughWidth(title, 12, 600) + header_room);
  return Math.round(Math.min(isNumber(column) ? 220 : 320, Math.max(72, room)));
}

export function describeTable(input: DrawInput): TableDescription {
  const { columns, rows, settings } = input;
  const shown = listedColumns(columns, settings).filter((item) => item.enabled);
  const widths = Array.isArray(settings['table.column_widths']) ? (settings['table.column_widths'] as unknown[]) : [];
  const options = { locale: input.locale, first_weekday: input.first_weekday };
  const tone = tones(columns, rows, settings);
  const described = shown.map((item, place): TableColumn => {
    const index = columns.findIndex((column) => column.name === item.name);
    const column = columns[index]!;
    const own = columnSettings(settings, column);
    const all = withMeaning(column, own);
    const numeric = isNumber(column) && !isExtraction(column.unit);
    const digits = numeric && own.decimals === undefined && all.number_style !== 'percent' && all.number_style !== 'scientific' ? commonDigits(rows, index, all.scale ?? 1) : null;
    const even = digits === null ? own : { ...own, decimals: digits };
    const text = (value: unknown) => formatValue(value, column, even, options);
    const title = columnTitle(settings, column);
    const saved = toNumber(widths[place]);
    const bar = numeric && all.show_mini_bar ? barOf(numbersOf(rows, index)) : null;
    const link_text = typeof all.link_text === 'string' && all.link_text !== '' ? all.link_text : null;
    const sample = rows.length > 60 ? [...rows.slice(0, 40), ...rows.slice(-20)] : rows;
    const align = all.text_align === 'middle' ? 'center' : all.text_align === 'left' || all.text_align === 'right' ? all.text_align : numeric && column.semantic_type !== 'type/FK' ? 'right' : isKey(column) && numeric ? 'right' : 'left';
    return {
      index, column, title, align, text: link_text ? (value) => (value == null ? '' : link_text.includes('{{') ? text(value) : link_text) : text,
      link: linkOf(column, all, columns), image: all.view_as === 'image' || (all.view_as === undefined && (column.semantic_type === 'type/ImageURL' || column.semantic_type === 'type/AvatarURL')),
      bar, tone: (value, row) => (tone ? tone(index, value, row) : null), wrap: all.text_wrapping === true,
      width: saved !== null && saved >= 40 ? saved : guessWidth(title, column, sample.map((row) => text(row[index]))) + (bar ? 92 : 0),
    };
  });
  return {
    kind: 'table', columns: described, rows, row_index: toggleSetting(settings, 'table.row_index', false),
    summary: say('Table with {{columns}} columns and {{rows}} rows.', { columns: String(described.length), rows: String(rows.length) }),
  };
}

/** Digits behind the point that a column needs, two at most, so that its points stand under each other; null for whole numbers. */
export function commonDigits(rows: Row[], index: number, scale: number): number | null {
  let most = 0;
  for (const row of rows.length > 500 ? rows.slice(0, 500) : rows) {
    const value = toNumber(row[index]);
    if (value === null || Number.isInteger(value * scale)) continue;
    const size = Math.abs(value * scale);
    // Very small numbers keep their own digits.
    if (size < 0.01) return null;
    most = Math.max(most, Number.isInteger(Number((size * 10).toPrecision(12))) ? 1 : 2);
    if (most === 2) break;
  }
  return most === 0 ? null : most;
}

/** Share of the widest bar, 0 to 1; from zero, so that lengths compare. */
function barOf({ low, high }: { low: number; high: number }): ((value: unknown) => number) | null {
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(most > 0) || !Number.isFinite(most)) return null;
  return (value) => Math.min(1, Math.abs(toNumber(value) ?? 0) / most);
}

/** Tab-separated, as spreadsheets take it from the clipboard. */
export function tableText(description: TableDescription, from?: { row: number; column: number }, to?: { row: number; column: number }): string {
  const top = from && to ? Math.min(from.row, to.row) : 0;
  const bottom = from && to ? Math.max(from.row, to.row) : description.rows.length - 1;
  const left = from && to ? Math.min(from.column, to.column) : 0;
  const right = from && to ? Math.max(from.column, to.column) : description.columns.length - 1;
  const columns = description.columns.slice(left, right + 1);
  const clean = (text: string) => (/[\t\n"]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const lines: string[] = [];
  if (top !== bottom) lines.push(columns.map((column) => clean(column.title)).join('\t'));
  for (let at = top; at <= bottom; at += 1) lines.push(columns.map((column) => clean(column.text(description.rows[at]![column.index]))).join('\t'));
  return lines.join('\n');
}
