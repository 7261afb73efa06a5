import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { search } from '@/api/collections';
import { useCurrentUser } from '@/api/session';
import type { SearchResult } from '@/api/types';
import { item_key } from '@/items/kinds';
import { usePageTitle } from '@/lib/frame';
import { useGo, write_search } from '@/lib/navigate';
import { item_path } from '@/lib/paths';
import { when } from '@/lib/time';
import { Button, Link } from '@/ui/Button';
import { Checkbox, Radio, TextInput } from '@/ui/fields';
import { Highlight } from '@/ui/Highlight';
import { ItemIcon } from '@/ui/icons';
import { Page, PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import '@/items/strings';
import styles from './SearchPage.module.css';
import './strings';

const kinds = ['card', 'dashboard', 'dataset', 'metric', 'collection', 'table', 'database'] as const;
const page_size = 30;

export function SearchPage() {
  const { t } = useTranslation('search');
  const query = useSearch({ strict: false }) as { q?: string; type?: string; mine?: string; archived?: string };
  const user = useCurrentUser();
  const go = useGo();
  const [words, set_words] = useState(query.q ?? '');
  useEffect(() => set_words(query.q ?? ''), [query.q]);
  const change = (next: Partial<typeof query>) => go(`/search${write_search({ ...query, ...next })}`, { replace: true });
  const settle = useDebouncedCallback((text: string) => change({ q: text.trim() || undefined }), 250);
  usePageTitle(query.q ? t('results_for', { words: query.q }) : t('title'));

  const asked = {
    q: query.q,
    models: query.type ? [query.type] : undefined,
    created_by: query.mine && user ? user.id : undefined,
    archived: query.archived ? true : undefined,
  };
  const found = useInfiniteQuery({
    queryKey: ['search', 'page', asked],
    queryFn: ({ signal, pageParam }) => search({ ...asked, limit: page_size, offset: pageParam }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const seen = pages.reduce((sum, page) => sum + page.data.length, 0);
      return last.data.length > 0 && seen < last.total ? seen : undefined;
    },
    placeholderData: (before) => before,
  });
  const items = found.data?.pages.flatMap((page) => page.data) ?? [];
  const total = found.data?.pages[0]?.total ?? 0;
  const filtered = query.type || query.mine || query.archived;

  return (
    <Page>
      <PageHead title={query.q ? t('results_for', { words: query.q }) : t('everything')} />
      <div className={styles.split}>
        <aside className={styles.facets}>
          <TextInput
            aria-label={t('field')}
            placeholder={t('field')}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={words}
            onChange={(event) => {
              set_words(event.currentTarget.value);
              settle(event.currentTarget.value);
            }}
          />
          <Radio.Group label={t('kinds')} value={query.type ?? 'all'} onChange={(value) => change({ type: value === 'all' ? undefined : value })}>
            <div className={styles.options}>
              <Radio value="all" label={t('all')} />
              {kinds.map((kind) => (
                <Radio key={kind} value={kind} label={t(kind)} />
              ))}
            </div>
          </Radio.Group>
          <Radio.Group label={t('who')} value={query.mine ? 'mine' : 'anyone'} onChange={(value) => change({ mine: value === 'mine' ? '1' : undefined })}>
            <div className={styles.options}>
              <Radio value="anyone" label={t('anyone')} />
              <Radio value="mine" label={t('mine')} />
            </div>
          </Radio.Group>
          <Checkbox label={t('trash_too')} checked={Boolean(query.archived)} onChange={(event) => change({ archived: event.currentTarget.checked ? '1' : undefined })} />
        </aside>
        <section className={styles.results} aria-busy={found.isFetching}>
          <p className={styles.count} role="status">
            {found.isSuccess ? t('count', { count: total }) : ''}
          </p>
          {found.isPending ? (
            <div className={styles.list}>
              <ListSkeleton rows={8} height={64} />
            </div>
          ) : found.isError ? (
            <ErrorCard title={t('failed')} detail={found.error.message} onRetry={() => void found.refetch()} />
          ) : items.length === 0 ? (
            <EmptyState
              icon={<IconSearch size={22} stroke={1.6} aria-hidden />}
              title={t('none_title')}
              actions={filtered && <Button onClick={() => change({ type: undefined, mine: undefined, archived: undefined })}>{t('clear')}</Button>}
            >
              {t('none_text')}
            </EmptyState>
          ) : (
            <>
              <ul className={styles.list}>
                {items.map((item) => (
                  <Result key={item_key(item)} item={item} words={query.q ?? ''} />
                ))}
              </ul>
              {found.hasNextPage && (
                <div className={styles.more}>
                  <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                    {t('more')}
                  </Button>
                </div>
              )}
            </>
          )}
        </section>
      </div>
    </Page>
  );
}

function Result({ item, words }: { item: SearchResult; words: string }) {
  const { t } = useTranslation('search');
  const { t: kind } = useTranslation('items');
  const place =
    item.model === 'table'
      ? [item.database_name, item.table_schema].filter(Boolean).join(' / ')
      : item.model === 'database'
        ? ''
        : (item.collection?.name ?? t('root'));
  const changed = when(item.last_edited_at ?? item.updated_at);
  return (
    <li className={styles.result}>
      <ItemIcon item={item} size={20} />
      <div>
        <Link href={item_path(item)} className={styles.name}>
          <Highlight text={item.name} words={words} />
        </Link>
        <p className={styles.meta}>
          {[
            [kind(`kind_${item.model}`, { defaultValue: item.model }), place && t('in_collection', { place })].filter(Boolean).join(' '),
            item.last_editor_common_name && changed ? t('changed', { who: item.last_editor_common_name, when: changed }) : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {item.description && (
          <p className={styles.text}>
            <Highlight text={item.description} words={words} />
          </p>
        )}
      </div>
    </li>
  );
}
