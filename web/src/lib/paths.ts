// One place for the addresses of pages.

/** "Sales, by month" -> "sales-by-month". */
export function slug(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/** "27-sales-by-month" -> 27; "root" and "trash" have no number and give undefined. */
export function id_of_slug(id_slug: string | undefined): number | undefined {
  const match = /^(\d+)(?:-|$)/.exec(id_slug ?? '');
  return match ? Number(match[1]) : undefined;
}

function with_slug(base: string, id: number | string, name?: string | null): string {
  const words = name ? slug(name) : '';
  return `${base}/${id}${words ? `-${words}` : ''}`;
}

/** The hash of an ad-hoc question: base64 of the JSON of {dataset_query, display, visualization_settings}. */
export function encode_card_hash(card: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(card));
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function decode_card_hash<T = unknown>(hash: string): T | undefined {
  const text = decodeURIComponent(hash.replace(/^#/, ''));
  if (text === '') return undefined;
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch {
    return undefined;
  }
}

export const paths = {
  home: () => '/',
  setup: () => '/setup',
  sign_in: (back?: string) => (back && back !== '/' ? `/auth/login?redirect=${encodeURIComponent(back)}` : '/auth/login'),
  card: (card: { id: number | string; name?: string | null }) => with_slug('/question', card.id, card.name),
  adhoc: (card: unknown) => `/question#${encode_card_hash(card)}`,
  /** The builder; with a card in the hash it opens that query. */
  builder: (card?: unknown) => (card ? `/question/notebook#${encode_card_hash(card)}` : '/question/notebook'),
  sql: (card?: unknown) => (card ? `/question/native#${encode_card_hash(card)}` : '/question/native'),
  dashboard: (dashboard: { id: number | string; name?: string | null }) =>
    with_slug('/dashboard', dashboard.id, dashboard.name),
  collection: (collection: { id: number | string | null; name?: string | null }) =>
    collection.id === null || collection.id === 'root'
      ? '/collection/root'
      : collection.id === 'trash'
        ? '/trash'
        : with_slug('/collection', collection.id, collection.name),
  databases: () => '/browse/databases',
  database: (database: { id: number; name?: string | null }) => with_slug('/browse/databases', database.id, database.name),
  schema: (database: { id: number; name?: string | null }, schema: string) =>
    `${with_slug('/browse/databases', database.id, database.name)}/schema/${encodeURIComponent(schema)}`,
  models: () => '/browse/models',
  metrics: () => '/browse/metrics',
  trash: () => '/trash',
  search: (words?: string) => (words ? `/search?q=${encodeURIComponent(words)}` : '/search'),
  account: () => '/account/profile',
  admin: (page = 'settings/general') => `/admin/${page}`,
  /** A question that shows all rows of a table. */
  table: (table: { id: number | string; db_id: number }) =>
    `/question#${encode_card_hash({
      dataset_query: { database: table.db_id, type: 'query', query: { 'source-table': table.id } },
      display: 'table',
      visualization_settings: {},
    })}`,
};

/** The page of a search result, recent item, bookmark or collection item. */
export function item_path(item: {
  model: string;
  id: number | string;
  name?: string | null;
  db_id?: number | null;
  database_id?: number | null;
  database?: { id: number } | null;
}): string {
  switch (item.model) {
    case 'dashboard':
      return paths.dashboard({ id: item.id, name: item.name });
    case 'collection':
      return paths.collection({ id: item.id, name: item.name });
    case 'table':
      return paths.table({ id: item.id, db_id: item.database?.id ?? item.database_id ?? item.db_id ?? 0 });
    case 'database':
      return paths.database({ id: Number(item.id), name: item.name });
    default:
      return paths.card({ id: item.id, name: item.name });
  }
}
