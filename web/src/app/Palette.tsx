import { Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBolt, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRecents, useSearch } from '@/api/collections';
import { useGo } from '@/lib/navigate';
import { item_path, paths } from '@/lib/paths';
import { key_caps, useAllShortcuts } from '@/lib/shortcuts';
import { set_theme, useTheme } from '@/lib/theme';
import { Key } from '@/ui/Chip';
import { Highlight } from '@/ui/Highlight';
import { ItemIcon } from '@/ui/icons';
import type { Creating } from './CreateDialogs';
import styles from './Palette.module.css';

interface Entry {
  id: string;
  group: string;
  icon: ReactNode;
  name: string;
  note?: string;
  keys?: string;
  href?: string;
  run?: () => void;
}

/** Ctrl+K: find anything, or do anything. */
export function Palette({ opened, onClose, onKeys, onCreate }: { opened: boolean; onClose: () => void; onKeys: () => void; onCreate: (kind: Creating) => void }) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={640} yOffset={104} centered={false} transitionProps={{ duration: 100 }} classNames={{ content: styles.content }}>
      <Modal.Overlay color="var(--scrim)" backgroundOpacity={1} />
      <Modal.Content>{opened && <Inside onClose={onClose} onKeys={onKeys} onCreate={onCreate} />}</Modal.Content>
    </Modal.Root>
  );
}

function Inside({ onClose, onKeys, onCreate }: { onClose: () => void; onKeys: () => void; onCreate: (kind: Creating) => void }) {
  const { t } = useTranslation('app');
  const go = useGo();
  const [words, set_words] = useState('');
  const [settled] = useDebouncedValue(words.trim(), 120);
  const [chosen, set_chosen] = useState(0);
  const { theme } = useTheme();
  const list_id = useId();
  const list = useRef<HTMLDivElement>(null);
  const found = useSearch({ q: settled, limit: 8 }, settled !== '');
  const recents = useRecents().data ?? [];
  const shortcuts = useAllShortcuts();

  const entries = useMemo<Entry[]>(() => {
    const wanted = words.trim().toLowerCase();
    const fits = (name: string) => wanted === '' || name.toLowerCase().includes(wanted);
    const kind = (model: string) => t(`kind_${model}`, { defaultValue: model });
    const open: Entry[] =
      wanted === ''
        ? recents.slice(0, 6).map((item) => ({
            id: `recent-${item.model}-${item.id}`,
            group: t('palette_recent'),
            icon: <ItemIcon item={item} />,
            name: item.display_name ?? item.name,
            note: item.parent_collection?.name ? t('kind_in', { kind: kind(item.model), place: item.parent_collection.name }) : kind(item.model),
            href: item_path(item),
          }))
        : (found.data?.data ?? []).map((item) => {
            const place = item.model === 'table' ? item.database_name : item.model === 'database' ? null : (item.collection?.name ?? t('root'));
            return {
              id: `found-${item.model}-${item.id}`,
              group: t('palette_open'),
              icon: <ItemIcon item={item} />,
              name: item.name,
              note: place ? t('kind_in', { kind: kind(item.model), place }) : kind(item.model),
              href: item_path(item),
            };
          });
    const on_page: Entry[] = shortcuts
      .filter((one) => !one.global && !one.hidden && fits(one.label))
      .slice(0, 6)
      .map((one) => ({ id: `page-${one.label}`, group: t('palette_page'), icon: <IconBolt size={18} stroke={1.6} aria-hidden />, name: one.label, keys: one.keys, run: one.run }));
    const actions: Entry[] = [
      { id: 'new-q', group: '', icon: <ItemIcon item={{ model: 'card', display: 'bar' }} />, name: t('keys_new_question'), keys: 'c q', href: paths.builder() },
      { id: 'new-n', group: '', icon: <ItemIcon item={{ model: 'card', query_type: 'native' }} />, name: t('keys_new_sql'), keys: 'c n', href: paths.sql() },
      { id: 'new-d', group: '', icon: <ItemIcon item={{ model: 'dashboard' }} />, name: t('keys_new_dashboard'), keys: 'c d', run: () => onCreate('dashboard') },
      { id: 'new-f', group: '', icon: <ItemIcon item={{ model: 'collection' }} />, name: t('keys_new_collection'), keys: 'c f', run: () => onCreate('collection') },
      { id: 'go-db', group: '', icon: <ItemIcon item={{ model: 'database' }} />, name: t('keys_go_databases'), keys: 'g d', href: paths.databases() },
      { id: 'go-trash', group: '', icon: <ItemIcon item={{ model: 'trash' }} />, name: t('keys_go_trash'), keys: 'g t', href: paths.trash() },
      theme === 'dark'
        ? { id: 'theme', group: '', icon: <IconSun size={18} stroke={1.6} aria-hidden />, name: t('palette_light'), run: () => set_theme('light') }
        : { id: 'theme', group: '', icon: <IconMoon size={18} stroke={1.6} aria-hidden />, name: t('palette_dark'), run: () => set_theme('dark') },
    ]
      .filter((one) => fits(one.name))
      .map((one) => ({ ...one, group: t('palette_do') }));
    const more: Entry[] =
      wanted !== '' && (found.data?.total ?? 0) > open.length
        ? [{ id: 'all', group: t('palette_open'), icon: <IconSearch size={18} stroke={1.6} aria-hidden />, name: t('palette_all', { words: words.trim() }), href: paths.search(words.trim()) }]
        : [];
    return [...open, ...more, ...on_page, ...actions];
  }, [words, found.data, recents, shortcuts, theme, t, onCreate]);

  useEffect(() => set_chosen(0), [words]);
  const index = Math.min(chosen, Math.max(0, entries.length - 1));

  function run(entry: Entry | undefined, new_tab: boolean) {
    if (!entry) {
      if (words.trim() !== '') go(paths.search(words.trim()));
      return;
    }
    if (entry.href && new_tab) {
      window.open(entry.href, '_blank', 'noopener');
      return;
    }
    onClose();
    if (entry.href) go(entry.href);
    else entry.run?.();
  }

  function key(event: KeyboardEvent) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = (index + (event.key === 'ArrowDown' ? 1 : entries.length - 1)) % Math.max(1, entries.length);
      set_chosen(next);
      list.current?.querySelector(`[data-index="${next}"]`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(entries[index], event.ctrlKey || event.metaKey);
    } else if (event.key === '?' && words === '') {
      event.preventDefault();
      onKeys();
    }
  }

  return (
    <div className={styles.palette}>
      <div className={styles.head}>
        <IconSearch size={20} stroke={1.6} aria-hidden />
        <input
          className={styles.input}
          placeholder={t('palette_hint')}
          aria-label={t('palette')}
          role="combobox"
          aria-expanded="true"
          aria-controls={list_id}
          aria-activedescendant={entries[index] ? `${list_id}-${index}` : undefined}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          value={words}
          onChange={(event) => set_words(event.currentTarget.value)}
          onKeyDown={key}
        />
        <button type="button" className={styles.esc} onClick={onClose}>
          Esc
        </button>
      </div>
      <div className={styles.list} role="listbox" id={list_id} aria-label={t('palette')} ref={list}>
        {entries.map((entry, place) => (
          <div key={entry.id} role="presentation">
            {(place === 0 || entries[place - 1].group !== entry.group) && (
              <div className={styles.group} role="presentation">
                {entry.group}
              </div>
            )}
            <div
              role="option"
              id={`${list_id}-${place}`}
              data-index={place}
              aria-selected={place === index}
              className={styles.row}
              onMouseMove={() => set_chosen(place)}
              onClick={(event) => run(entry, event.ctrlKey || event.metaKey)}
            >
              {entry.icon}
              <span className={styles.name}>
                <Highlight text={entry.name} words={words.trim()} />
              </span>
              {entry.note && <span className={styles.note}>{entry.note}</span>}
              <span className={styles.keys} aria-hidden>
                {entry.keys ? key_caps(entry.keys).map((cap, at) => <Key key={at}>{cap}</Key>) : place === index && <Key>↵</Key>}
              </span>
            </div>
          </div>
        ))}
        {words.trim() !== '' && settled !== '' && !found.isFetching && (found.data?.data.length ?? 0) === 0 && (
          <p className={styles.none}>{t('palette_none', { words: words.trim() })}</p>
        )}
      </div>
      <div className="visually-hidden" role="status">
        {settled !== '' && found.data ? t('results', { count: found.data.total }) : ''}
      </div>
      <div className={styles.foot}>
        <span>
          <Key>↑</Key> <Key>↓</Key> {t('palette_choose')}
        </span>
        <span>
          <Key>↵</Key> {t('palette_enter')}
        </span>
        <span className={styles.wide}>
          <Key>{key_caps('mod+enter').join(' ')}</Key> {t('palette_tab')}
        </span>
        <button type="button" className={styles.all} onClick={onKeys}>
          <Key>?</Key> {t('palette_keys')}
        </button>
      </div>
    </div>
  );
}
