import { IconChartBarOff } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { query_client } from '../api/query_client';
import { properties_query } from '../api/session';
import type { Dataset, VisualizationSettings } from '../api/types';
import { useTheme } from '../lib/theme';
import { say } from '../query/words';
import { chart_locale } from './format';
import { Hexagon } from '../ui/Hexagon';
import { table } from './table';
import { visualizationOf } from './all';
import { Chart } from './Chart';
import { HexView } from './HexView';
import { NumberView } from './NumberView';
import { columnTitle } from './settings';
import { pointOfCell, pointOfMark, type PointEvent, type RangeEvent } from './point';
import { TableView, type SortMark } from './table/TableView';
import { measureText, readTokens } from './tokens';
import type { Description, DrawInput, LegendItem, Size } from './types';
import { useSize } from './use_size';
import styles from './Visualization.module.css';

export type { PointEvent, RangeEvent } from './point';

export interface VisualizationProps {
  card: { display: string; visualization_settings: VisualizationSettings; name?: string | null };
  /** A completed result. Failures, loading and "no rows" are the caller's: it knows the words for them. */
  result: Pick<Dataset, 'data'>;
  /** `page`: a question's own page; `card`: on a dashboard; `preview`: small, not to be pressed. */
  place?: 'page' | 'card' | 'preview';
  /** Distance of the labels from the left edge; by default 20 on a page, 16 in a card. */
  inset?: number;
  /** A mark, cell or header was pressed. Without it nothing can be. */
  onPoint?: (point: PointEvent) => void;
  /** A stretch of the axis was dragged over. */
  onRange?: (range: RangeEvent) => void;
  /** Settings changed by dragging (widths of columns). */
  onSettings?: (settings: VisualizationSettings) => void;
  /** How the query sorts, for the arrows in the table's header. */
  sorted?: SortMark[];
  show_types?: boolean;
  /** The number's caption repeats what a card's title says already. */
  hide_caption?: boolean;
  /** For tests: the present moment in milliseconds. */
  now?: number;
}

const week_days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
function firstWeekday(): number {
  const properties = query_client.getQueryData<Record<string, unknown>>(properties_query.queryKey);
  return Math.max(0, week_days.indexOf(String(properties?.['start-of-week'] ?? 'sunday')));
}

/** Draws a result as its card says. Fills its parent, which must have a height. */
export function Visualization({ card, result, place = 'card', inset: own_inset, onPoint, onRange, onSettings, sorted, show_types, hide_caption, now }: VisualizationProps) {
  const { theme } = useTheme();
  const [attach, size] = useSize();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [as_table, setAsTable] = useState(false);
  const fonts = useFonts();
  const tokens = useMemo(() => readTokens(theme === 'dark'), [theme]);
  const inset = own_inset ?? (place === 'page' ? 20 : 16);
  const [opened_at] = useState(() => Date.now());
  const definition = as_table ? table : visualizationOf(card.display);
  const { cols, rows } = result.data;
  useEffect(() => setHidden(new Set()), [cols]);

  const input = useMemo((): DrawInput | null => size && size.width > 0 && size.height > 0 ? {
    columns: cols, rows, settings: card.visualization_settings ?? {}, tokens, size, inset, now: now ?? opened_at,
    locale: chart_locale(), hidden, measure: measureText, first_weekday: firstWeekday(),
  } : null, [cols, rows, card.visualization_settings, tokens, size, inset, now, opened_at, hidden, fonts]);
  const description = useMemo((): Description | null => {
    if (!input) return null;
    try {
      return definition.draw(input);
    } catch (error) {
      // Odd settings of an old card must not take the page down with them.
      console.error(error);
      return { kind: 'problem', sentence: say('This result could not be drawn. Show it as a table, or choose another visualization.') };
    }
  }, [definition, input]);

  const interactive = place !== 'preview';
  const onMark = onPoint && interactive ? (mark: Parameters<typeof pointOfMark>[0], at: { x: number; y: number }, target: HTMLElement | null) => onPoint(pointOfMark(mark, cols, rows, at, target)) : undefined;
  const label = card.name ?? '';
  const legend = description?.kind === 'chart' ? description.legend : [];
  const can_be_table = interactive && definition.id !== 'table' && rows.length > 0;

  return (
    <div className={styles.root}>
      {legend.length > 0 && <Legend items={legend} inset={inset} pressable={interactive} onToggle={(key) => setHidden((before) => toggled(before, key, legend.length))} />}
      <div className={styles.stage} ref={attach}>
        {(can_be_table || as_table) && (
          <div className={styles.as_table}>
            <button type="button" data-on={as_table || undefined} onClick={() => setAsTable(!as_table)}>{as_table ? say('View as chart') : say('View as table')}</button>
          </div>
        )}
        {description && size && renderDescription(description, size)}
      </div>
    </div>
  );

  function renderDescription(drawn: Description, room: Size) {
    switch (drawn.kind) {
      case 'chart': return <Chart description={drawn} size={room} label={label} interactive={interactive} onMark={onMark} onRange={interactive ? onRange : undefined} />;
      case 'number': return <NumberView description={drawn} size={room} inset={inset} large={place === 'page'} hide_caption={hide_caption} onMark={onMark} />;
      case 'hexes': return <HexView description={drawn} size={room} inset={inset} tokens={tokens} title={hide_caption && place !== 'page' ? card.name : undefined} measure_name={cols.length > 0 ? columnTitle(card.visualization_settings, drawn.cells.find((cell) => cell.mark)?.mark?.value?.column ?? cols[cols.length - 1]!) : ''} onMark={onMark} />;
      case 'table': return (
        <TableView
          description={drawn} size={room} inset={inset} label={label} sorted={sorted} show_types={show_types}
          onCell={onPoint && interactive ? ({ column, row, at, target }) => onPoint(pointOfCell(column.index, row, cols, at, target)) : undefined}
          onHeader={onPoint && interactive ? ({ column, at, target }) => onPoint({ kind: 'header', ...at, value: { column: column.column, value: undefined }, dimensions: [], row: null, target }) : undefined}
          onWidths={onSettings ? (widths) => onSettings({ ...card.visualization_settings, 'table.column_widths': widths }) : undefined}
        />
      );
      default: return (
        <div className={styles.problem}>
          {room.height > 110 && <Hexagon size={36} tone="sunken"><IconChartBarOff size={18} stroke={1.6} aria-hidden /></Hexagon>}
          <p>{drawn.sentence}</p>
        </div>
      );
    }
  }
}

/** Off becomes on; the last one on cannot be switched off: it brings all back instead. */
function toggled(hidden: ReadonlySet<string>, key: string, count: number): ReadonlySet<string> {
  const next = new Set(hidden);
  if (!next.delete(key)) next.add(key);
  return next.size >= count ? new Set() : next;
}

/** Counts up once the fonts have arrived: texts were measured without them before. */
function useFonts(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    let gone = false;
    void document.fonts?.ready.then(() => { if (!gone) setCount((before) => before + 1); });
    return () => { gone = true; };
  }, []);
  return count;
}

function Legend({ items, inset, pressable, onToggle }: { items: LegendItem[]; inset: number; pressable: boolean; onToggle: (key: string) => void }) {
  return (
    <ul className={styles.legend} style={{ padding: `0 ${inset}px` }} aria-label={say('Legend')}>
      {items.map((item) => (
        <li key={item.key}>
          <button type="button" aria-pressed={!item.hidden} disabled={!pressable} tabIndex={pressable ? 0 : -1} title={item.name} onClick={() => onToggle(item.key)}>
            <span className={item.shape === 'box' ? styles.key : item.shape === 'line' ? styles.key_line : styles.key_dashed} style={item.shape === 'box' ? { background: item.color, boxShadow: item.edge ? `inset 0 0 0 1px ${item.edge}` : undefined } : { borderColor: item.color }} />
            <span className={styles.legend_text}>{item.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
