import { TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import { say } from '../words';
import { useFirstFocus } from './useFirstFocus';
import styles from './editors.module.css';

export interface ListItem {
  id: string;
  title: string;
  icon?: ReactNode;
  /** Quiet words at the end of the line. */
  side?: ReactNode;
  chosen?: boolean;
  /** Searched too, not shown. */
  words?: string;
  onPick: () => void;
}
export interface ListGroup {
  id: string;
  name?: string;
  items: ListItem[];
}

/** A searchable list in groups, for pop-overs: arrows move, Enter picks, letters search. */
export function ListPanel({ groups, label, search = true, head, foot, words, onWords, busy }: {
  groups: ListGroup[];
  label: string;
  search?: boolean;
  head?: ReactNode;
  foot?: ReactNode;
  /** Given when the caller searches (on the server); the list then shows all it gets. */
  words?: string;
  onWords?: (words: string) => void;
  busy?: boolean;
}) {
  const [own, set_own] = useState('');
  const [at, set_at] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const root = useRef<HTMLDivElement>(null);
  useFirstFocus(root);
  const text = words ?? own;
  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    if (wanted === '' || onWords) return groups.filter((group) => group.items.length > 0);
    return groups
      .map((group) => ({ ...group, items: group.items.filter((item) => `${group.name ?? ''} ${item.title} ${item.words ?? ''}`.toLowerCase().includes(wanted)) }))
      .filter((group) => group.items.length > 0);
  }, [groups, text, onWords]);
  const flat = shown.flatMap((group) => group.items);
  const here = Math.min(at, flat.length - 1);
  useEffect(() => {
    list.current?.querySelector('[data-on]')?.scrollIntoView({ block: 'nearest' });
  }, [here]);

  function on_key(event: KeyboardEvent) {
    if (event.key === 'ArrowDown') set_at(Math.min(flat.length - 1, here + 1));
    else if (event.key === 'ArrowUp') set_at(Math.max(0, here - 1));
    else if (event.key === 'Home' && !search) set_at(0);
    else if (event.key === 'End' && !search) set_at(flat.length - 1);
    else if (event.key === 'Enter' && flat[here]) flat[here].onPick();
    else return;
    event.preventDefault();
  }
  let index = -1;
  return (
    <div className={styles.panel} onKeyDown={on_key} ref={root}>
      {head}
      {search && (
        <div className={styles.search}>
          <TextInput
            value={text}
            onChange={(event) => {
              set_at(0);
              (onWords ?? set_own)(event.currentTarget.value);
            }}
            placeholder={label}
            aria-label={label}
            role="combobox"
            aria-expanded
            aria-controls={id}
            aria-activedescendant={flat[here] ? `${id}-${here}` : undefined}
            leftSection={<IconSearch size={16} aria-hidden />}
            data-autofocus
          />
        </div>
      )}
      <div className={styles.list} role="listbox" id={id} aria-label={label} ref={list} tabIndex={search ? -1 : 0} data-autofocus={search ? undefined : true} aria-busy={busy || undefined}>
        {shown.map((group) => (
          <div key={group.id} role="group" aria-label={group.name}>
            {group.name && <div className={styles.group}>{group.name}</div>}
            {group.items.map((item) => {
              index++;
              const mine = index;
              return (
                <div
                  key={item.id}
                  id={`${id}-${mine}`}
                  role="option"
                  aria-selected={item.chosen ?? false}
                  data-on={mine === here || undefined}
                  data-chosen={item.chosen || undefined}
                  className={styles.item}
                  onMouseMove={() => mine !== here && set_at(mine)}
                  onClick={item.onPick}
                >
                  {item.icon}
                  <span className={styles.grow}>{item.title}</span>
                  {item.side && <span className={styles.side}>{item.side}</span>}
                </div>
              );
            })}
          </div>
        ))}
        {flat.length === 0 && <div className={styles.nothing}>{busy ? say('Looking…') : text.trim() === '' ? say('Nothing to choose from.') : say('Nothing is called “{{words}}”.', { words: text.trim() })}</div>}
      </div>
      {foot}
    </div>
  );
}
