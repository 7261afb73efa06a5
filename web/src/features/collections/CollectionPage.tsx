import { useParams } from '@tanstack/react-router';
import { IconBookmark, IconBookmarkFilled, IconChevronDown, IconCopy, IconDots, IconExternalLink, IconFolderSymlink, IconLock, IconPin, IconPinnedOff, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { bookmarks, collections, useBookmarks, useCollection, useCollectionItems, useInfiniteItems } from '@/api/collections';
import { useCurrentUser } from '@/api/session';
import type { Collection, CollectionItem } from '@/api/types';
import { ItemList, type SortColumn } from '@/items/ItemList';
import { ItemPreview } from '@/items/ItemPreview';
import { bookmark_type, can_copy, item_key } from '@/items/kinds';
import { frame, usePageTitle } from '@/lib/frame';
import { useGo } from '@/lib/navigate';
import { id_of_slug, item_path, paths } from '@/lib/paths';
import { Button, ButtonLink, IconButton } from '@/ui/Button';
import { Key } from '@/ui/Chip';
import { CollectionDialog } from '@/ui/CollectionPicker';
import { EditableText } from '@/ui/EditableText';
import { TextInput } from '@/ui/fields';
import { Menu, MenuLink } from '@/ui/Overlays';
import { Crumbs, Page, PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { BulkBar } from './BulkBar';
import { copy_items, move_items, pin_items, trash_items } from './change';
import styles from './CollectionPage.module.css';
import './strings';

const kinds = {
  all: undefined,
  questions: ['card'],
  models: ['dataset'],
  metrics: ['metric'],
  dashboards: ['dashboard'],
  collections: ['collection'],
} as const;
type Kind = keyof typeof kinds;

export function CollectionPage() {
  const { idSlug } = useParams({ strict: false }) as { idSlug?: string };
  const user = useCurrentUser();
  const go = useGo();
  // "g p": everyone's own collection has the same address.
  useEffect(() => {
    if (idSlug === 'personal' && user) go(user.personal_collection_id ? paths.collection({ id: user.personal_collection_id }) : '/', { replace: true });
    if (idSlug === 'trash') go('/trash', { replace: true });
  }, [idSlug, user, go]);
  if (idSlug === 'personal' || idSlug === 'trash') return null;
  const id = idSlug === 'root' ? 'root' : id_of_slug(idSlug);
  return <CollectionView key={String(id)} id={id ?? -1} />;
}

function CollectionView({ id }: { id: number | 'root' }) {
  const { t } = useTranslation('collections');
  const { t: words_for } = useTranslation('items');
  const collection = useCollection(id);
  const pinned = useCollectionItems(id, { pinned_state: 'is_pinned' });
  const [kind, set_kind] = useState<Kind>('all');
  const [sort, set_sort] = useState<{ column: SortColumn; down: boolean }>({ column: 'name', down: false });
  const [words, set_words] = useState('');
  const [selected, set_selected] = useState<Set<string>>(new Set());
  const [moving, set_moving] = useState<CollectionItem[]>();
  const list = useInfiniteItems(id, {
    pinned_state: 'is_not_pinned',
    sort_column: sort.column,
    sort_direction: sort.down ? 'desc' : 'asc',
    models: kinds[kind] && [...kinds[kind]],
  });
  usePageTitle(collection.data?.name);

  // Personal collections have their own place in the side bar.
  const listed = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const loaded = useMemo(() => listed.filter((item) => !item.is_personal), [listed]);
  const total = (list.data?.pages[0]?.total ?? 0) - (listed.length - loaded.length);
  const wanted = words.trim().toLowerCase();
  const items = wanted ? loaded.filter((item) => item.name.toLowerCase().includes(wanted)) : loaded;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  // A name can only be found in what is here: looking for one brings the rest.
  useEffect(() => {
    if (wanted && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [wanted, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const end = useEndOfList(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  });

  const here = id === 'root' ? null : id;
  const can_write = collection.data?.can_write !== false;
  const chosen = loaded.filter((item) => selected.has(item_key(item)));
  const attempt = (work: Promise<void>) => void work.then(() => set_selected(new Set()), toast_failure);

  if (collection.isError) {
    return (
      <Page>
        <ErrorCard title={t('failed')} detail={collection.error.message} onRetry={() => void collection.refetch()} />
      </Page>
    );
  }

  const row_menu = (item: CollectionItem) => (
    <>
      <Menu.Item leftSection={<IconExternalLink size={16} aria-hidden />} onClick={() => window.open(item_path(item), '_blank', 'noopener')}>
        {t('open_tab')}
      </Menu.Item>
      <BookmarkItem item={item} />
      {can_write && (
        <>
          {item.model !== 'collection' && (
            <Menu.Item leftSection={<IconPin size={16} aria-hidden />} onClick={() => attempt(pin_items([item], true))}>
              {t('pin')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => set_moving([item])}>
            {t('move')}
          </Menu.Item>
          {can_copy(item) && (
            <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => attempt(copy_items([item]))}>
              {t('duplicate')}
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => attempt(trash_items([item]))}>
            {t('trash')}
          </Menu.Item>
        </>
      )}
    </>
  );

  const nothing = list.isSuccess && total === 0 && kind === 'all' && (pinned.data?.data.length ?? 0) === 0;
  return (
    <Page>
      <Head collection={collection.data} can_write={can_write} />
      {(pinned.data?.data.length ?? 0) > 0 && (
        <section className={styles.pinned} aria-label={t('pinned')}>
          {pinned.data!.data.map((item) => (
            <ItemPreview
              key={item_key(item)}
              item={item}
              tools={
                can_write && (
                  <Menu width={200}>
                    <Menu.Target>
                      <IconButton size="small" className={styles.pin_menu} label={words_for('menu', { name: item.name })} icon={<IconDots size={16} aria-hidden />} />
                    </Menu.Target>
                    <Menu.Dropdown>
                      <Menu.Item leftSection={<IconPinnedOff size={16} aria-hidden />} onClick={() => attempt(pin_items([item], false))}>
                        {t('unpin')}
                      </Menu.Item>
                      <BookmarkItem item={item} />
                      <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => set_moving([item])}>
                        {t('move')}
                      </Menu.Item>
                      <Menu.Divider />
                      <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => attempt(trash_items([item]))}>
                        {t('trash')}
                      </Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                )
              }
            />
          ))}
        </section>
      )}
      {nothing ? (
        <Nothing name={collection.data?.name ?? ''} here={here} can_write={can_write} />
      ) : (
        <>
          <div className={styles.tools}>
            <span className={styles.count}>
              <Trans t={t} i18nKey="count" count={total} components={{ b: <b /> }} />
            </span>
            <TextInput
              className={styles.find}
              aria-label={t('find', { name: collection.data?.name ?? '' })}
              placeholder={t('find', { name: collection.data?.name ?? '' })}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={words}
              onChange={(event) => set_words(event.currentTarget.value)}
            />
            <Menu width={180}>
              <Menu.Target>
                <Button icon_after={<IconChevronDown size={16} aria-hidden />} aria-label={t('filter_kinds')}>
                  {kind === 'all' ? t('all_kinds') : t(kind)}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {(Object.keys(kinds) as Kind[]).map((one) => (
                  <Menu.Item key={one} onClick={() => set_kind(one)} aria-current={kind === one || undefined}>
                    {one === 'all' ? t('all_kinds') : t(one)}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          </div>
          {list.isPending ? (
            <div className={styles.loading}>
              <ListSkeleton rows={8} />
            </div>
          ) : list.isError ? (
            <ErrorCard title={t('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
          ) : items.length === 0 ? (
            <EmptyState
              size="card"
              icon={<IconSearch size={18} aria-hidden />}
              title={wanted ? t('none_found', { words }) : t('empty_title', { name: collection.data?.name ?? '' })}
              actions={
                <Button
                  onClick={() => {
                    set_words('');
                    set_kind('all');
                  }}
                >
                  {t('clear')}
                </Button>
              }
            />
          ) : (
            <ItemList
              label={t('items', { name: collection.data?.name ?? '' })}
              items={items}
              selected={selected}
              onSelected={set_selected}
              sort={sort}
              onSort={(column) => set_sort({ column, down: sort.column === column ? !sort.down : false })}
              row_menu={row_menu}
              onDropInto={
                can_write
                  ? (keys, target) => attempt(move_items(loaded.filter((item) => keys.includes(item_key(item))), target.id, target.name, here))
                  : undefined
              }
            />
          )}
          <div ref={end} />
          {isFetchingNextPage && <ListSkeleton rows={2} />}
          {chosen.length > 0 && (
            <BulkBar count={chosen.length} total={items.length} onAll={() => set_selected(new Set(items.map(item_key)))} onNone={() => set_selected(new Set())}>
              <Button kind="dock" icon={<IconFolderSymlink size={18} stroke={1.6} aria-hidden />} onClick={() => set_moving(chosen)}>
                {t('move')}
              </Button>
              <Button kind="dock" icon={<IconCopy size={18} stroke={1.6} aria-hidden />} disabled={!chosen.every(can_copy)} onClick={() => attempt(copy_items(chosen))}>
                {t('duplicate')}
              </Button>
              <Button kind="dock" icon={<IconPin size={18} stroke={1.6} aria-hidden />} disabled={chosen.some((item) => item.model === 'collection')} onClick={() => attempt(pin_items(chosen, true))}>
                {t('pin')}
              </Button>
              <Button kind="dock" icon={<IconTrash size={18} stroke={1.6} aria-hidden />} onClick={() => attempt(trash_items(chosen))}>
                {t('trash')}
              </Button>
              <span className={styles.dock_line} aria-hidden />
            </BulkBar>
          )}
        </>
      )}
      {moving && (
        <CollectionDialog
          opened
          title={t('move_to')}
          initial={here}
          without={moving.filter((item) => item.model === 'collection').map((item) => item.id)}
          onClose={() => set_moving(undefined)}
          onChoose={async (target, place) => {
            await move_items(moving, target, place, here);
            set_selected(new Set());
          }}
        />
      )}
    </Page>
  );
}

function Head({ collection, can_write }: { collection: Collection | undefined; can_write: boolean }) {
  const { t } = useTranslation('collections');
  const user = useCurrentUser();
  const go = useGo();
  const marks = useBookmarks().data ?? [];
  const root = useCollection('root').data;
  const [moving, set_moving] = useState(false);
  if (!collection) return <div className={styles.head_gap} />;
  const id = typeof collection.id === 'number' ? collection.id : null;
  const personal = (collection.personal_owner_id ?? null) !== null || collection.is_personal === true;
  const editable = can_write && id !== null && !personal;
  const marked = marks.some((mark) => mark.type === 'collection' && mark.item_id === id);
  const above = (collection.effective_ancestors ?? []).filter((one) => one.id !== 'root');
  const way =
    id === null || personal
      ? []
      : [{ id: 'root' as const, name: root?.name ?? t('root') }, ...above].map((one) => ({ name: one.name, href: paths.collection(one) }));
  const query = id === null ? '' : `?collection=${id}`;

  async function trash() {
    try {
      await collections.update(id!, { archived: true });
      const parent = collection!.parent_id ?? null;
      toast(t('trashed_collection', { name: collection!.name }), { undo: async () => void (await collections.update(id!, { archived: false })) });
      go(parent === null ? '/collection/root' : paths.collection({ id: parent }));
    } catch (error) {
      toast_failure(error);
    }
  }

  return (
    <>
      <PageHead
        crumbs={way.length > 0 ? <Crumbs label={t('crumbs')} items={[...way, { name: collection.name }]} /> : undefined}
        title={
          <EditableText as="h1" className={styles.title} value={collection.name} label={t('name_label')} readonly={!editable} required onSave={async (name) => void (await collections.update(id!, { name }))} />
        }
        text={
      <EditableText
        as="p"
        className={styles.description}
        value={collection.description ?? ''}
        label={t('description_label')}
        placeholder={t('description_hint')}
        readonly={!editable}
        onSave={async (description) => void (await collections.update(id!, { description: description || null }))}
      />
        }
        tools={
          <>
            {id !== null && (
              <IconButton
                label={marked ? t('unbookmark') : t('bookmark')}
                icon={marked ? <IconBookmarkFilled size={18} aria-hidden /> : <IconBookmark size={18} stroke={1.6} aria-hidden />}
                onClick={() => void (marked ? bookmarks.remove('collection', id) : bookmarks.add('collection', id)).catch(toast_failure)}
              />
            )}
            {user?.is_superuser && !personal && (
              <IconButton label={t('permissions')} icon={<IconLock size={18} stroke={1.6} aria-hidden />} onClick={() => go(paths.admin(`permissions/collections${id === null ? '' : `?collection=${id}`}`))} />
            )}
            {editable && (
              <Menu width={220}>
                <Menu.Target>
                  <IconButton label={t('more')} icon={<IconDots size={18} aria-hidden />} />
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => set_moving(true)}>
                    {t('move_collection')}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void trash()}>
                    {t('trash_collection')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
            {can_write && (
              <Menu width={200}>
                <Menu.Target>
                  <Button icon={<IconPlus size={16} aria-hidden />}>{t('new_here')}</Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <MenuLink href={`${paths.builder()}${query}`}>{t('new_question')}</MenuLink>
                  <MenuLink href={`${paths.sql()}${query}`}>{t('new_sql')}</MenuLink>
                  <Menu.Item onClick={() => frame.create('dashboard')}>{t('new_dashboard')}</Menu.Item>
                  <Menu.Item onClick={() => frame.create('collection')}>{t('new_collection')}</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        }
      />
      {moving && (
        <CollectionDialog
          opened
          title={t('move_to')}
          initial={collection.parent_id ?? null}
          without={[id!]}
          onClose={() => setTimeout(() => set_moving(false))}
          onChoose={async (parent_id, place) => {
            const before = collection.parent_id ?? null;
            await collections.update(id!, { parent_id });
            toast(t('moved_one', { name: collection.name, place }), { undo: async () => void (await collections.update(id!, { parent_id: before })) });
          }}
        />
      )}
    </>
  );
}

function BookmarkItem({ item }: { item: CollectionItem }) {
  const { t } = useTranslation('collections');
  const marks = useBookmarks().data ?? [];
  const type = bookmark_type(item);
  if (!type) return null;
  const marked = marks.some((mark) => mark.type === type && mark.item_id === item.id);
  return (
    <Menu.Item
      leftSection={marked ? <IconBookmarkFilled size={16} aria-hidden /> : <IconBookmark size={16} aria-hidden />}
      onClick={() => void (marked ? bookmarks.remove(type, item.id) : bookmarks.add(type, item.id)).catch(toast_failure)}
    >
      {marked ? t('unbookmark') : t('bookmark')}
    </Menu.Item>
  );
}

function Nothing({ name, here, can_write }: { name: string; here: number | null; can_write: boolean }) {
  const { t } = useTranslation('collections');
  if (!can_write) return <EmptyState title={t('empty_title', { name })}>{t('empty_readonly')}</EmptyState>;
  return (
    <EmptyState
      title={t('empty_title', { name })}
      actions={
        <>
          <ButtonLink kind="primary" size="large" icon={<IconPlus size={16} aria-hidden />} href={`${paths.builder()}${here === null ? '' : `?collection=${here}`}`}>
            {t('empty_ask')}
          </ButtonLink>
          <ButtonLink size="large" href={paths.search()}>
            {t('empty_browse')}
          </ButtonLink>
        </>
      }
      footer={<Trans t={t} i18nKey="empty_keys" components={{ k: <Key>{''}</Key> }} />}
    >
      {t('empty_text')}
    </EmptyState>
  );
}

function useEndOfList(reached: () => void) {
  const end = useRef<HTMLDivElement>(null);
  const callback = useRef(reached);
  callback.current = reached;
  useEffect(() => {
    if (!end.current || !('IntersectionObserver' in window)) return;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && callback.current(), { rootMargin: '400px' });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, []);
  return end;
}
