import { refresh_lists } from '@/api/cards';
import { change_item, copy_item, remove_item } from '@/api/collections';
import type { CollectionItem } from '@/api/types';
import { i18next } from '@/lib/i18n';
import { toast } from '@/ui/toast';
import './strings';

const say = (key: string, items: CollectionItem[], more: Record<string, unknown> = {}) =>
  i18next.t(`collections:${key}`, { count: items.length, name: items[0]?.name, ...more });

/** One after the other, so that a refusal tells how far it came; lists are fetched anew either way. */
async function each(items: CollectionItem[], run: (item: CollectionItem) => Promise<void>): Promise<void> {
  try {
    for (const item of items) await run(item);
  } finally {
    await refresh_lists();
  }
}

const home_of = (item: CollectionItem, here: number | null) => (item.collection_id === undefined ? here : item.collection_id);

export async function move_items(items: CollectionItem[], target: number | null, place: string, here: number | null): Promise<void> {
  await each(items, (item) => change_item(item, { collection_id: target }));
  toast(say('moved', items, { place }), { undo: () => each(items, (item) => change_item(item, { collection_id: home_of(item, here) })) });
}

export async function trash_items(items: CollectionItem[]): Promise<void> {
  await each(items, (item) => change_item(item, { archived: true }));
  toast(say('trashed', items), { undo: () => each(items, (item) => change_item(item, { archived: false })) });
}

export async function restore_items(items: CollectionItem[]): Promise<void> {
  await each(items, (item) => change_item(item, { archived: false }));
  toast(say('restored', items), { undo: () => each(items, (item) => change_item(item, { archived: true })) });
}

export async function delete_items(items: CollectionItem[]): Promise<void> {
  await each(items, remove_item);
  toast(say('deleted', items));
}

export async function copy_items(items: CollectionItem[]): Promise<void> {
  await each(items, copy_item);
  toast(say('copied', items));
}

export async function pin_items(items: CollectionItem[], pinned: boolean): Promise<void> {
  await each(items, (item) => change_item(item, { collection_position: pinned ? 1 : null }));
}
