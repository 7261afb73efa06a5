import { IconRestore, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useInfiniteItems } from '@/api/collections';
import type { CollectionItem } from '@/api/types';
import { ItemList, type SortColumn } from '@/items/ItemList';
import { item_key } from '@/items/kinds';
import { usePageTitle } from '@/lib/frame';
import { Button } from '@/ui/Button';
import { ConfirmDialog } from '@/ui/Dialog';
import { Menu } from '@/ui/Overlays';
import { Page, PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast_failure } from '@/ui/toast';
import { BulkBar } from './BulkBar';
import { delete_items, restore_items } from './change';
import styles from './CollectionPage.module.css';
import './strings';

export function TrashPage() {
  const { t } = useTranslation('collections');
  usePageTitle(t('trash_title'));
  const [sort, set_sort] = useState<{ column: SortColumn; down: boolean }>({ column: 'last_edited_at', down: true });
  const [selected, set_selected] = useState<Set<string>>(new Set());
  const [deleting, set_deleting] = useState<CollectionItem[]>();
  const list = useInfiniteItems('trash', { sort_column: sort.column, sort_direction: sort.down ? 'desc' : 'asc', archived: true });
  const items = list.data?.pages.flatMap((page) => page.data) ?? [];
  const chosen = items.filter((item) => selected.has(item_key(item)));
  const restore = (which: CollectionItem[]) => void restore_items(which).then(() => set_selected(new Set()), toast_failure);

  return (
    <Page>
      <PageHead title={t('trash_title')} text={t('trash_text')} />
      {list.isPending ? (
        <div className={styles.loading}>
          <ListSkeleton />
        </div>
      ) : list.isError ? (
        <ErrorCard title={t('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : items.length === 0 ? (
        <EmptyState icon={<IconTrash size={22} stroke={1.6} aria-hidden />} title={t('trash_empty')}>
          {t('trash_empty_text')}
        </EmptyState>
      ) : (
        <ItemList
          label={t('trash_title')}
          items={items}
          open={false}
          selected={selected}
          onSelected={set_selected}
          sort={sort}
          onSort={(column) => set_sort({ column, down: sort.column === column ? !sort.down : false })}
          row_menu={(item) => (
            <>
              <Menu.Item leftSection={<IconRestore size={16} aria-hidden />} disabled={item.can_restore === false} onClick={() => restore([item])}>
                {t('restore')}
              </Menu.Item>
              <Menu.Item data-danger leftSection={<IconTrash size={16} aria-hidden />} disabled={item.can_delete === false} onClick={() => set_deleting([item])}>
                {t('delete')}
              </Menu.Item>
            </>
          )}
        />
      )}
      {list.hasNextPage && (
        <div style={{ marginTop: 16, textAlign: 'center' }}>
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t('load_more')}
          </Button>
        </div>
      )}
      {chosen.length > 0 && (
        <BulkBar count={chosen.length} total={items.length} onAll={() => set_selected(new Set(items.map(item_key)))} onNone={() => set_selected(new Set())}>
          <Button kind="dock" icon={<IconRestore size={18} stroke={1.6} aria-hidden />} disabled={chosen.some((item) => item.can_restore === false)} onClick={() => restore(chosen)}>
            {t('restore')}
          </Button>
          <Button kind="dock" icon={<IconTrash size={18} stroke={1.6} aria-hidden />} disabled={chosen.some((item) => item.can_delete === false)} onClick={() => set_deleting(chosen)}>
            {t('delete')}
          </Button>
        </BulkBar>
      )}
      <ConfirmDialog
        opened={deleting !== undefined}
        onClose={() => set_deleting(undefined)}
        title={deleting ? t('delete_title', { count: deleting.length, name: deleting[0].name }) : ''}
        confirm={t('delete')}
        danger
        onConfirm={async () => {
          await delete_items(deleting!);
          set_selected(new Set());
        }}
      >
        <p>{t('delete_text')}</p>
      </ConfirmDialog>
    </Page>
  );
}
