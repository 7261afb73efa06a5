import { say } from '../../query/words';
import { columnNamed, guessMetrics } from '../columns';
import { formatNumber, formatValue, toNumber, withMeaning } from '../format';
import { columnSettings, columnTitle, textSetting } from '../settings';
import type { Column, Description, DrawInput, Row } from '../types';
import { stateCode, states } from './states';

/** The column that holds states: the chosen one, the one marked as such, or one whose values mostly are states. */
export function stateColumn(columns: Column[], rows: Row[], settings: DrawInput['settings']): number {
  const chosen = columnNamed(columns, textSetting(settings, 'map.dimension'));
  if (chosen >= 0) return chosen;
  const marked = columns.findIndex((column) => column.semantic_type === 'type/State');
  if (marked >= 0) return marked;
  return columns.findIndex((_, index) => {
    const sample = rows.slice(0, 60).map((row) => row[index]).filter((value) => value !== null);
    return sample.length >= 3 && sample.every((value) => typeof value === 'string') && sample.filter(stateCode).length >= sample.length * 0.8;
  });
}

export function describeMap(input: DrawInput): Description {
  const { columns, rows, settings } = input;
  const dimension = stateColumn(columns, rows, settings);
  let metric = columnNamed(columns, textSetting(settings, 'map.metric'));
  if (metric < 0) metric = columnNamed(columns, guessMetrics(columns, false)[0]);
  if (dimension < 0) return { kind: 'problem', sentence: say('This map shows states of the USA. No column of this result holds state names.') };
  if (metric < 0) return { kind: 'problem', sentence: say('This map needs a number per state. Choose one in the settings.') };
  const totals = new Map<string, { value: number; row: number; raw: unknown }>();
  let unplaced = 0;
  rows.forEach((row, index) => {
    const code = stateCode(row[dimension]);
    const value = toNumber(row[metric]);
    if (!code) unplaced += 1;
    if (!code || value === null) return;
    const found = totals.get(code);
    if (found) found.value += value;
    else totals.set(code, { value, row: index, raw: row[dimension] });
  });
  if (totals.size === 0) return { kind: 'problem', sentence: say('None of these values is the name of a state of the USA.') };
  const sorted = [...totals.values()].map((item) => item.value).sort((a, b) => a - b);
  const low = sorted[0]!;
  const high = sorted[sorted.length - 1]!;
  const column = columns[metric]!;
  const format = withMeaning(column, columnSettings(settings, column));
  const short = (value: number) => formatNumber(value, format, { compact: true, trim: true });
  const full = (value: number) => formatValue(value, column, columnSettings(settings, column));
  const most = states.map((state) => ({ state, item: totals.get(state.code) })).filter((one) => one.item).sort((a, b) => b.item!.value - a.item!.value)[0]!;
  return {
    kind: 'hexes', low: short(low), high: short(high), unplaced,
    cells: states.map((state) => {
      const item = totals.get(state.code);
      return {
        code: state.code, name: state.name, column: state.column, row: state.row,
        step: item ? colorStep(item.value, sorted) : null,
        text: item ? full(item.value) : say('no value'),
        mark: item ? { value: { column, value: item.value }, dimensions: [{ column: columns[dimension]!, value: item.raw }], row: item.row } : null,
      };
    }),
    summary: say('Map of {{measure}} by state: {{count}} states, highest in {{state}} with {{value}}.', { measure: columnTitle(settings, column), count: String(totals.size), state: most.state.name, value: full(most.item!.value) }),
  };
}

/** Which of the seven steps a value gets: halfway between its place in the range and its rank, so that one giant does not pale the rest. */
export function colorStep(value: number, sorted: number[]): number {
  const low = sorted[0]!;
  const high = sorted[sorted.length - 1]!;
  if (high === low) return 3;
  const linear = (value - low) / (high - low);
  const rank = sorted.length < 2 ? 1 : sorted.indexOf(value) / (sorted.length - 1);
  return Math.min(6, Math.floor(((linear + rank) / 2) * 7));
}
