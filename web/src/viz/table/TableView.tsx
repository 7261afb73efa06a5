import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useId, useMemo, useRef, useState } from 'react';
import { isForeignKey, isPrimaryKey } from '../../query/kinds';
import { say } from '../../query/words';
import { toNumber } from '../format';
import type { Row, Size, TableColumn, TableDescription } from '../types';
import { tableText } from './describe';
import styles from './TableView.module.css';

export interface CellPress {
  column: TableColumn;
  row: Row;
  at: { x: number; y: number };
  target: HTMLElement | null;
}
export interface HeaderPress {
  column: TableColumn;
  at: { x: number; y: number };
  target: HTMLElement | null;
}
export interface SortMark {
  name: string;
  direction: 'asc' | 'desc';
}
interface TableViewProps {
  description: TableDescription;
  size: Size;
  inset: number;
  label: string;
  sorted?: SortMark[];
  show_types?: boolean;
  onCell?: (press: CellPress) => void;
  /** Without it a press on a header sorts what is shown. */
  onHeader?: (press: HeaderPress) => void;
  /** Widths of the shown columns after one was dragged. */
  onWidths?: (widths: number[]) => void;
}

const row_height = 32;
const head_height = 36;
const index_width = 52;
interface Spot {
  row: number;
  column: number;
}

export function compareValues(a: unknown, b: unknown): number {
  if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1;
  const x = toNumber(a);
  const y = toNumber(b);
  if (x !== null && y !== null) return x - y;
  return String(a).localeCompare(String(b));
}

/** Takes `missing` pixels from bars first, then from texts, when that lets the whole table be seen; else leaves it wide. */
export function narrowed(widths: number[], columns: TableColumn[], dragged: Record<string, number>, missing: number): number[] {
  const give = columns.map((column, at) => (dragged[column.column.name] !== undefined ? 0 : column.bar ? 60 : column.align === 'left' ? Math.max(0, Math.min(widths[at]! * 0.35, widths[at]! - 112)) : 0));
  const most = give.reduce((sum, one) => sum + one, 0);
  return most < missing ? widths : widths.map((width, at) => width - Math.ceil((give[at]! * missing) / most));
}

/** A grid that draws only what is seen: rows and columns come and go while scrolling. */
export function TableView({ description, size, inset, label, sorted, show_types, onCell, onHeader, onWidths }: TableViewProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const id = useId();
  const [own_sort, setOwnSort] = useState<SortMark | null>(null);
  const [dragged, setDragged] = useState<Record<string, number>>({});
  const [active, setActive] = useState<Spot | null>(null);
  const [anchor, setAnchor] = useState<Spot | null>(null);
  const selecting = useRef(false);
  const { columns } = description;

  const rows = useMemo(() => {
    const column = own_sort ? columns.find((one) => one.column.name === own_sort.name) : undefined;
    if (!column || !own_sort) return description.rows;
    const sign = own_sort.direction === 'asc' ? 1 : -1;
    return [...description.rows].sort((a, b) => sign * compareValues(a[column.index], b[column.index]));
  }, [description.rows, columns, own_sort]);
  const shown = useMemo(() => ({ ...description, rows }), [description, rows]);

  const first = description.row_index ? index_width : 0;
  const widths = useMemo(() => {
    const base = columns.map((column, at) => (dragged[column.column.name] ?? column.width) + (at === 0 && first === 0 ? Math.max(0, inset - 12) : 0));
    const total = base.reduce((sum, width) => sum + width, 0) + first;
    const spare = size.width - total - 1;
    // What is left over is shared, so that a narrow table fills its card; dragged columns keep their width.
    const free = columns.filter((column) => dragged[column.column.name] === undefined).length;
    if (free === 0) return base;
    if (spare < 0) return narrowed(base, columns, dragged, -spare);
    const share = columns.reduce((sum, column, at) => (dragged[column.column.name] === undefined ? sum + base[at]! : sum), 0);
    return base.map((width, at) => (dragged[columns[at]!.column.name] === undefined ? Math.min(width + Math.floor((spare * width) / share), size.width > 900 ? Math.max(320, Math.round(width * 1.8)) : Infinity) : width));
  }, [columns, dragged, size.width, inset, first]);
  const total_width = widths.reduce((sum, width) => sum + width, 0) + first;

  const row_window = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => row_height, overscan: 6, initialRect: size });
  const column_window = useVirtualizer({ horizontal: true, count: columns.length, getScrollElement: () => scroll.current, estimateSize: (at) => widths[at]!, overscan: 3, paddingStart: first, initialRect: size });
  useEffect(() => column_window.measure(), [widths, column_window]);
  useEffect(() => {
    setActive(null);
    setAnchor(null);
    scroll.current?.scrollTo({ top: 0 });
  }, [description.rows]);

  const seen_columns = column_window.getVirtualItems();
  const seen_rows = row_window.getVirtualItems();

  function move(next: Spot, extend: boolean) {
    const spot = { row: Math.max(0, Math.min(rows.length - 1, next.row)), column: Math.max(0, Math.min(columns.length - 1, next.column)) };
    setActive(spot);
    if (!extend) setAnchor(spot);
    row_window.scrollToIndex(spot.row, { align: 'auto' });
    column_window.scrollToIndex(spot.column, { align: 'auto' });
  }
  function press(spot: Spot, element: HTMLElement | null) {
    const column = columns[spot.column];
    const row = rows[spot.row];
    if (!column || !row || !element || !onCell) return;
    const frame = element.getBoundingClientRect();
    onCell({ column, row, at: { x: frame.right - Math.min(24, frame.width / 2), y: frame.bottom }, target: scroll.current });
  }
  function copy(event: { preventDefault: () => void }) {
    if (!active) return;
    event.preventDefault();
    void navigator.clipboard?.writeText(tableText(shown, anchor ?? active, active));
  }
  function onKey(event: React.KeyboardEvent) {
    if (event.target !== event.currentTarget || rows.length === 0) return;
    const at = active ?? { row: 0, column: 0 };
    const page = Math.max(1, Math.floor((size.height - head_height) / row_height) - 1);
    const far = event.ctrlKey || event.metaKey;
    const steps: Record<string, Spot> = {
      ArrowDown: { row: far ? rows.length - 1 : at.row + (active ? 1 : 0), column: at.column }, ArrowUp: { row: far ? 0 : at.row - 1, column: at.column },
      ArrowRight: { row: at.row, column: far ? columns.length - 1 : at.column + (active ? 1 : 0) }, ArrowLeft: { row: at.row, column: far ? 0 : at.column - 1 },
      PageDown: { row: at.row + page, column: at.column }, PageUp: { row: at.row - page, column: at.column },
      Home: { row: far ? 0 : at.row, column: 0 }, End: { row: far ? rows.length - 1 : at.row, column: columns.length - 1 },
    };
    const next = steps[event.key];
    if (next) {
      event.preventDefault();
      move(next, event.shiftKey);
    } else if (event.key === 'Enter' && active) {
      event.preventDefault();
      press(active, document.getElementById(`${id}-${active.row}-${active.column}`));
    } else if (far && event.key.toLowerCase() === 'c') copy(event);
    else if (far && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      setAnchor({ row: 0, column: 0 });
      setActive({ row: rows.length - 1, column: columns.length - 1 });
    } else if (event.key === 'Escape' && active) {
      setActive(null);
      setAnchor(null);
    }
  }
  function pressHeader(column: TableColumn, element: HTMLElement) {
    if (onHeader) {
      const frame = element.getBoundingClientRect();
      onHeader({ column, at: { x: frame.left, y: frame.bottom + 4 }, target: element });
      return;
    }
    const name = column.column.name;
    setOwnSort((before) => (before?.name !== name ? { name, direction: column.align === 'right' ? 'desc' : 'asc' } : before.direction === (column.align === 'right' ? 'desc' : 'asc') ? { name, direction: column.align === 'right' ? 'asc' : 'desc' } : null));
  }
  function startResize(event: React.PointerEvent<HTMLElement>, at: number) {
    event.preventDefault();
    event.stopPropagation();
    const grip = event.currentTarget;
    const start = event.clientX;
    const width = widths[at]!;
    const name = columns[at]!.column.name;
    let last = width;
    grip.setPointerCapture(event.pointerId);
    grip.dataset['dragging'] = 'true';
    const follow = (next: PointerEvent) => {
      last = Math.max(48, Math.min(1200, width + next.clientX - start));
      setDragged((before) => ({ ...before, [name]: last }));
    };
    const stop = () => {
      grip.removeEventListener('pointermove', follow);
      grip.removeEventListener('pointerup', stop);
      grip.removeEventListener('pointercancel', stop);
      delete grip.dataset['dragging'];
      onWidths?.(columns.map((column, index) => (index === at ? last : (dragged[column.column.name] ?? column.width))));
    };
    grip.addEventListener('pointermove', follow);
    grip.addEventListener('pointerup', stop);
    grip.addEventListener('pointercancel', stop);
  }
  const band = active && anchor ? { top: Math.min(active.row, anchor.row), bottom: Math.max(active.row, anchor.row), key: `${Math.min(active.column, anchor.column)}-${Math.max(active.column, anchor.column)}` } : null;
  // A new list only when other columns come into view, so that rows that stay need not be drawn again.
  const places_key = seen_columns.map((item) => `${item.index}/${item.start}/${item.size}`).join();
  const places = useMemo(() => seen_columns.map((item) => ({ index: item.index, start: item.start, size: item.size })), [places_key]);
  const many = Boolean(active && anchor && (active.row !== anchor.row || active.column !== anchor.column));
  const latest = useRef({ press, anchor, many, setAnchor, setActive });
  latest.current = { press, anchor, many, setAnchor, setActive };
  const [handlers] = useState<CellHandlers>(() => ({
    down: (row, column, event) => {
      if (event.button !== 0) return;
      if (event.shiftKey && latest.current.anchor) {
        event.preventDefault();
        setActive({ row, column });
        return;
      }
      selecting.current = true;
      window.addEventListener('pointerup', () => { selecting.current = false; }, { once: true });
      setAnchor({ row, column });
      setActive({ row, column });
    },
    enter: (row, column) => {
      if (selecting.current) setActive({ row, column });
    },
    click: (row, column, event) => {
      if (event.shiftKey || latest.current.many || (event.target as HTMLElement).closest('a')) return;
      latest.current.press({ row, column }, event.currentTarget as HTMLElement);
    },
  }));
  const marks = own_sort ? [own_sort] : (sorted ?? []);

  return (
    <div
      ref={scroll} className={styles.scroll} role="grid" tabIndex={0} aria-label={label ? `${label}. ${description.summary}` : description.summary}
      aria-rowcount={rows.length + 1} aria-colcount={columns.length + (first ? 1 : 0)} aria-multiselectable="true"
      aria-activedescendant={active ? `${id}-${active.row}-${active.column}` : undefined} onKeyDown={onKey} onCopy={copy}
    >
      <div className={styles.head} role="row" aria-rowindex={1} style={{ width: Math.max(total_width, size.width) }}>
        {first > 0 && <div className={styles.head_cell} role="columnheader" aria-colindex={1} style={{ left: 0, width: first }}><span className="visually-hidden">{say('Row')}</span></div>}
        {seen_columns.map((item) => {
          const column = columns[item.index]!;
          const mark = marks.find((one) => one.name === column.column.name);
          return (
            <div
              key={column.column.name} className={styles.head_cell} role="columnheader" data-align={column.align} aria-colindex={item.index + 1 + (first ? 1 : 0)}
              aria-sort={mark ? (mark.direction === 'asc' ? 'ascending' : 'descending') : undefined} style={{ left: item.start, width: item.size, paddingInlineStart: item.index === 0 && !first ? Math.max(0, inset - 12) : 0 }}
            >
              <button type="button" className={styles.head_button} data-sorted={mark ? true : undefined} title={column.column.description ?? column.title} aria-haspopup={onHeader ? 'menu' : undefined} onClick={(event) => pressHeader(column, event.currentTarget)}>
                <span className={styles.head_text}>{column.title}</span>
                {show_types && <span className={styles.head_type}>{(column.column.effective_type ?? column.column.base_type).replace(/^type\//, '').toLowerCase()}</span>}
                {mark && (mark.direction === 'asc' ? <IconArrowUp size={14} stroke={2} aria-hidden /> : <IconArrowDown size={14} stroke={2} aria-hidden />)}
              </button>
              <span className={styles.grip} aria-hidden="true" onPointerDown={(event) => startResize(event, item.index)} onDoubleClick={() => setDragged((before) => { const next = { ...before }; delete next[column.column.name]; return next; })} />
            </div>
          );
        })}
      </div>
      <div className={styles.body} role="presentation" style={{ height: row_window.getTotalSize(), width: total_width }}>
        {seen_rows.map((line) => (
          <Line
            key={line.index} id={id} at={line.index} start={line.start} row={rows[line.index]!} columns={columns} places={places} width={Math.max(total_width, size.width - 1)} index_width={first} inset={inset}
            active={active?.row === line.index ? active.column : -1} selected={many && band && line.index >= band.top && line.index <= band.bottom ? band.key : ''} pressable={Boolean(onCell)} handlers={handlers}
          />
        ))}
      </div>
    </div>
  );
}

interface CellHandlers {
  down: (row: number, column: number, event: React.PointerEvent) => void;
  enter: (row: number, column: number) => void;
  click: (row: number, column: number, event: React.MouseEvent) => void;
}
interface LineProps {
  id: string;
  at: number;
  start: number;
  row: Row;
  columns: TableColumn[];
  places: { index: number; start: number; size: number }[];
  width: number;
  index_width: number;
  inset: number;
  /** Place of the active cell in this row, or -1. */
  active: number;
  /** "2-4" when the cells from place 2 to 4 are selected. */
  selected: string;
  pressable: boolean;
  handlers: CellHandlers;
}
/** One row; drawn again only when something of it changed, which scrolling does not do. */
const Line = memo(function Line({ id, at, start, row, columns, places, width, index_width: first, inset, active, selected, pressable, handlers }: LineProps) {
  const [from, to] = selected === '' ? [1, 0] : selected.split('-').map(Number) as [number, number];
  return (
    <div className={styles.row} role="row" aria-rowindex={at + 2} style={{ top: 0, transform: `translateY(${start}px)`, height: row_height, width }}>
      {first > 0 && <div className={`${styles.cell} ${styles.index}`} role="rowheader" aria-colindex={1} style={{ width: first }}>{at + 1}</div>}
      {places.map((item) => {
        const column = columns[item.index];
        if (!column) return null;
        const is_selected = item.index >= from && item.index <= to;
        return (
          <div
            key={item.index} id={`${id}-${at}-${item.index}`} className={styles.cell} role="gridcell" aria-colindex={item.index + 1 + (first ? 1 : 0)} aria-selected={is_selected ? true : undefined}
            data-align={column.align} data-active={active === item.index || undefined} data-selected={is_selected || undefined} data-pressable={pressable || undefined}
            style={{ left: item.start, width: item.size, paddingInlineStart: item.index === 0 && !first ? inset : 12 }}
            onPointerDown={(event) => handlers.down(at, item.index, event)} onPointerEnter={() => handlers.enter(at, item.index)} onClick={(event) => handlers.click(at, item.index, event)}
          >
            <Cell column={column} value={row[column.index]} row={row} />
          </div>
        );
      })}
    </div>
  );
});

function Cell({ column, value, row }: { column: TableColumn; value: unknown; row: Row }) {
  if (value === null || value === undefined) return <span className={styles.cell_null} aria-label={say('(empty)')}>–</span>;
  const text = column.text(value);
  const link = column.link(value, row);
  const tone = column.tone(value, row);
  if (column.image && typeof value === 'string' && /^https?:/i.test(value)) return <img className={styles.image} src={value} alt={text} loading="lazy" referrerPolicy="no-referrer" />;
  const shown = link
    ? <a href={link} target={link.startsWith('/') ? undefined : '_blank'} rel="noreferrer noopener">{text}</a>
    : <span className={`${tone ? styles.tag : styles.cell_text}${!tone && (isPrimaryKey(column.column) || isForeignKey(column.column)) ? ` ${styles.cell_key}` : ''}`} style={tone ? { background: tone.background, color: tone.color } : undefined} title={text.length > 28 ? text : undefined}>{text}</span>;
  if (!column.bar) return shown;
  return <><span className={styles.bar} aria-hidden="true"><i style={{ width: `${Math.round(column.bar(value) * 100)}%` }} /></span>{shown}</>;
}
