import type { Card, DatasetQuery, VisualizationSettings } from '../../api/types';
import { decodeCard } from '../../query/hash';
import { readQuery, sameQuery, writeQuery } from '../../query/read';
import type { Query } from '../../query/types';
import { encode_card_hash } from '../../lib/paths';
import { chooseDisplay } from '../../viz/choose';
import type { Column, Row } from '../../viz/types';

/** What the page shows: a saved card, or what the address holds in its place. */
export interface Draft {
  dataset_query: DatasetQuery;
  /** Absent: whatever fits the result. */
  display?: string;
  visualization_settings: VisualizationSettings;
  name?: string | null;
  original_card_id?: number;
  parameters?: Card['parameters'];
}

export function draftOf(hash: string, card: Card | null): Draft | null {
  const from_hash = hash === '' ? null : decodeCard(hash);
  if (from_hash) {
    return {
      dataset_query: from_hash.dataset_query as unknown as DatasetQuery,
      display: typeof from_hash.display === 'string' ? from_hash.display : undefined,
      visualization_settings: (from_hash.visualization_settings as VisualizationSettings | undefined) ?? {},
      name: from_hash.name, original_card_id: card?.id ?? from_hash.original_card_id,
    };
  }
  if (!card) return null;
  return { dataset_query: card.dataset_query, display: card.display, visualization_settings: card.visualization_settings ?? {}, name: card.name, original_card_id: card.id, parameters: card.parameters };
}

export function isChanged(draft: Draft, card: Card | null): boolean {
  if (!card) return true;
  return (draft.display !== undefined && draft.display !== card.display)
    || JSON.stringify(sorted(draft.visualization_settings)) !== JSON.stringify(sorted(card.visualization_settings ?? {}))
    || !sameQuery(draft.dataset_query as unknown as Record<string, unknown>, card.dataset_query as unknown as Record<string, unknown>);
}
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
  return value;
}

/** The address of a draft: on the saved card's page while there is one, so that the page stays. */
export function addressOf(draft: Draft, path: string | null): string {
  const { parameters: _left, ...kept } = draft;
  return `${path ?? '/question'}#${encode_card_hash(kept)}`;
}

function shape(query: Query): string {
  const last = query.stages[query.stages.length - 1]!;
  return JSON.stringify([last.aggregations, last.breakouts]);
}
/** The draft with another query. A new summary looks for its own display; a mere filter keeps the old one. */
export function withQuery(draft: Draft, next: Query): Draft {
  const before = readQuery(draft.dataset_query as unknown as Record<string, unknown>);
  const query = writeQuery(next) as unknown as DatasetQuery;
  if (before && shape(before) === shape(next)) return { ...draft, dataset_query: query };
  const settings = { ...draft.visualization_settings };
  // Choices of columns belong to the old result; formats and colours may still fit.
  for (const key of ['graph.dimensions', 'graph.metrics', 'pie.dimension', 'pie.metric', 'scalar.field', 'map.dimension', 'map.metric', 'table.columns', 'table.column_widths']) delete settings[key];
  return { ...draft, dataset_query: query, display: undefined, visualization_settings: settings };
}
/** A question of its own, started at a point of another. */
export function drilled(draft: Draft, next: Query): Draft {
  return { dataset_query: writeQuery(next) as unknown as DatasetQuery, visualization_settings: {}, original_card_id: draft.original_card_id, name: draft.name };
}

/** Display and settings in force for a result. */
export function shownAs(draft: Draft, columns: Column[], rows: Row[]): { display: string; visualization_settings: VisualizationSettings } {
  if (draft.display !== undefined) return { display: draft.display, visualization_settings: draft.visualization_settings };
  const choice = chooseDisplay(columns, rows);
  return { display: choice.display, visualization_settings: { ...choice.settings, ...draft.visualization_settings } };
}

/** Identifies what has to be run. A saved card that is unchanged runs as itself: its readers need no right on the data. */
export function runKey(draft: Draft, card: Card | null, changed: boolean, parameters: unknown): string {
  if (card && !changed) return `card/${card.id}/${card.updated_at ?? ''}/${JSON.stringify(card.dataset_query)}/${JSON.stringify(parameters ?? null)}`;
  return `query/${JSON.stringify(draft.dataset_query)}/${JSON.stringify(parameters ?? null)}`;
}
/** Does only the look differ? Then the saved card may still run as itself. */
export function sameData(draft: Draft, card: Card | null): boolean {
  return card !== null && sameQuery(draft.dataset_query as unknown as Record<string, unknown>, card.dataset_query as unknown as Record<string, unknown>);
}

/** Does the draft read the card it was started from? Then it is a question of its own: saved over the card, it would ask itself. */
export function asksItself(draft: Draft, card: Card | null): boolean {
  return card !== null && JSON.stringify(draft.dataset_query).includes(`"card__${card.id}"`);
}
