import type { CollectionItem } from '@/api/types';

/** Key of the word for what an item is. */
export function kind_key(item: { model: string; query_type?: string | null }): string {
  return item.model === 'card' && item.query_type === 'native' ? 'kind_native' : `kind_${item.model}`;
}

/** Ids are unique only within a kind. */
export function item_key(item: { model: string; id: number | string }): string {
  return `${item.model}-${item.id}`;
}

export function editor_name(item: Pick<CollectionItem, 'last-edit-info'>): string {
  const info = item['last-edit-info'];
  if (!info) return '';
  return [info.first_name, info.last_name].filter(Boolean).join(' ') || info.email || '';
}

/** Which kinds can be copied, pinned, bookmarked. */
export function can_copy(item: { model: string }): boolean {
  return ['card', 'dataset', 'metric', 'dashboard'].includes(item.model);
}

export function bookmark_type(item: { model: string }): 'card' | 'dashboard' | 'collection' | undefined {
  if (item.model === 'dashboard' || item.model === 'collection') return item.model;
  return ['card', 'dataset', 'metric'].includes(item.model) ? 'card' : undefined;
}
