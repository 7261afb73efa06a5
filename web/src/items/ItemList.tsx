import { Checkbox, Menu } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconCheck, IconDots } from '@tabler/icons-react';
import { type DragEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CollectionItem } from '@/api/types';
import { item_path } from '@/lib/paths';
import { exact, when } from '@/lib/time';
import { IconButton, Link } from '@/ui/Button';
import { Avatar, Hexagon } from '@/ui/Hexagon';
import { ItemIcon } from '@/ui/icons';
import styles from './ItemList.module.css';
import { editor_name, item_key, kind_key } from './kinds';
import './strings';

export type SortColumn = 'name' | 'model' | 'last_edited_by' | 'last_edited_at';

export interface ItemListProps {
  items: CollectionItem[];
  label: string;
  selected: ReadonlySet<string>;
  onSelected: (selected: Set<string>) => void;
  sort?: { column: SortColumn; down: boolean };
  onSort?: (column: SortColumn) => void;
  /** Entries of the row's menu. */
  row_menu: (item: CollectionItem) => ReactNode;
  /** Where rows lead; without it they lead nowhere (trash). */
  open?: boolean;
  /** Rows were dragged on to this collection. */
  onDropInto?: (keys: string[], target: CollectionItem) => void;
}

const drag_type = 'application/x-basalt-items';

export function ItemList({ items, label, selected, onSelected, sort, onSort, row_menu, open = true, onDropInto }: ItemListProps) {
  const { t } = useTranslation('items');
  const [over, set_over] = useState<string>();
  const [last, set_last] = useState<number>();
  const all = items.length > 0 && items.every((item) => selected.has(item_key(item)));
  const some = items.some((item) => selected.has(item_key(item)));

  function toggle(index: number, on: boolean, shift: boolean) {
    const next = new Set(selected);
    const from = shift && last !== undefined ? Math.min(last, index) : index;
    const to = shift && last !== undefined ? Math.max(last, index) : index;
    for (let at = from; at <= to; at++) {
      if (on) next.add(item_key(items[at]));
      else next.delete(item_key(items[at]));
    }
    set_last(index);
    onSelected(next);
  }

  function start_drag(event: DragEvent, item: CollectionItem) {
    const key = item_key(item);
    event.dataTransfer.setData(drag_type, JSON.stringify(selected.has(key) ? [...selected] : [key]));
    event.dataTransfer.effectAllowed = 'move';
  }

  const head = (column: SortColumn, title: string, css?: string) => (
    <th scope="col" className={css} aria-sort={sort?.column === column ? (sort.down ? 'descending' : 'ascending') : undefined}>
      {onSort ? (
        <button type="button" className={styles.sort} onClick={() => onSort(column)}>
          {title}
          {sort?.column === column && (sort.down ? <IconArrowDown size={14} aria-hidden /> : <IconArrowUp size={14} aria-hidden />)}
        </button>
      ) : (
        title
      )}
    </th>
  );

  return (
    <table className={styles.table} aria-label={label}>
      <thead>
        <tr>
          <th scope="col" className={styles.check}>
            <Checkbox
              aria-label={t('select_all')}
              checked={all}
              indeterminate={some && !all}
              onChange={() => onSelected(all ? new Set() : new Set(items.map(item_key)))}
            />
          </th>
          <th scope="col" className={styles.icon}>
            <span className="visually-hidden">{t('kind')}</span>
          </th>
          {head('name', t('name'))}
          {head('model', t('kind'), styles.wide)}
          {head('last_edited_by', t('edited_by'), styles.wide)}
          {head('last_edited_at', t('when'), styles.wide)}
          <th scope="col" className={styles.dots}>
            <span className="visually-hidden">{t('actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item, index) => {
          const key = item_key(item);
          const editor = editor_name(item);
          const edited = item['last-edit-info']?.timestamp;
          const accepts = onDropInto && item.model === 'collection';
          return (
            <tr
              key={key}
              data-selected={selected.has(key) || undefined}
              data-over={over === key || undefined}
              draggable={onDropInto !== undefined && item.can_write !== false}
              onDragStart={(event) => start_drag(event, item)}
              onDragOver={
                !accepts ? undefined : ((event) => {
                  if (!event.dataTransfer.types.includes(drag_type)) return;
                  event.preventDefault();
                  set_over(key);
                })
              }
              onDragLeave={accepts ? () => set_over(undefined) : undefined}
              onDrop={
                !accepts ? undefined : ((event) => {
                  event.preventDefault();
                  set_over(undefined);
                  const keys = JSON.parse(event.dataTransfer.getData(drag_type) || '[]') as string[];
                  if (!keys.includes(key)) onDropInto(keys, item);
                })
              }
            >
              <td className={styles.check}>
                <Checkbox
                  aria-label={t('select', { name: item.name })}
                  checked={selected.has(key)}
                  onChange={(event) => toggle(index, event.currentTarget.checked, (event.nativeEvent as MouseEvent).shiftKey)}
                />
              </td>
              <td className={styles.icon}>
                <ItemIcon item={item} />
              </td>
              <td className={styles.name}>
                {open ? <Link href={item_path(item)}>{item.name}</Link> : <span>{item.name}</span>}
                {item.moderated_status === 'verified' && (
                  <Hexagon size={16} tone="brand" label={t('verified')}>
                    <IconCheck size={10} stroke={3} aria-hidden />
                  </Hexagon>
                )}
                <small>{[t(kind_key(item)), edited && when(edited)].filter(Boolean).join(', ')}</small>
              </td>
              <td className={`${styles.wide} ${styles.muted}`}>{t(kind_key(item))}</td>
              <td className={styles.wide}>
                {editor && (
                  <span className={styles.person}>
                    <Avatar name={editor} id={item['last-edit-info']?.id} />
                    <span>{editor}</span>
                  </span>
                )}
              </td>
              <td className={`${styles.wide} ${styles.muted}`} title={exact(edited)}>
                {when(edited)}
              </td>
              <td className={styles.dots}>
                <Menu width={208}>
                  <Menu.Target>
                    <IconButton label={t('menu', { name: item.name })} icon={<IconDots size={18} aria-hidden />} />
                  </Menu.Target>
                  <Menu.Dropdown>{row_menu(item)}</Menu.Dropdown>
                </Menu>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
