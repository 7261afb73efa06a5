import { IconArrowDown, IconArrowUp, IconPinnedOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { refresh_lists } from '@/api/cards';
import { change_item } from '@/api/collections';
import type { CollectionItem } from '@/api/types';
import { item_key } from '@/items/kinds';
import { Button, ButtonLink, IconButton } from '@/ui/Button';
import { ItemIcon } from '@/ui/icons';
import { Dialog } from '@/ui/Dialog';
import { toast_failure } from '@/ui/toast';
import styles from './ArrangeDialog.module.css';

/** The order of what is pinned, with buttons rather than dragging, so that keys and fingers do as well as a mouse. */
export function ArrangeDialog({ root, items, onClose }: { root: string; items: CollectionItem[]; onClose: () => void }) {
  const { t } = useTranslation('home');
  const [order, set_order] = useState(items);
  const [busy, set_busy] = useState(false);

  function move(index: number, by: -1 | 1) {
    const next = [...order];
    [next[index], next[index + by]] = [next[index + by], next[index]];
    set_order(next);
  }

  async function save() {
    set_busy(true);
    try {
      const kept = new Set(order.map(item_key));
      for (const item of items) if (!kept.has(item_key(item))) await change_item(item, { collection_position: null });
      for (const [index, item] of order.entries()) {
        if (item.collection_position !== index + 1) await change_item(item, { collection_position: index + 1 });
      }
      onClose();
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
      await refresh_lists();
    }
  }

  return (
    <Dialog
      opened
      onClose={onClose}
      title={t('arrange_title')}
      actions={
        <>
          <ButtonLink kind="quiet" href="/collection/root">
            {t('open_root', { root })}
          </ButtonLink>
          <Button kind="primary" busy={busy} onClick={() => void save()}>
            {t('done')}
          </Button>
        </>
      }
    >
      <p>{t('arrange_text', { root })}</p>
      {order.length === 0 ? (
        <p className={styles.none}>{t('arrange_empty', { root })}</p>
      ) : (
        <ol className={styles.list}>
          {order.map((item, index) => (
            <li key={item_key(item)}>
              <ItemIcon item={item} />
              <span>{item.name}</span>
              <IconButton label={t('up', { name: item.name })} disabled={index === 0} icon={<IconArrowUp size={16} aria-hidden />} onClick={() => move(index, -1)} />
              <IconButton label={t('down', { name: item.name })} disabled={index === order.length - 1} icon={<IconArrowDown size={16} aria-hidden />} onClick={() => move(index, 1)} />
              <IconButton label={t('unpin', { name: item.name })} icon={<IconPinnedOff size={16} aria-hidden />} onClick={() => set_order(order.filter((one) => one !== item))} />
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
