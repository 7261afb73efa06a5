import type { ColumnSettings } from './format';
import type { Column, VisualizationSettings } from './types';

/** A setting of the expected shape, or undefined: saved cards hold all kinds of old things. */
export function textSetting(settings: VisualizationSettings, key: string): string | undefined {
  const value = settings[key];
  return typeof value === 'string' ? value : undefined;
}
export function numberSetting(settings: VisualizationSettings, key: string): number | undefined {
  const value = settings[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : undefined;
}
export function toggleSetting(settings: VisualizationSettings, key: string, fallback: boolean): boolean {
  const value = settings[key];
  return typeof value === 'boolean' ? value : fallback;
}
export function listSetting(settings: VisualizationSettings, key: string): string[] | undefined {
  const value = settings[key];
  if (!Array.isArray(value)) return undefined;
  return value.filter((item): item is string => typeof item === 'string');
}
export function objectSetting(settings: VisualizationSettings, key: string): Record<string, unknown> {
  const value = settings[key];
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** `column_settings` is keyed by JSON text: `["name","TOTAL"]`, in older cards `["ref",["field",12,null]]`. */
export function columnKey(column: Column): string {
  return JSON.stringify(['name', column.name]);
}
function sameReference(a: unknown, column: Column): boolean {
  if (!Array.isArray(a)) return false;
  const ref = column.field_ref;
  if (Array.isArray(ref) && JSON.stringify(ref.slice(0, 2)) === JSON.stringify(a.slice(0, 2))) return true;
  return a[0] === 'field' && typeof column.id === 'number' && a[1] === column.id;
}
export function columnSettings(settings: VisualizationSettings, column: Column): ColumnSettings {
  const all = objectSetting(settings, 'column_settings');
  const named = all[columnKey(column)];
  let older: unknown;
  if (named === undefined) {
    for (const [key, value] of Object.entries(all)) {
      if (!key.startsWith('["ref"')) continue;
      try {
        const parsed = JSON.parse(key) as unknown[];
        if (sameReference(parsed[1], column)) older = value;
      } catch {
        // A key nobody can read belongs to no column.
      }
    }
  }
  const found = named ?? older;
  return found !== null && typeof found === 'object' ? (found as ColumnSettings) : {};
}
export function withColumnSettings(settings: VisualizationSettings, column: Column, change: ColumnSettings): VisualizationSettings {
  const merged: ColumnSettings = { ...columnSettings(settings, column), ...change };
  for (const key of Object.keys(merged)) if (merged[key] === undefined) delete merged[key];
  const all = { ...objectSetting(settings, 'column_settings') };
  if (Object.keys(merged).length === 0) delete all[columnKey(column)];
  else all[columnKey(column)] = merged;
  return { ...settings, column_settings: all };
}

export function columnTitle(settings: VisualizationSettings, column: Column): string {
  return columnSettings(settings, column).column_title || column.display_name || column.name;
}

export interface SeriesSettings {
  color?: string;
  title?: string;
  display?: 'line' | 'area' | 'bar';
  axis?: 'left' | 'right' | null;
  'line.interpolate'?: 'linear' | 'cardinal' | 'step-after';
  'line.style'?: 'solid' | 'dashed' | 'dotted';
  'line.size'?: 'S' | 'M' | 'L';
  'line.marker_enabled'?: boolean | null;
  'line.missing'?: 'interpolate' | 'zero' | 'none';
  show_series_values?: boolean;
}
export function seriesSettings(settings: VisualizationSettings, key: string): SeriesSettings {
  const found = objectSetting(settings, 'series_settings')[key];
  return found !== null && typeof found === 'object' ? (found as SeriesSettings) : {};
}
export function withSeriesSettings(settings: VisualizationSettings, key: string, change: SeriesSettings): VisualizationSettings {
  const merged: Record<string, unknown> = { ...seriesSettings(settings, key), ...change };
  for (const name of Object.keys(merged)) if (merged[name] === undefined) delete merged[name];
  const all = { ...objectSetting(settings, 'series_settings') };
  if (Object.keys(merged).length === 0) delete all[key];
  else all[key] = merged;
  return { ...settings, series_settings: all };
}

/** A setting changed; undefined takes it away, so that the default holds again. */
export function withSetting(settings: VisualizationSettings, key: string, value: unknown): VisualizationSettings {
  const next = { ...settings };
  if (value === undefined) delete next[key];
  else next[key] = value;
  return next;
}
