import { createContext, useContext } from 'react';

export interface PickerNode {
  id: number | null;
  name: string;
  is_personal?: boolean;
  can_write?: boolean;
  children: PickerNode[];
}

/** What the collection picker needs to know; `app/` fills it from the server. */
export interface CollectionSource {
  /** The root (id null) with everything below it, and the person's own collection; undefined while loading. */
  useTree(): PickerNode[] | undefined;
  create(name: string, parent: number | null): Promise<{ id: number; name: string }>;
}

export const CollectionSourceContext = createContext<CollectionSource | null>(null);

export function useCollectionSource(): CollectionSource {
  const source = useContext(CollectionSourceContext);
  if (!source) throw new Error('CollectionSourceContext is missing above this component.');
  return source;
}

export interface FlatNode {
  node: PickerNode;
  depth: number;
  path: string[];
}

/** Depth-first rows; with `words` only those whose name holds them, each with the way to it. */
export function flatten(tree: PickerNode[], words = '', depth = 0, path: string[] = []): FlatNode[] {
  const wanted = words.trim().toLowerCase();
  return tree.flatMap((node) => {
    const below = flatten(node.children, words, depth + 1, [...path, node.name]);
    const hit = wanted === '' || node.name.toLowerCase().includes(wanted);
    return hit ? [{ node, depth, path }, ...below] : below;
  });
}
