import { area } from './area';
import { bar } from './bar';
import { combo } from './combo';
import { line } from './line';
import { map } from './map';
import { pie } from './pie';
import { row } from './row';
import { scalar } from './scalar';
import { smartscalar } from './smartscalar';
import { table } from './table';
import type { VisualizationDefinition } from './types';

/** Every visualization, in the order the picker shows them. A test compares the list with the folders. */
export const visualizations: VisualizationDefinition[] = [table, line, bar, area, combo, row, pie, scalar, smartscalar, map];

/** The visualization of a card's `display`; kinds we cannot draw are shown as a table. */
export function visualizationOf(display: string | null | undefined): VisualizationDefinition {
  return visualizations.find((one) => one.id === display) ?? table;
}
export function isKnownDisplay(display: string | null | undefined): boolean {
  return visualizations.some((one) => one.id === display);
}
