import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { IconArchive, IconArrowLeft, IconDatabase, IconFolder, IconHistory, IconKey, IconListDetails, IconLockAccess, IconMenu2, IconPackage, IconRefreshDot, IconServer2, IconSettings, IconUser, IconUsersGroup, type Icon } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updates } from '@/api/admin';
import { useProperties } from '@/api/session';
import type { Updates } from '@/api/types';
import { AccountMenu } from './TopBar';
import { useFrame } from '@/lib/frame';
import { useNarrow } from '@/lib/narrow';
import { IconButton, Link } from '@/ui/Button';
import { Wordmark } from '@/ui/Mark';
import { Drawer } from '@/ui/Drawer';
import styles from './AdminFrame.module.css';
import '@/features/admin/strings';

interface Section {
  key: string;
  href: string;
  /** Paths that belong to it. */
  under: string[];
  pages: { key: string; href: string; icon: Icon }[];
}

export const sections: Section[] = [
  {
    key: 'settings',
    href: '/admin/settings/general',
    under: ['/admin/settings', '/admin/api-keys'],
    pages: [
      { key: 'general', href: '/admin/settings/general', icon: IconSettings },
      { key: 'sign_in', href: '/admin/settings/auth', icon: IconLockAccess },
      { key: 'api_keys', href: '/admin/api-keys', icon: IconKey },
    ],
  },
  { key: 'databases', href: '/admin/databases', under: ['/admin/databases'], pages: [{ key: 'connections', href: '/admin/databases', icon: IconDatabase }] },
  {
    key: 'people',
    href: '/admin/people',
    under: ['/admin/people'],
    pages: [
      { key: 'all_people', href: '/admin/people', icon: IconUser },
      { key: 'groups', href: '/admin/people/groups', icon: IconUsersGroup },
    ],
  },
  {
    key: 'permissions',
    href: '/admin/permissions/data',
    under: ['/admin/permissions'],
    pages: [
      { key: 'data', href: '/admin/permissions/data', icon: IconListDetails },
      { key: 'collections', href: '/admin/permissions/collections', icon: IconFolder },
    ],
  },
  { key: 'updates', href: '/admin/updates', under: ['/admin/updates'], pages: [
    { key: 'overview', href: '/admin/updates', icon: IconRefreshDot },
    { key: 'backups', href: '/admin/updates/backups', icon: IconArchive },
    { key: 'parked', href: '/admin/updates/parked', icon: IconPackage },
    { key: 'nodes', href: '/admin/updates/nodes', icon: IconServer2 },
    { key: 'history', href: '/admin/updates/history', icon: IconHistory },
  ] },
];

/** The menu entry whose address is the longest beginning of the path. */
export function page_of(section: Section, pathname: string): string | undefined {
  return section.pages
    .filter((page) => pathname === page.href || pathname.startsWith(`${page.href}/`))
    .sort((a, b) => b.href.length - a.href.length)[0]?.key;
}

/** Graphite bar with sections, graphite menu with pages: one knows where one is. */
export function AdminFrame() {
  const { t } = useTranslation('admin');
  const { pathname } = useLocation();
  const narrow = useNarrow();
  const state = useFrame();
  const [menu, set_menu] = useState(false);
  const main = useRef<HTMLElement>(null);
  const section = sections.find((one) => one.under.some((path) => pathname.startsWith(path))) ?? sections[0];
  useEffect(() => set_menu(false), [pathname]);

  return (
    <div className={styles.frame}>
      <header className={styles.bar}>
        {narrow && <IconButton kind="bar" label={t('sections')} icon={<IconMenu2 size={18} stroke={1.6} aria-hidden />} onClick={() => set_menu(true)} />}
        <Link href="/admin/settings/general" className={styles.logo}>
          <Wordmark size={24} ground="dark" />
          <span className={styles.tag}>{t('admin')}</span>
        </Link>
        {!narrow && (
          <nav className={styles.sections} aria-label={t('sections')}>
            {sections.map((one) => (
              <Link key={one.key} href={one.href} aria-current={one === section ? 'true' : undefined}>
                {t(one.key)}
              </Link>
            ))}
          </nav>
        )}
        <span className={styles.spring} />
        <Link href="/" className={styles.back} aria-label={t('back')}>
          <IconArrowLeft size={16} stroke={1.8} aria-hidden />
          <span>{t('back')}</span>
        </Link>
        <AccountMenu />
      </header>
      {!narrow && (
        <nav className={styles.menu} aria-label={t('menu', { section: t(section.key) })}>
          <ul>
            {section.pages.map(({ key, href, icon: Drawn }) => (
              <li key={key}>
                <Link href={href} aria-current={page_of(section, pathname) === key ? 'page' : undefined}>
                  <Drawn size={16} stroke={1.6} aria-hidden />
                  {t(key)}
                </Link>
              </li>
            ))}
          </ul>
          <Facts />
        </nav>
      )}
      {narrow && (
        <Drawer opened={menu} onClose={() => set_menu(false)} size={300} title={t('sections')}>
          <nav aria-label={t('sections')}>
            {sections.map((one) => (
              <div key={one.key} className={styles.phone_group}>
                <h3>{t(one.key)}</h3>
                <ul>
                  {one.pages.map(({ key, href, icon: Drawn }) => (
                    <li key={key}>
                      <Link href={href} aria-current={one === section && page_of(one, pathname) === key ? 'page' : undefined}>
                        <Drawn size={16} stroke={1.6} aria-hidden />
                        {t(key)}
                      </Link>
                    </li>
                  ))}
                </ul>
              </div>
            ))}
          </nav>
        </Drawer>
      )}
      <main id="main" ref={main} tabIndex={-1} className={styles.main} data-scroll-restoration-id="main">
        <Outlet />
      </main>
      <div className="visually-hidden" role="status" aria-live="polite">
        {state.title}
      </div>
    </div>
  );
}

function Facts() {
  const { t } = useTranslation('admin');
  const properties = useProperties();
  // Only what the pages about updates have fetched already.
  const store = useQuery<Updates>({ queryKey: ['updates'], queryFn: ({ signal }) => updates.state({ signal }), enabled: false }).data;
  return (
    <p className={styles.facts}>
      {properties?.['site-name']}
      <br />
      {properties?.['basalt-version'] ? t('version', { version: properties['basalt-version'] }) : ''}
      {store && (
        <>
          <br />
          {t('store', { engine: store.store_version ?? '' })}
          <br />
          {t('schema', { schema: store.schema })}
        </>
      )}
    </p>
  );
}
