import type { Column, Mark, PointValue, Row } from './types';

/** Something in a visualization was pressed. `x`, `y`: where the mark is, in pixels of the window. */
export interface PointEvent {
  kind: 'mark' | 'cell' | 'header';
  x: number;
  y: number;
  /** The pressed value; null where a mark has none (a row of dimensions only). For a header its column, value undefined. */
  value: PointValue | null;
  /** Values of the dimensions the mark stands for; for a cell those of its row. */
  dimensions: PointValue[];
  /** The whole row, where there is exactly one. */
  row: { columns: Column[]; values: Row } | null;
  /** Focus goes back here when the menu is closed. */
  target: HTMLElement | null;
}
export interface RangeEvent {
  column: Column;
  from: unknown;
  to: unknown;
}

export function pointOfMark(mark: Mark, columns: Column[], rows: Row[], at: { x: number; y: number }, target: HTMLElement | null): PointEvent {
  const row = mark.row === null ? undefined : rows[mark.row];
  return { kind: 'mark', ...at, value: mark.value, dimensions: mark.dimensions, row: row ? { columns, values: row } : null, target };
}
/** A cell: its row's breakouts say what a summarized value stands for. */
export function pointOfCell(index: number, row: Row, columns: Column[], at: { x: number; y: number }, target: HTMLElement | null): PointEvent {
  return {
    kind: 'cell', ...at, value: { column: columns[index]!, value: row[index] },
    dimensions: columns.flatMap((column, at_column) => (column.source === 'breakout' ? [{ column, value: row[at_column] }] : [])),
    row: { columns, values: row }, target,
  };
}
