import { useLocation } from '@tanstack/react-router';
import { IconBox, IconChevronDown, IconChevronRight, IconDatabase, IconFolder, IconHome, IconRulerMeasure, IconTrash, IconUser } from '@tabler/icons-react';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useBookmarks, useCollection, useCollectionTree } from '@/api/collections';
import { useCurrentUser } from '@/api/session';
import type { CollectionNode } from '@/api/types';
import { frame, useFrame } from '@/lib/frame';
import { id_of_slug, item_path, paths } from '@/lib/paths';
import { Link } from '@/ui/Button';
import { ItemIcon } from '@/ui/icons';
import type { Creating } from './CreateDialogs';
import styles from './Frame.module.css';
import { NewMenu } from './TopBar';

const opened_key = 'basalt.tree';

function stored_open(): Record<string, boolean> {
  try {
    return JSON.parse(localStorage.getItem(opened_key) ?? '{}') as Record<string, boolean>;
  } catch {
    return {};
  }
}

export function SideBar({ inside_drawer, onCreate }: { inside_drawer?: boolean; onCreate?: (kind: Creating) => void }) {
  const { t } = useTranslation('app');
  const { pathname } = useLocation();
  const marks = useBookmarks().data ?? [];
  const tree = useCollectionTree().data ?? [];
  const root = useCollection('root').data;
  const user = useCurrentUser();
  const [open, set_open] = useState<Record<string, boolean>>(stored_open);

  const here = /^\/collection\/([^/]+)/.exec(pathname)?.[1];
  const here_id = here === 'root' ? 'root' : id_of_slug(here);
  const shared = tree.filter((node) => node.type !== 'trash' && node.id !== 'root' && (node.personal_owner_id ?? null) === null && !node.is_personal);
  const own = user?.personal_collection_id ?? null;

  // The collection on the page is never hidden inside a closed one.
  useEffect(() => {
    if (typeof here_id !== 'number') return;
    const way = way_to(shared, here_id);
    if (way && way.some((id) => open[id] !== true)) {
      set_open((now) => ({ ...now, ...Object.fromEntries(way.map((id) => [id, true])) }));
    }
    // Only when the page or the tree changes: closing it by hand must stay possible.
  }, [here_id, tree.length]);

  function toggle(id: string, now_open: boolean) {
    set_open((before) => {
      const next = { ...before, [id]: !now_open };
      try {
        localStorage.setItem(opened_key, JSON.stringify(next));
      } catch {
        // Lasts as long as the page.
      }
      return next;
    });
  }

  function branch(node: CollectionNode, depth: number): ReactNode {
    const id = String(node.id);
    const now_open = open[id] ?? false;
    const children = node.children.filter((child) => child.type !== 'trash');
    return (
      <li key={id}>
        <div className={styles.row} data-active={here_id === node.id || undefined} style={{ paddingInlineStart: 8 + depth * 16 - 8 }}>
          {children.length > 0 ? (
            <Twist name={node.name} open={now_open} onToggle={() => toggle(id, now_open)} />
          ) : (
            <span className={styles.gap} />
          )}
          <Link href={paths.collection(node)} className={styles.place} aria-current={here_id === node.id ? 'page' : undefined} title={node.name}>
            <IconFolder size={16} stroke={1.6} aria-hidden />
            <span>{node.name}</span>
          </Link>
        </div>
        {now_open && children.length > 0 && <ul className={styles.list}>{children.map((child) => branch(child, depth + 1))}</ul>}
      </li>
    );
  }

  const root_open = open.root ?? true;
  return (
    <nav className={inside_drawer ? styles.in_drawer : styles.side} aria-label={t('side')}>
      <div className={styles.scroll}>
        {inside_drawer && onCreate && (
          <div style={{ background: 'var(--bar)', borderRadius: 6, padding: 8, marginBottom: 12, display: 'inline-block' }}>
            <NewMenu onCreate={onCreate} />
          </div>
        )}
        <Place href="/" active={pathname === '/'} icon={<IconHome size={16} stroke={1.6} aria-hidden />}>
          {t('home')}
        </Place>
        {marks.length > 0 && (
          <>
            <h2 className={styles.group}>{t('bookmarks')}</h2>
            <ul className={styles.list}>
              {marks.map((mark) => {
                const href = item_path({ model: mark.type, id: mark.item_id, name: mark.name });
                const base = href.replace(/^(\/[^/]+\/\d+).*/, '$1');
                return (
                  <li key={mark.id}>
                    <Place href={href} active={pathname === base || pathname.startsWith(`${base}-`)} icon={<ItemIcon item={{ model: mark.type, display: mark.display, card_type: mark.card_type }} size={16} />}>
                      {mark.name}
                    </Place>
                  </li>
                );
              })}
            </ul>
          </>
        )}
        <h2 className={styles.group}>{t('collections')}</h2>
        <ul className={styles.list}>
          <li>
            <div className={styles.row} data-active={here_id === 'root' || undefined}>
              {shared.length > 0 ? (
                <Twist name={root?.name ?? t('root')} open={root_open} onToggle={() => toggle('root', root_open)} />
              ) : null}
              <Link href="/collection/root" className={styles.place} aria-current={here_id === 'root' ? 'page' : undefined}>
                <IconFolder size={16} stroke={1.6} aria-hidden />
                <span>{root?.name ?? t('root')}</span>
              </Link>
            </div>
            {root_open && <ul className={styles.list}>{shared.map((node) => branch(node, 1))}</ul>}
          </li>
        </ul>
        {own !== null && (
          <Place href={paths.collection({ id: own })} active={here_id === own} icon={<IconUser size={16} stroke={1.6} aria-hidden />}>
            {user?.first_name ? t('own_collection', { name: user.first_name }) : t('your_collection')}
          </Place>
        )}
        <h2 className={styles.group}>{t('browse')}</h2>
        <Place href={paths.databases()} active={pathname.startsWith('/browse/databases')} icon={<IconDatabase size={16} stroke={1.6} aria-hidden />}>
          {t('databases')}
        </Place>
        <Place href={paths.models()} active={pathname === '/browse/models'} icon={<IconBox size={16} stroke={1.6} aria-hidden />}>
          {t('models')}
        </Place>
        <Place href={paths.metrics()} active={pathname === '/browse/metrics'} icon={<IconRulerMeasure size={16} stroke={1.6} aria-hidden />}>
          {t('metrics')}
        </Place>
      </div>
      <div className={styles.foot}>
        <Place href="/trash" active={pathname === '/trash'} icon={<IconTrash size={16} stroke={1.6} aria-hidden />}>
          {t('trash')}
        </Place>
      </div>
      {!inside_drawer && <Grip />}
    </nav>
  );
}

function way_to(nodes: CollectionNode[], id: number): string[] | undefined {
  for (const node of nodes) {
    if (node.id === id) return ['root'];
    const below = way_to(node.children, id);
    if (below) return [...below, String(node.id)];
  }
  return undefined;
}

function Twist({ name, open, onToggle }: { name: string; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation('app');
  return (
    <button type="button" className={styles.twist} aria-expanded={open} aria-label={open ? t('collapse', { name }) : t('expand', { name })} onClick={onToggle}>
      {open ? <IconChevronDown size={14} stroke={1.8} aria-hidden /> : <IconChevronRight size={14} stroke={1.8} aria-hidden />}
    </button>
  );
}

function Place({ href, active, icon, children }: { href: string; active: boolean; icon: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.row} data-active={active || undefined}>
      <Link href={href} className={styles.place} aria-current={active ? 'page' : undefined} title={typeof children === 'string' ? children : undefined}>
        {icon}
        <span>{children}</span>
      </Link>
    </div>
  );
}

function Grip() {
  const { t } = useTranslation('app');
  const { side_width } = useFrame();
  const [dragging, set_dragging] = useState(false);
  function move(event: PointerEvent<HTMLDivElement>) {
    if (dragging) frame.set_width(event.clientX);
  }
  function key(event: KeyboardEvent) {
    if (event.key === 'ArrowLeft') frame.set_width(side_width - 16);
    if (event.key === 'ArrowRight') frame.set_width(side_width + 16);
  }
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('side_resize')}
      aria-valuenow={side_width}
      aria-valuemin={200}
      aria-valuemax={400}
      tabIndex={0}
      className={styles.grip}
      data-dragging={dragging || undefined}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        set_dragging(true);
      }}
      onPointerMove={move}
      onPointerUp={() => set_dragging(false)}
      onKeyDown={key}
      onDoubleClick={() => frame.set_width(264)}
    />
  );
}
