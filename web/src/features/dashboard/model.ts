import type { Card, DashCard, Dashboard, DashboardTab, ParameterMapping } from '@/api/types';
import type { Parameter, ParameterTarget } from '@/query/parameters';

export const COLUMNS = 24;
/** A dashboard while it is edited. New cards and tabs have negative ids until they are saved. */
export type Draft = Pick<Dashboard, 'name' | 'description' | 'dashcards' | 'tabs' | 'parameters' | 'width' | 'auto_apply_filters'>;
export interface Size {
  width: number;
  height: number;
}

export const draftOf = (dashboard: Dashboard): Draft => ({
  name: dashboard.name, description: dashboard.description, dashcards: dashboard.dashcards, tabs: dashboard.tabs ?? [], parameters: dashboard.parameters ?? [],
  width: dashboard.width ?? 'fixed', auto_apply_filters: dashboard.auto_apply_filters ?? true,
});

/** Cards of a tab; a dashboard without tabs has them all. Read from the top left. */
export function cardsOn(dashcards: DashCard[], tab: number | null): DashCard[] {
  return dashcards.filter((card) => tab === null || card.dashboard_tab_id === tab).sort((a, b) => a.row - b.row || a.col - b.col);
}
export function nextId(draft: Draft): number {
  return Math.min(0, ...draft.dashcards.map((card) => card.id), ...draft.tabs.map((tab) => tab.id)) - 1;
}

const overlaps = (a: { row: number; col: number; size_x: number; size_y: number }, b: DashCard): boolean =>
  a.col < b.col + b.size_x && b.col < a.col + a.size_x && a.row < b.row + b.size_y && b.row < a.row + a.size_y;
/** The first free place for a card of that size, from the top left. */
export function freePlace(cards: DashCard[], size: Size): { row: number; col: number } {
  const bottom = Math.max(0, ...cards.map((card) => card.row + card.size_y));
  const width = Math.min(COLUMNS, size.width);
  for (let row = 0; row <= bottom; row++)
    for (let col = 0; col + width <= COLUMNS; col++)
      if (!cards.some((card) => overlaps({ row, col, size_x: width, size_y: size.height }, card))) return { row, col };
  return { row: bottom, col: 0 };
}

const changed = (draft: Draft, id: number, change: (card: DashCard) => DashCard): Draft => ({
  ...draft, dashcards: draft.dashcards.map((card) => (card.id === id ? change(card) : card)),
});
function placed(draft: Draft, tab: number | null, size: Size, rest: Partial<DashCard>): { draft: Draft; id: number } {
  const id = nextId(draft);
  const place = freePlace(cardsOn(draft.dashcards, tab), size);
  const card: DashCard = {
    id, card_id: null, dashboard_tab_id: tab, ...place, size_x: Math.min(COLUMNS, size.width), size_y: size.height, parameter_mappings: [], series: [], visualization_settings: {}, ...rest,
  };
  return { draft: { ...draft, dashcards: [...draft.dashcards, card] }, id };
}
export const addCard = (draft: Draft, tab: number | null, card: Card, size: Size) => placed(draft, tab, size, { card_id: card.id, card });

export type VirtualKind = 'text' | 'heading' | 'link' | 'iframe';
const VIRTUAL_SIZES: Record<VirtualKind, Size> = { text: { width: 12, height: 3 }, heading: { width: 24, height: 1 }, link: { width: 8, height: 1 }, iframe: { width: 12, height: 8 } };
export const addVirtual = (draft: Draft, tab: number | null, kind: VirtualKind) =>
  placed(draft, tab, VIRTUAL_SIZES[kind], {
    visualization_settings: { virtual_card: { name: null, display: kind, visualization_settings: {}, dataset_query: {}, archived: false }, ...(kind === 'link' ? { link: { url: '' } } : kind === 'iframe' ? { iframe: '' } : { text: '' }) },
  });
/** A heading with three empty places under it would be guesswork; a section is a heading at the bottom, full width. */
export function addSection(draft: Draft, tab: number | null): { draft: Draft; id: number } {
  const bottom = Math.max(0, ...cardsOn(draft.dashcards, tab).map((card) => card.row + card.size_y));
  const made = addVirtual(draft, tab, 'heading');
  return { id: made.id, draft: changed(made.draft, made.id, (card) => ({ ...card, row: bottom, col: 0 })) };
}
export const virtualKind = (card: DashCard): string | null => {
  const virtual = card.visualization_settings['virtual_card'] as { display?: string } | undefined;
  return virtual ? (virtual.display ?? 'text') : null;
};

export const removeCard = (draft: Draft, id: number): Draft => ({ ...draft, dashcards: draft.dashcards.filter((card) => card.id !== id) });
export function duplicateCard(draft: Draft, id: number): { draft: Draft; id: number } {
  const card = draft.dashcards.find((item) => item.id === id);
  if (!card) return { draft, id };
  const { entity_id: _entity, ...rest } = card;
  const place = freePlace(cardsOn(draft.dashcards, card.dashboard_tab_id ?? null), { width: card.size_x, height: card.size_y });
  const copy = { ...rest, ...place, id: nextId(draft) };
  return { id: copy.id, draft: { ...draft, dashcards: [...draft.dashcards, copy] } };
}
export const setSettings = (draft: Draft, id: number, settings: Record<string, unknown>): Draft =>
  changed(draft, id, (card) => ({ ...card, visualization_settings: settings }));
export const replaceCard = (draft: Draft, id: number, card: Card): Draft =>
  changed(draft, id, (old) => ({ ...old, card_id: card.id, card, parameter_mappings: [], visualization_settings: {} }));

/** Places from the grid. Gives the same draft when nothing moved, so that it makes no step to undo. */
export function setPlaces(draft: Draft, places: { id: number; row: number; col: number; size_x: number; size_y: number }[]): Draft {
  const by = new Map(places.map((place) => [place.id, place]));
  let moved = false;
  const dashcards = draft.dashcards.map((card) => {
    const place = by.get(card.id);
    if (!place || (place.row === card.row && place.col === card.col && place.size_x === card.size_x && place.size_y === card.size_y)) return card;
    moved = true;
    return { ...card, row: place.row, col: place.col, size_x: place.size_x, size_y: place.size_y };
  });
  return moved ? { ...draft, dashcards } : draft;
}
/** Moves or resizes with the keyboard by whole cells; what it would cover moves down. */
export function nudge(draft: Draft, id: number, by: { col?: number; row?: number; width?: number; height?: number }, smallest: Size = { width: 2, height: 1 }): Draft {
  const card = draft.dashcards.find((item) => item.id === id);
  if (!card) return draft;
  const size_x = Math.min(COLUMNS - card.col, Math.max(smallest.width, card.size_x + (by.width ?? 0)));
  const size_y = Math.max(smallest.height, card.size_y + (by.height ?? 0));
  const next = { ...card, size_x, size_y, col: Math.min(COLUMNS - size_x, Math.max(0, card.col + (by.col ?? 0))), row: Math.max(0, card.row + (by.row ?? 0)) };
  return place(draft, next);
}
/** Puts a card somewhere; what it would cover moves down. */
export function place(draft: Draft, to: { id: number; row: number; col: number; size_x: number; size_y: number }): Draft {
  const card = draft.dashcards.find((item) => item.id === to.id);
  if (!card) return draft;
  const moved = { ...card, row: to.row, col: to.col, size_x: to.size_x, size_y: to.size_y };
  const others = cardsOn(draft.dashcards, card.dashboard_tab_id ?? null).filter((item) => item.id !== to.id);
  return setPlaces(draft, [moved, ...pushedDown(moved, others)]);
}
/** Those in the way go below the moved card, and push on what they cover then. */
export function pushedDown(moved: DashCard, others: DashCard[]): DashCard[] {
  const out: DashCard[] = [];
  const fixed = [moved];
  for (const card of [...others].sort((a, b) => a.row - b.row)) {
    let place = card;
    for (let again = true; again; ) {
      const hit = fixed.find((item) => overlaps(place, item));
      again = hit !== undefined;
      if (hit) place = { ...place, row: hit.row + hit.size_y };
    }
    fixed.push(place);
    out.push(place);
  }
  return out;
}

/* ---- tabs ---- */
/** The first tab takes all cards; a second one stands beside it. */
export function addTab(draft: Draft, name: string, first_name: string): { draft: Draft; id: number } {
  let out = draft;
  if (out.tabs.length === 0) {
    const id = nextId(out);
    out = { ...out, tabs: [{ id, name: first_name }], dashcards: out.dashcards.map((card) => ({ ...card, dashboard_tab_id: id })) };
  }
  const id = nextId(out);
  return { id, draft: { ...out, tabs: [...out.tabs, { id, name }] } };
}
export const renameTab = (draft: Draft, id: number, name: string): Draft => ({ ...draft, tabs: draft.tabs.map((tab) => (tab.id === id ? { ...tab, name } : tab)) });
export const removeTab = (draft: Draft, id: number): Draft => {
  const tabs = draft.tabs.filter((tab) => tab.id !== id);
  return { ...draft, tabs, dashcards: draft.dashcards.filter((card) => card.dashboard_tab_id !== id) };
};
export function moveTab(draft: Draft, id: number, by: -1 | 1): Draft {
  const at = draft.tabs.findIndex((tab) => tab.id === id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= draft.tabs.length) return draft;
  const tabs: DashboardTab[] = [...draft.tabs];
  [tabs[at], tabs[to]] = [tabs[to]!, tabs[at]!];
  return { ...draft, tabs };
}
export function moveCardToTab(draft: Draft, id: number, tab: number): Draft {
  const card = draft.dashcards.find((item) => item.id === id);
  if (!card || card.dashboard_tab_id === tab) return draft;
  const place = freePlace(cardsOn(draft.dashcards, tab), { width: card.size_x, height: card.size_y });
  return changed(draft, id, (old) => ({ ...old, ...place, dashboard_tab_id: tab }));
}

/* ---- filters ---- */
export const addParameter = (draft: Draft, parameter: Parameter): Draft => ({ ...draft, parameters: [...draft.parameters, parameter as Dashboard['parameters'][number]] });
export const setParameter = (draft: Draft, parameter: Parameter): Draft => ({
  ...draft, parameters: draft.parameters.map((item) => (item.id === parameter.id ? (parameter as Dashboard['parameters'][number]) : item)),
});
export const removeParameter = (draft: Draft, id: string): Draft => ({
  ...draft,
  parameters: draft.parameters.filter((item) => item.id !== id).map((item) => (item.filteringParameters?.includes(id) ? { ...item, filteringParameters: item.filteringParameters.filter((other) => other !== id) } : item)),
  dashcards: draft.dashcards.map((card) => (card.parameter_mappings.some((mapping) => mapping.parameter_id === id) ? { ...card, parameter_mappings: card.parameter_mappings.filter((mapping) => mapping.parameter_id !== id) } : card)),
});
export function moveParameter(draft: Draft, id: string, by: -1 | 1): Draft {
  const at = draft.parameters.findIndex((item) => item.id === id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= draft.parameters.length) return draft;
  const parameters = [...draft.parameters];
  [parameters[at], parameters[to]] = [parameters[to]!, parameters[at]!];
  return { ...draft, parameters };
}
export const mappingOf = (card: DashCard, parameter: string): ParameterMapping | undefined => card.parameter_mappings.find((mapping) => mapping.parameter_id === parameter);
/** Links a filter to a card's column; null takes the link away. */
export const setMapping = (draft: Draft, id: number, parameter: string, target: ParameterTarget | null): Draft =>
  changed(draft, id, (card) => {
    const rest = card.parameter_mappings.filter((mapping) => mapping.parameter_id !== parameter);
    return { ...card, parameter_mappings: target === null ? rest : [...rest, { parameter_id: parameter, card_id: card.card_id, target }] };
  });

/* ---- saving ---- */
const bare = (card: DashCard) => ({
  id: card.id, card_id: card.card_id, dashboard_tab_id: card.dashboard_tab_id ?? null, action_id: card.action_id ?? null, row: card.row, col: card.col, size_x: card.size_x, size_y: card.size_y,
  parameter_mappings: card.parameter_mappings, inline_parameters: card.inline_parameters ?? null, visualization_settings: card.visualization_settings, series: (card.series ?? []).map((item) => ({ id: item.id })),
});
/** What is sent: the complete list of cards and tabs. */
export const payloadOf = (draft: Draft) => ({
  name: draft.name, description: draft.description, parameters: draft.parameters, width: draft.width, auto_apply_filters: draft.auto_apply_filters,
  tabs: draft.tabs.map((tab) => ({ id: tab.id, name: tab.name })), dashcards: draft.dashcards.map(bare),
});
/** How many things differ: cards, tabs, filters, and the dashboard's own properties. */
export function countChanges(before: Draft, after: Draft): number {
  const differ = <T extends { id: number | string }>(a: T[], b: T[], text: (item: T) => string): number => {
    const old = new Map(a.map((item) => [item.id, text(item)]));
    const now = new Map(b.map((item) => [item.id, text(item)]));
    return [...now].filter(([id, value]) => old.get(id) !== value).length + [...old.keys()].filter((id) => !now.has(id)).length;
  };
  const moved = (a: { id: number | string }[], b: { id: number | string }[]) => (a.length === b.length && a.every((item, i) => item.id === b[i]!.id) ? 0 : a.length === b.length ? 1 : 0);
  return (
    differ(before.dashcards, after.dashcards, (card) => JSON.stringify(bare(card))) + differ(before.tabs, after.tabs, (tab) => tab.name) + moved(before.tabs, after.tabs) +
    differ(before.parameters, after.parameters, (item) => JSON.stringify(item)) + moved(before.parameters, after.parameters) +
    (before.name !== after.name ? 1 : 0) + ((before.description ?? '') !== (after.description ?? '') ? 1 : 0) + (before.width !== after.width ? 1 : 0) + (before.auto_apply_filters !== after.auto_apply_filters ? 1 : 0)
  );
}
