import { say } from '../../query/words';
import { columnNamed, isDimension, isMetric, isTimeDimension } from '../columns';
import { change, formatDate, formatNumber, formatValue, isUnfinished, nextPeriod, parseDate, toNumber, withMeaning } from '../format';
import { columnSettings, columnTitle, textSetting, toggleSetting } from '../settings';
import type { Column, Description, DrawInput, NumberDescription, Row } from '../types';

/** The column whose value is shown: the chosen one, else the first measure, else the first column. */
export function shownColumn(columns: Column[], settings: DrawInput['settings']): number {
  const chosen = columnNamed(columns, textSetting(settings, 'scalar.field'));
  if (chosen >= 0) return chosen;
  const measure = columns.findIndex(isMetric);
  return measure >= 0 ? measure : columns.length > 0 ? columns.length - 1 : -1;
}

/** In full while it fits the width, else shortened to three digits. */
function fitting(input: DrawInput, column: Column, value: unknown): { text: string; full: string } {
  const settings = columnSettings(input.settings, column);
  const full = formatValue(value, column, settings, { locale: input.locale, first_weekday: input.first_weekday });
  const number = toNumber(value);
  if (number === null || Math.abs(number) < 10_000 || column.semantic_type === 'type/PK' || column.semantic_type === 'type/FK') return { text: full, full };
  const compact = toggleSetting(input.settings, 'scalar.compact_primary_number', false) || Math.abs(number) >= 1e6 || input.measure(full, 28, 600) > input.size.width - 2 * input.inset;
  if (!compact) return { text: withoutCents(full, number, column, settings), full };
  return { text: formatNumber(number, withMeaning(column, settings), { compact: true }), full };
}
/** Cents of a sum in the thousands say nothing. */
function withoutCents(full: string, number: number, column: Column, settings: ReturnType<typeof columnSettings>): string {
  return settings.decimals === undefined && Math.abs(number) >= 1000 ? formatNumber(number, { ...withMeaning(column, settings), decimals: 0 }) : full;
}

export function describeScalar(input: DrawInput): Description {
  const index = shownColumn(input.columns, input.settings);
  const row = input.rows[0];
  if (index < 0 || !row) return { kind: 'problem', sentence: say('There is no value to show.') };
  const column = input.columns[index]!;
  const { text, full } = fitting(input, column, row[index]);
  const title = columnTitle(input.settings, column);
  return {
    kind: 'number', text: text || say('no value'), full, caption: title, trends: [], spark: [], so_far: false,
    summary: say('{{name}}: {{value}}.', { name: title, value: full || say('no value') }),
    mark: { value: { column, value: row[index] }, dimensions: input.columns.flatMap((other, at) => (isDimension(other) && at !== index ? [{ column: other, value: row[at] }] : [])), row: 0 },
  };
}

interface Comparison {
  type: string;
  value?: number;
  column?: string;
  label?: string;
}
const unit_words: Record<string, () => string> = {
  day: () => say('the day before'), week: () => say('the week before'), month: () => say('the month before'),
  quarter: () => say('the quarter before'), year: () => say('the year before'), hour: () => say('the hour before'),
};

export function describeSmartScalar(input: DrawInput): Description {
  const { columns, settings } = input;
  const time = columns.findIndex(isTimeDimension);
  const index = shownColumn(columns, settings);
  if (index < 0 || input.rows.length === 0) return { kind: 'problem', sentence: say('There is no value to show.') };
  if (time < 0) return { kind: 'problem', sentence: say('A trend needs a date to group by. Add one, or show a plain number.') };
  const column = columns[index]!;
  const unit = columns[time]!.unit;
  const sorted = input.rows
    .map((row, at) => ({ row, at, date: parseDate(row[time])?.getTime() }))
    .filter((item): item is { row: Row; at: number; date: number } => item.date !== undefined)
    .sort((a, b) => a.date - b.date);
  if (sorted.length === 0) return describeScalar(input);
  const last = sorted[sorted.length - 1]!;
  const value = toNumber(last.row[index]);
  const so_far = isUnfinished(last.row[time], unit, input.now);
  const by_date = new Map(sorted.map((item) => [item.date, item]));
  const good_down = toggleSetting(settings, 'scalar.switch_positive_negative', false);
  const listed = Array.isArray(settings['scalar.comparisons']) ? (settings['scalar.comparisons'] as Comparison[]) : [{ type: 'previousPeriod' }];

  const period = (count: number) => {
    const date = unit ? nextPeriod(new Date(last.date), unit, -count).getTime() : undefined;
    return date === undefined ? sorted[sorted.length - 1 - count] : by_date.get(date);
  };
  const trends = listed.flatMap((comparison): NumberDescription['trends'] => {
    let before: number | null = null;
    let name = '';
    switch (comparison.type) {
      case 'periodsAgo': {
        const item = period(comparison.value ?? 1);
        before = toNumber(item?.row[index]);
        name = item ? formatDate(item.row[time], unit, { date_abbreviate: true }, { locale: input.locale }) : '';
        break;
      }
      case 'previousValue': {
        const item = [...sorted].reverse().find((one) => one !== last && toNumber(one.row[index]) !== null);
        before = toNumber(item?.row[index]);
        break;
      }
      case 'anotherColumn': before = toNumber(last.row[columnNamed(columns, comparison.column)]); name = comparison.label ?? ''; break;
      case 'staticNumber': before = toNumber(comparison.value); name = comparison.label ?? ''; break;
      default: {
        const item = period(1);
        before = toNumber(item?.row[index]);
        name = '';
      }
    }
    const moved = change(value, before);
    if (!moved) return [];
    // A period that is not over has every right to be behind: no red for it.
    const early = so_far && moved.direction === 'down' && comparison.type !== 'anotherColumn' && comparison.type !== 'staticNumber';
    const tone = moved.direction === 'same' || early ? 'same' : (moved.direction === 'up') !== good_down ? 'good' : 'bad';
    const against = formatNumberOf(input, column, before);
    return [{ text: moved.text, against: name ? say('vs {{value}} ({{name}})', { value: against, name }) : say('vs {{value}}', { value: against }), direction: moved.direction, tone }];
  });
  const { text, full } = fitting(input, column, last.row[index]);
  const title = columnTitle(settings, column);
  const when = formatDate(last.row[time], unit, {}, { locale: input.locale });
  const moved = trends[0];
  return {
    kind: 'number', text: text || say('no value'), full, so_far,
    caption: so_far ? say('{{period}} so far', { period: when }) : when, trends,
    spark: sorted.slice(-12).map((item) => ({ value: toNumber(item.row[index]), label: `${formatDate(item.row[time], unit, {}, { locale: input.locale })}: ${formatNumberOf(input, column, toNumber(item.row[index]))}` })),
    summary: moved
      ? say('{{name}} in {{when}}: {{value}}, {{change}} on {{before}}.', { name: title, when, value: full, change: moved.text, before: (unit_words[unit ?? ''] ?? (() => say('the value before')))() })
      : say('{{name}} in {{when}}: {{value}}.', { name: title, when, value: full }),
    mark: { value: { column, value: last.row[index] }, dimensions: [{ column: columns[time]!, value: last.row[time] }], row: last.at },
  };
}

function formatNumberOf(input: DrawInput, column: Column, value: number | null): string {
  if (value === null) return say('no value');
  const settings = columnSettings(input.settings, column);
  return formatNumber(value, withMeaning(column, settings), { compact: Math.abs(value) >= 1e6 });
}
