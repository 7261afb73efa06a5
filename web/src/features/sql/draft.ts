import type { Card, DatasetQuery, VisualizationSettings } from '../../api/types';
import { decodeCard } from '../../query/hash';
import { nativeOf } from '../../query/read';
import { syncTags, type TagMap } from '../../result/tags';

/** What the SQL page works on. */
export interface SqlDraft {
  database: number | null;
  sql: string;
  tags: TagMap;
  display: string;
  visualization_settings: VisualizationSettings;
}
export const blank: SqlDraft = { database: null, sql: '', tags: {}, display: 'table', visualization_settings: {} };

export function draftOfQuery(query: DatasetQuery, display: string | undefined, settings: VisualizationSettings | undefined): SqlDraft | null {
  const native = nativeOf(query as unknown as Record<string, unknown>);
  if (!native) return null;
  return { database: query.database, sql: native.query, tags: syncTags(native.query, native['template-tags'] as unknown as TagMap), display: display ?? 'table', visualization_settings: settings ?? {} };
}
/** Where the page starts: the address, else the saved card, else nothing. Null for a question that is not SQL. */
export function startDraft(hash: string, card: Card | null): SqlDraft | null {
  const from_hash = hash === '' ? null : decodeCard(hash);
  if (from_hash) return draftOfQuery(from_hash.dataset_query as unknown as DatasetQuery, from_hash.display, from_hash.visualization_settings as VisualizationSettings | undefined);
  return card ? draftOfQuery(card.dataset_query, card.display, card.visualization_settings) : blank;
}
export function queryOf(draft: SqlDraft, sql = draft.sql): DatasetQuery {
  const tags = sql === draft.sql ? draft.tags : Object.fromEntries(Object.entries(draft.tags).filter(([name]) => name in syncTags(sql, draft.tags)));
  return { database: draft.database, type: 'native', native: { query: sql, 'template-tags': tags } };
}
export const sameDraft = (a: SqlDraft, b: SqlDraft): boolean =>
  a.database === b.database && a.sql === b.sql && a.display === b.display && JSON.stringify(a.tags) === JSON.stringify(b.tags) && JSON.stringify(a.visualization_settings) === JSON.stringify(b.visualization_settings);

/* ---- drafts that outlive a crash -------------------------------------------------------------- */
const key = (id: number | undefined) => `basalt.sql.${id ?? 'new'}`;
export function rememberDraft(id: number | undefined, draft: SqlDraft | null): void {
  try {
    if (draft) localStorage.setItem(key(id), JSON.stringify(draft));
    else localStorage.removeItem(key(id));
  } catch {
    // Without storage a draft lasts as long as the page.
  }
}
export function rememberedDraft(id: number | undefined): SqlDraft | null {
  try {
    const found = JSON.parse(localStorage.getItem(key(id)) ?? 'null') as SqlDraft | null;
    return found && typeof found.sql === 'string' && found.sql.trim() !== '' ? { ...blank, ...found } : null;
  } catch {
    return null;
  }
}
