import { useMemo } from 'react';
import { collections, useCollection, useCollectionTree } from '@/api/collections';
import { useCurrentUser } from '@/api/session';
import type { CollectionNode } from '@/api/types';
import type { CollectionSource, PickerNode } from '@/ui/collection_source';

function to_picker(node: CollectionNode): PickerNode {
  return {
    id: Number(node.id),
    name: node.name,
    is_personal: node.is_personal || (node.personal_owner_id ?? null) !== null,
    can_write: node.can_write,
    children: node.children.filter((child) => child.type !== 'trash').map(to_picker),
  };
}

/** Fills the picker from the server: the root with all that is below it, then personal collections. */
export const collection_source: CollectionSource = {
  useTree() {
    const tree = useCollectionTree().data;
    const root = useCollection('root').data;
    const user = useCurrentUser();
    return useMemo(() => {
      if (!tree) return undefined;
      const nodes = tree.filter((node) => node.type !== 'trash' && node.id !== 'root').map(to_picker);
      const shared = nodes.filter((node) => !node.is_personal);
      const personal = nodes.filter((node) => node.is_personal);
      return [
        { id: null, name: root?.name ?? 'Our analytics', can_write: root?.can_write ?? user?.is_superuser ?? true, children: shared },
        ...personal,
      ];
    }, [tree, root, user]);
  },
  async create(name, parent) {
    const made = await collections.create({ name, parent_id: parent });
    return { id: Number(made.id), name: made.name };
  },
};
