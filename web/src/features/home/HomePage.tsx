import { IconAdjustmentsHorizontal, IconDatabase, IconPlus, IconSparkles, IconTerminal2, IconTrendingUp } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { useCollection, useCollectionItems, usePopular, useRecents, useSearch } from '@/api/collections';
import { databases, useDatabases } from '@/api/databases';
import { useCurrentUser } from '@/api/session';
import type { CollectionItem, RecentItem } from '@/api/types';
import { ItemPreview } from '@/items/ItemPreview';
import { item_key } from '@/items/kinds';
import { usePageTitle } from '@/lib/frame';
import { item_path, paths } from '@/lib/paths';
import { ago_inside, long_day } from '@/lib/time';
import { Button, ButtonLink, Link } from '@/ui/Button';
import { Hexagon } from '@/ui/Hexagon';
import { ItemIcon } from '@/ui/icons';
import { Page } from '@/ui/PageHead';
import { EmptyState, ListSkeleton } from '@/ui/States';
import { toast_failure } from '@/ui/toast';
import { ArrangeDialog } from './ArrangeDialog';
import { greeting } from './greeting';
import styles from './HomePage.module.css';
import './strings';

export function HomePage() {
  const { t } = useTranslation('home');
  usePageTitle(t('title'));
  const user = useCurrentUser();
  const root = useCollection('root').data;
  const pinned = useCollectionItems('root', { pinned_state: 'is_pinned' });
  const popular = usePopular();
  const recents = useRecents();
  const sources = useDatabases();
  const [arranging, set_arranging] = useState(false);

  const now = new Date();
  const name = user?.first_name?.trim() || user?.common_name || '';
  const pins = (pinned.data?.data ?? []).filter((item) => item.model !== 'collection');
  const most: CollectionItem[] = (popular.data ?? [])
    .filter((item) => item.model === 'dashboard' || item.model === 'card')
    .slice(0, 3)
    .map((item) => ({ id: item.model_id ?? item.id ?? 0, model: item.model, name: item.name, display: item.display, description: null }));
  // A young site has looked at little yet: the row is filled with what there is.
  const bare = pinned.isFetched && popular.isFetched && pins.length === 0 && most.length < 3;
  const any = useSearch({ models: ['dashboard', 'card'], limit: 12, offset: 0 }, bare);
  const known = new Set(most.map(item_key));
  const found: CollectionItem[] = (bare ? (any.data?.data ?? []) : [])
    .map((item) => ({ id: Number(item.id), model: item.model, name: item.name, display: item.display, description: item.description }))
    .filter((item) => !known.has(item_key(item)) && item.display !== 'table' && item.display !== 'scalar' && item.display !== 'smartscalar')
    .sort((a, b) => Number(b.model === 'dashboard') - Number(a.model === 'dashboard'));
  const shown = pins.length > 0 ? pins.slice(0, 6) : [...most, ...found].slice(0, 3);
  const lately = (recents.data ?? []).slice(0, 6);
  const settled = pinned.isFetched && popular.isFetched && recents.isFetched && sources.isFetched && (!bare || any.isFetched);
  const connected = (sources.data ?? []).filter((one) => !one.is_saved_questions);
  const nothing = settled && shown.length === 0 && lately.length === 0;

  return (
    <Page>
      <header className={styles.head}>
        <div>
          <h1>{t(greeting(now.getHours()), { name })}</h1>
          <p>{long_day(now)}</p>
        </div>
        {root?.can_write && !nothing && (
          <Button icon={<IconAdjustmentsHorizontal size={16} stroke={1.8} aria-hidden />} onClick={() => set_arranging(true)}>
            {t('arrange')}
          </Button>
        )}
      </header>

      {settled && connected.length === 0 ? (
        <Connect admin={user?.is_superuser ?? false} />
      ) : nothing ? (
        <First databases_known={connected} />
      ) : (
        <>
          {(shown.length > 0 || !settled) && (
            <section className={styles.section} aria-labelledby="home-pinned">
              <div className={styles.section_head}>
                <h2 id="home-pinned">{pins.length > 0 || !settled ? t('pinned') : most.length > 0 ? t('popular') : t('dashboards')}</h2>
                <Link href="/search?type=dashboard">{t('all_dashboards')}</Link>
              </div>
              <div className={styles.previews}>
                {shown.length > 0
                  ? shown.map((item) => <ItemPreview key={item_key(item)} item={item} ruled height={208} />)
                  : [0, 1, 2].map((one) => <div key={one} className={styles.ghost} />)}
              </div>
            </section>
          )}
          <div className={styles.halves}>
            {(lately.length > 0 || recents.isPending) && (
              <section aria-labelledby="home-recent">
                <div className={styles.section_head}>
                  <h2 id="home-recent">{t('left_off')}</h2>
                </div>
                <div className={styles.list}>
                  {recents.isPending ? <ListSkeleton rows={6} height={48} /> : lately.map((item) => <Recent key={item_key(item)} item={item} />)}
                </div>
              </section>
            )}
            <section aria-labelledby="home-worth">
              <div className={styles.section_head}>
                <h2 id="home-worth">{t('worth')}</h2>
              </div>
              <Worth seen={new Set(lately.map(item_key))} popular={most} databases_known={connected} />
            </section>
          </div>
        </>
      )}
      {arranging && <ArrangeDialog root={root?.name ?? t('root')} items={pins} onClose={() => set_arranging(false)} />}
    </Page>
  );
}

function Recent({ item }: { item: RecentItem }) {
  const { t } = useTranslation('home');
  const place = item.parent_collection ? (item.parent_collection.name ?? t('root')) : (item.database?.name ?? '');
  const moment = ago_inside(item.timestamp);
  return (
    <Link href={item_path(item)} className={styles.recent}>
      <ItemIcon item={item} />
      <b>{item.display_name ?? item.name}</b>
      <span className={styles.place}>{place}</span>
      <span className={styles.note}>{moment ? t('seen', { when: moment }) : ''}</span>
    </Link>
  );
}

interface Hint {
  key: string;
  icon: ReactNode;
  text: ReactNode;
  href: string;
  link: string;
}

/** Up to three ways on, all of them to things that exist. */
function Worth({ seen, popular, databases_known }: { seen: Set<string>; popular: CollectionItem[]; databases_known: { id: number; name: string }[] }) {
  const { t } = useTranslation('home');
  const hints: Hint[] = [];
  const others = popular.find((item) => !seen.has(item_key(item)));
  if (others) {
    hints.push({
      key: 'popular',
      icon: <IconTrendingUp size={18} stroke={1.6} aria-hidden />,
      text: <Trans t={t} i18nKey="look_popular" values={{ name: others.name }} components={{ b: <b /> }} />,
      href: item_path(others),
      link: t('look_popular_link'),
    });
  }
  for (const database of databases_known.slice(0, 3 - hints.length - 1)) {
    hints.push({
      key: `db-${database.id}`,
      icon: <IconDatabase size={18} stroke={1.6} aria-hidden />,
      text: <Trans t={t} i18nKey="look_database" values={{ name: database.name }} components={{ b: <b /> }} />,
      href: paths.database(database),
      link: t('look_database_link'),
    });
  }
  hints.push({ key: 'sql', icon: <IconTerminal2 size={18} stroke={1.6} aria-hidden />, text: t('look_sql'), href: paths.sql(), link: t('look_sql_link') });
  return (
    <div className={styles.list} data-hints>
      {hints.map((hint) => (
        <div key={hint.key} className={styles.hint}>
          <Hexagon size={36} tone="sunken">
            {hint.icon}
          </Hexagon>
          <div>
            <p>{hint.text}</p>
            <Link href={hint.href}>{hint.link}</Link>
          </div>
        </div>
      ))}
    </div>
  );
}

function First({ databases_known }: { databases_known: { id: number; name: string; engine: string }[] }) {
  const { t } = useTranslation('home');
  return (
    <>
      <EmptyState
        title={t('first_title')}
        actions={
          <ButtonLink kind="primary" size="large" icon={<IconPlus size={16} aria-hidden />} href={paths.builder()}>
            {t('first_ask')}
          </ButtonLink>
        }
      >
        {t('first_text')}
      </EmptyState>
      <section aria-labelledby="home-tables" className={styles.section}>
        <div className={styles.section_head}>
          <h2 id="home-tables">{t('tables')}</h2>
        </div>
        <div className={styles.list} data-hints>
          {databases_known.slice(0, 4).map((database) => (
            <div key={database.id} className={styles.hint}>
              <Hexagon size={36} tone="sunken">
                <IconSparkles size={18} stroke={1.6} aria-hidden />
              </Hexagon>
              <div>
                <p>
                  <Trans t={t} i18nKey="look_database" values={{ name: database.name }} components={{ b: <b /> }} />
                </p>
                <Link href={paths.database(database)}>{t('look_database_link')}</Link>
              </div>
            </div>
          ))}
        </div>
      </section>
    </>
  );
}

function Connect({ admin }: { admin: boolean }) {
  const { t } = useTranslation('home');
  const [busy, set_busy] = useState(false);
  async function sample() {
    set_busy(true);
    try {
      await databases.add_sample();
      await databases.refresh();
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
    }
  }
  return (
    <EmptyState
      title={t('connect_title')}
      actions={
        admin && (
          <>
            <ButtonLink kind="primary" size="large" href={paths.admin('databases/create')}>
              {t('connect')}
            </ButtonLink>
            <Button size="large" busy={busy} onClick={() => void sample()}>
              {t('sample')}
            </Button>
          </>
        )
      }
    >
      {admin ? t('connect_text') : t('ask_admin')}
    </EmptyState>
  );
}
