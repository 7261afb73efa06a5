import { IconHelpCircle, IconLayoutGrid, IconLayoutSidebar, IconLogout, IconMenu2, IconPlus, IconSearch, IconSettings, IconUser, IconChartBar } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { reload_session, session, useCurrentUser, useProperties } from '@/api/session';
import { useGo } from '@/lib/navigate';
import { paths } from '@/lib/paths';
import { key_caps } from '@/lib/shortcuts';
import { IconButton, Link } from '@/ui/Button';
import { Key } from '@/ui/Chip';
import { Avatar } from '@/ui/Hexagon';
import { ItemIcon } from '@/ui/icons';
import { Wordmark } from '@/ui/Mark';
import { Menu, MenuLink } from '@/ui/Overlays';
import { toast_failure } from '@/ui/toast';
import type { Creating } from './CreateDialogs';
import styles from './Frame.module.css';

const ThemeSwitch = lazy(() => import('./ThemeSwitch').then((module) => ({ default: module.ThemeSwitch })));

export function TopBar({
  narrow,
  side_open,
  onMenu,
  onSearch,
  onKeys,
  onFacts,
  onCreate,
}: {
  narrow: boolean;
  side_open: boolean;
  onMenu: () => void;
  onSearch: () => void;
  onKeys: () => void;
  onFacts: () => void;
  onCreate: (kind: Creating) => void;
}) {
  const { t } = useTranslation('app');
  const user = useCurrentUser();
  return (
    <header className={styles.bar} aria-label={t('bar')}>
      <IconButton
        kind="bar"
        label={narrow ? t('menu') : t('side_toggle')}
        aria-expanded={side_open}
        icon={narrow ? <IconMenu2 size={18} stroke={1.6} aria-hidden /> : <IconLayoutSidebar size={18} stroke={1.6} aria-hidden />}
        onClick={onMenu}
      />
      <Link href="/" className={styles.logo} aria-label={t('home')}>
        <Wordmark size={24} ground="dark" />
      </Link>
      {narrow ? (
        <>
          <span className={styles.spring} />
          <IconButton kind="bar" label={t('search')} icon={<IconSearch size={20} stroke={1.6} aria-hidden />} onClick={onSearch} />
        </>
      ) : (
        <>
          <button type="button" className={styles.field} onClick={onSearch} aria-haspopup="dialog">
            <IconSearch size={16} stroke={1.6} aria-hidden />
            <span>{t('search_field')}</span>
            <kbd>{key_caps('mod+k').join(' ')}</kbd>
          </button>
          <span className={styles.spring} />
          <NewMenu onCreate={onCreate} />
          <Menu width={264}>
            <Menu.Target>
              <IconButton kind="bar" label={t('help')} icon={<IconHelpCircle size={18} stroke={1.6} aria-hidden />} />
            </Menu.Target>
            <HelpMenu onKeys={onKeys} onFacts={onFacts} />
          </Menu>
          <Menu width={240}>
            <Menu.Target>
              <IconButton kind="bar" label={t('apps')} icon={<IconLayoutGrid size={18} stroke={1.6} aria-hidden />} />
            </Menu.Target>
            <Menu.Dropdown>
              <MenuLink href={'/'} icon={<IconChartBar size={16} aria-hidden />}>{t('app_basalt')}</MenuLink>
              {user?.is_superuser && (
                <MenuLink href={paths.admin()} icon={<IconSettings size={16} aria-hidden />}>{t('app_admin')}</MenuLink>
              )}
            </Menu.Dropdown>
          </Menu>
        </>
      )}
      <AccountMenu />
    </header>
  );
}

function HelpMenu({ onKeys, onFacts }: { onKeys: () => void; onFacts: () => void }) {
  const { t } = useTranslation('app');
  const properties = useProperties();
  return (
    <Menu.Dropdown>
      <Menu.Item onClick={onKeys} rightSection={<Key>?</Key>}>
        {t('keys_title')}
      </Menu.Item>
      <Menu.Item onClick={onFacts}>{t('diagnostics')}</Menu.Item>
      <Menu.Divider />
      <Menu.Label>{t('version', { version: properties?.['basalt-version'] ?? '' })}</Menu.Label>
    </Menu.Dropdown>
  );
}

export function NewMenu({ onCreate }: { onCreate: (kind: Creating) => void }) {
  const { t } = useTranslation('app');
  const go = useGo();
  const entries: { model: string; display?: string; query_type?: string; label: string; keys: string; run: () => void }[] = [
    { model: 'card', display: 'bar', label: t('new_question'), keys: 'c q', run: () => go(paths.builder()) },
    { model: 'card', query_type: 'native', label: t('new_sql'), keys: 'c n', run: () => go(paths.sql()) },
    { model: 'dashboard', label: t('new_dashboard'), keys: 'c d', run: () => onCreate('dashboard') },
    { model: 'collection', label: t('new_collection'), keys: 'c f', run: () => onCreate('collection') },
    { model: 'dataset', label: t('new_model'), keys: 'c k', run: () => go(`${paths.builder()}?type=model`) },
    { model: 'metric', label: t('new_metric'), keys: 'c m', run: () => go(`${paths.builder()}?type=metric`) },
  ];
  return (
    <Menu width={240}>
      <Menu.Target>
        <button type="button" className={styles.new}>
          <IconPlus size={16} stroke={2} aria-hidden />
          {t('new')}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {entries.map((entry) => (
          <Menu.Item
            key={entry.keys}
            leftSection={<ItemIcon item={entry} size={16} />}
            rightSection={
              <span style={{ display: 'inline-flex', gap: 4 }} aria-hidden>
                {key_caps(entry.keys).map((cap) => (
                  <Key key={cap}>{cap}</Key>
                ))}
              </span>
            }
            onClick={entry.run}
          >
            {entry.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Account, theme, administration, sign out. Shared with the admin's frame. */
export function AccountMenu() {
  const { t } = useTranslation('app');
  const user = useCurrentUser();
  const go = useGo();
  if (!user) return null;
  async function sign_out() {
    try {
      await session.sign_out();
    } catch (error) {
      toast_failure(error);
      return;
    }
    await reload_session();
    go(paths.sign_in());
  }
  return (
    <Menu width={248}>
      <Menu.Target>
        <button type="button" className={styles.who} aria-label={t('account_menu', { name: user.common_name })}>
          <Avatar name={user.common_name} id={user.id} size={26} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={styles.person}>
          <b>{user.common_name}</b>
          <span>{user.email}</span>
        </div>
        <Menu.Divider />
        <MenuLink href={paths.account()} icon={<IconUser size={16} aria-hidden />}>{t('account')}</MenuLink>
        {user.is_superuser && (
          <MenuLink href={paths.admin()} icon={<IconSettings size={16} aria-hidden />}>{t('app_admin')}</MenuLink>
        )}
        <div style={{ padding: '8px 8px 4px', minHeight: 44 }}>
          <Suspense><ThemeSwitch /></Suspense>
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void sign_out()}>
          {t('sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
