import type { Column, Row, VisualizationSettings } from '../api/types';

export type { Column, Row, VisualizationSettings };

/** Colours and fonts as they are on screen now; a description holds plain values, so it can be drawn anywhere. */
export interface Tokens {
  dark: boolean;
  font: string;
  surface: string;
  raised: string;
  ink: string;
  text: string;
  muted: string;
  line: string;
  line_control: string;
  brand: string;
  ember: string;
  ember_text: string;
  green_text: string;
  green_tint: string;
  red_text: string;
  red_tint: string;
  /** Chart colours 1 to 8. */
  series: string[];
  /** For each of the eight: the edge of a fill, and the colour of a line. Equal to the fill where it is strong enough. */
  edges: string[];
  grid: string;
  axis: string;
  label: string;
  quiet: string;
  compare: string;
  /** Seven steps, pale to deep (dark theme: deep to pale). */
  sequential: string[];
}

export interface Size {
  width: number;
  height: number;
}

/** Everything a drawing may depend on. */
export interface DrawInput {
  columns: Column[];
  rows: Row[];
  settings: VisualizationSettings;
  tokens: Tokens;
  size: Size;
  /** Distance of the labels from the left edge, so that they start on the title's line. */
  inset: number;
  /** Decides whether the last period is over. Milliseconds. */
  now: number;
  locale: string;
  /** Series the reader has switched off, by key. */
  hidden: ReadonlySet<string>;
  /** Pixels a text takes. */
  measure: (text: string, font_size: number, weight?: number) => number;
  /** 0 = Sunday. Day numbers of the server count from it. */
  first_weekday: number;
}

export interface TipLine {
  label: string;
  value: string;
  color?: string;
  dashed?: boolean;
  quiet?: boolean;
  tone?: 'good' | 'bad';
}
export interface Tip {
  title: string;
  lines: TipLine[];
}

export interface LegendItem {
  key: string;
  name: string;
  color: string;
  edge?: string;
  shape: 'box' | 'line' | 'dashed';
  hidden: boolean;
}

/** What was clicked, in terms of the result. */
export interface PointValue {
  column: Column;
  value: unknown;
}

/** A mark of a chart: its own value, and the values of the dimensions it stands for. */
export interface Mark {
  value: PointValue | null;
  dimensions: PointValue[];
  row: number | null;
}

export interface ChartDescription {
  kind: 'chart';
  /** An ECharts option without tooltip. */
  option: Record<string, unknown>;
  legend: LegendItem[];
  summary: string;
  /** How many places along the axis (or slices) there are. */
  places: number;
  tip: (place: number, series?: number) => Tip | null;
  /** Which mark lies at this place in this ECharts series; null when nothing is to be clicked there. */
  mark: (series: number, place: number) => Mark | null;
  /** Values of the ECharts series at a place, to find the nearest one to a click; null where nothing is drawn. */
  values_at: (place: number) => { series: number; value: number; axis: number }[];
  /** The axis along which places lie; none for a pie. */
  along: 'x' | 'y' | 'none';
  /** Where a place lies on that axis: its index, or its value where distances count. */
  axis_value: (place: number) => number;
  /** Dates and numbers along the axis can be narrowed by dragging; gives the values of two places. */
  range: ((from: number, to: number) => { column: Column; from: unknown; to: unknown }) | null;
  /** Number of marks; above a few thousand a canvas is used. */
  weight: number;
}

export interface SparkColumn {
  value: number | null;
  label: string;
}
export interface NumberDescription {
  kind: 'number';
  text: string;
  full: string;
  caption: string | null;
  /** Trend against an earlier value. */
  trends: { text: string; against: string; direction: 'up' | 'down' | 'same'; tone: 'good' | 'bad' | 'same' }[];
  spark: SparkColumn[];
  so_far: boolean;
  summary: string;
  mark: Mark | null;
}

export interface HexDescription {
  kind: 'hexes';
  cells: { code: string; name: string; column: number; row: number; step: number | null; text: string; mark: Mark | null }[];
  low: string;
  high: string;
  summary: string;
  /** Rows whose place was not recognised. */
  unplaced: number;
}

export interface TableDescription {
  kind: 'table';
  columns: TableColumn[];
  rows: Row[];
  row_index: boolean;
  summary: string;
}
export interface TableColumn {
  /** Index into the result's columns. */
  index: number;
  column: Column;
  title: string;
  align: 'left' | 'right' | 'center';
  width: number;
  text: (value: unknown) => string;
  link: (value: unknown, row: Row) => string | null;
  image: boolean;
  bar: ((value: unknown) => number) | null;
  tone: (value: unknown, row: Row) => { background: string; color: string } | null;
  wrap: boolean;
}

/** The result cannot be drawn this way; says why and what would help. */
export interface ProblemDescription {
  kind: 'problem';
  sentence: string;
}

export type Description =
  | ChartDescription
  | NumberDescription
  | HexDescription
  | TableDescription
  | ProblemDescription;

/* ---- settings, declared so that one panel serves all visualizations -------------------------- */

export type SettingTab = 'data' | 'display' | 'axes' | 'columns' | 'formatting';

interface SettingBase {
  key: string;
  tab: SettingTab;
  title: () => string;
  /** Left out of the panel when false. */
  when?: (settings: VisualizationSettings, columns: Column[], rows: Row[]) => boolean;
}
export type SettingDefinition =
  | (SettingBase & { kind: 'toggle'; fallback: boolean })
  | (SettingBase & { kind: 'number'; fallback?: number })
  | (SettingBase & { kind: 'text'; fallback?: string; placeholder?: () => string })
  | (SettingBase & { kind: 'choice'; options: () => { value: string | null; label: string }[]; fallback: string | null })
  | (SettingBase & { kind: 'column'; fits: (column: Column) => boolean; fallback: (columns: Column[], rows: Row[]) => string | null; clearable?: boolean })
  | (SettingBase & { kind: 'columns'; fits: (column: Column) => boolean; fallback: (columns: Column[], rows: Row[]) => string[]; most: number })
  | (SettingBase & { kind: 'series' })
  | (SettingBase & { kind: 'table_columns' })
  | (SettingBase & { kind: 'column_formats' })
  | (SettingBase & { kind: 'conditional' })
  | (SettingBase & { kind: 'comparisons' });

export interface VisualizationDefinition {
  id: string;
  title: () => string;
  icon: React.ComponentType<{ size?: number | string; stroke?: number | string; className?: string }>;
  /** Smallest sensible size on the dashboard grid, in its columns and rows. */
  smallest: { width: number; height: number };
  /** Size a new dashboard card gets. */
  usual: { width: number; height: number };
  /** Does it make sense for these columns? Others are offered further below. */
  fits: (columns: Column[], rows: Row[]) => boolean;
  settings: SettingDefinition[];
  draw: (input: DrawInput) => Description;
}
