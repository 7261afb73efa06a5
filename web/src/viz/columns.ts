import { isDate, isKey, isMeasure, isNumber, isPlace, isText, isBoolean, isCategory, isExtraction } from '../query/kinds';
import type { Column, Row } from './types';

/** Something to group by: a breakout, or any column that is not there to be added up. */
export function isDimension(column: Column): boolean {
  if (column.source === 'aggregation') return false;
  if (column.source === 'breakout') return true;
  return isDate(column) || isText(column) || isBoolean(column) || isPlace(column) || isCategory(column) || isExtraction(column.unit) || isKey(column);
}
/** Something to measure. Every number may be; keys and breakouts are no good guesses. */
export function isMetric(column: Column): boolean {
  if (column.source === 'aggregation') return isNumber(column);
  return isMeasure(column) && column.source !== 'breakout' && !isExtraction(column.unit);
}
export function isTimeDimension(column: Column): boolean {
  return isDate(column) && !isExtraction(column.unit);
}
/** What the panel offers under "dimension": everything can be one. */
export const canBeDimension = (_column: Column): boolean => true;
export const canBeMetric = (column: Column): boolean => isNumber(column);

export function columnNamed(columns: Column[], name: string | null | undefined): number {
  return name == null ? -1 : columns.findIndex((column) => column.name === name);
}

function distinctCount(rows: Row[], index: number, enough: number): number {
  const seen = new Set<unknown>();
  for (const row of rows) {
    seen.add(row[index]);
    if (seen.size > enough) break;
  }
  return seen.size;
}

/** First guess for the axis and the split: time first, then the dimension with more values along the axis. */
export function guessDimensions(columns: Column[], rows: Row[] = []): string[] {
  const found = columns.map((column, index) => ({ column, index })).filter(({ column }) => isDimension(column));
  if (found.length === 0) return [];
  const time = found.find(({ column }) => isTimeDimension(column));
  const others = found.filter((item) => item !== time);
  const summarized = columns.some((column) => column.source === 'aggregation');
  if (time) {
    const split = summarized ? others.find(({ index }) => distinctCount(rows, index, 100) <= 100) : undefined;
    return split ? [time.column.name, split.column.name] : [time.column.name];
  }
  if (!summarized || others.length < 2) {
    const first = others.find(({ column }) => !isKey(column)) ?? others[0]!;
    return [first.column.name];
  }
  const [a, b] = [others[0]!, others[1]!];
  return distinctCount(rows, a.index, 1000) >= distinctCount(rows, b.index, 1000) ? [a.column.name, b.column.name] : [b.column.name, a.column.name];
}
export function guessMetrics(columns: Column[], split: boolean): string[] {
  const found = columns.filter(isMetric);
  const wanted = found.some((column) => column.source === 'aggregation') ? found.filter((column) => column.source === 'aggregation') : found.slice(0, columns.some((column) => column.source === 'native') ? 8 : 1);
  return (split ? wanted.slice(0, 1) : wanted).map((column) => column.name);
}
