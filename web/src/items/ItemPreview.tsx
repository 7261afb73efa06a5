import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useCard, useCardResult } from '@/api/cards';
import { dashboards, useDashboard } from '@/api/dashboards';
import type { Card, CollectionItem, DashCard, Dataset } from '@/api/types';
import { item_path } from '@/lib/paths';
import { Link } from '@/ui/Button';
import { ItemIcon } from '@/ui/icons';
import { ChartSkeleton } from '@/ui/States';
import styles from './ItemPreview.module.css';
import { kind_key } from './kinds';
import './strings';

const Visualization = lazy(() => import('@/viz/Visualization').then((module) => ({ default: module.Visualization })));

type Item = Pick<CollectionItem, 'id' | 'model' | 'name' | 'display' | 'query_type'>;

/** A pinned item with what it shows now. `tools` sit at the end of its head. */
export function ItemPreview({ item, height = 120, ruled = false, tools }: { item: Item; height?: number; ruled?: boolean; tools?: ReactNode }) {
  const { t } = useTranslation('items');
  return (
    <article className={styles.card} data-ruled={ruled || undefined}>
      <header className={styles.head}>
        <span className={styles.icon}>
          <ItemIcon item={item} />
        </span>
        <Link href={item_path(item)} className={styles.name}>
          {item.name}
        </Link>
        {item.model === 'dashboard' ? <CardCount id={item.id} /> : <span className={styles.meta}>{[t(kind_key(item)), item.display && t(`display_${item.display}`, { defaultValue: '' })].filter(Boolean).join(', ')}</span>}
        {tools}
      </header>
      <div className={styles.body} style={{ height }}>
        {item.model === 'dashboard' ? <DashboardPreview id={item.id} /> : <CardPreview id={item.id} />}
      </div>
    </article>
  );
}

function CardCount({ id }: { id: number }) {
  const { t } = useTranslation('items');
  const dashboard = useDashboard(id).data;
  const count = dashboard?.dashcards?.filter((one) => one.card_id !== null).length;
  return <span className={styles.meta}>{[t('kind_dashboard'), count === undefined ? '' : t('cards', { count })].filter(Boolean).join(', ')}</span>;
}

function Drawn({ card, result, failed }: { card?: Card; result?: Dataset; failed: boolean }) {
  const { t } = useTranslation('items');
  if (failed || result?.status === 'failed') return <p className={styles.note}>{t('preview_failed')}</p>;
  if (!card || !result) return <ChartSkeleton />;
  if (result.data.rows.length === 0) return <p className={styles.note}>{t('preview_empty')}</p>;
  return (
    <Suspense fallback={<ChartSkeleton />}>
      <Visualization card={card} result={result} place="preview" />
    </Suspense>
  );
}

function CardPreview({ id }: { id: number }) {
  const card = useCard(id);
  const result = useCardResult(id);
  return <Drawn card={card.data} result={result.data} failed={card.isError || result.isError} />;
}

/** The card that tells most at a small size: a chart before numbers, numbers before tables. */
export function card_to_show(cards: DashCard[]): DashCard | undefined {
  const rank = (one: DashCard) => {
    const display = one.card && 'display' in one.card ? one.card.display : undefined;
    if (one.card_id === null || display === undefined) return 9;
    if (['scalar', 'smartscalar', 'gauge', 'progress'].includes(display)) return 1;
    return ['table', 'pivot', 'object'].includes(display) ? 2 : 0;
  };
  return cards
    .filter((one) => rank(one) < 9)
    .sort((a, b) => rank(a) - rank(b) || a.row - b.row || a.col - b.col)[0];
}

function DashboardPreview({ id }: { id: number }) {
  const { t } = useTranslation('items');
  const dashboard = useDashboard(id);
  const shown = dashboard.data && card_to_show(dashboard.data.dashcards ?? []);
  const result = useQuery({
    queryKey: ['dashboards', id, 'preview', shown?.id],
    queryFn: ({ signal }) => dashboards.run_card({ dashboard: id, dashcard: shown!.id, card: shown!.card_id! }, {}, { signal }),
    enabled: shown !== undefined,
    staleTime: 60_000,
  });
  if (dashboard.data && !shown) return <p className={styles.note}>{t('preview_no_chart')}</p>;
  const card = shown?.card as Card | undefined;
  // A card on a dashboard may look different from the card on its own.
  const dressed = card && shown && { ...card, visualization_settings: { ...card.visualization_settings, ...shown.visualization_settings } };
  return <Drawn card={dressed} result={result.data} failed={dashboard.isError || result.isError} />;
}
