import { TextInput } from '@mantine/core';
import { IconChevronRight, IconFolder, IconSearch, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { collections, search } from '@/api/collections';
import type { Card, CollectionId, DashCard } from '@/api/types';
import { Button, IconButton } from '@/ui/Button';
import { ItemIcon } from '@/ui/icons';
import { ListSkeleton } from '@/ui/States';
import { Textarea } from '@/ui/fields';
import { SettingsPanel } from '@/viz/SettingsPanel';
import { visualizationOf } from '@/viz/all';
import type { Parameter } from '@/query/parameters';
import { say } from '@/query/words';
import lists from '@/query/editors/editors.module.css';
import { readableCard, settingsOf } from '../cards/DashCardView';
import { virtualKind } from '../model';
import { useCardResult } from '../useCardResult';
import type { Values } from '../values';
import styles from '../dashboard.module.css';

function DrawerFrame({ title, onClose, children, foot }: { title: string; onClose: () => void; children: ReactNode; foot?: ReactNode }) {
  return (
    <aside className={styles.drawer} aria-label={title}>
      <div className={styles.drawer_head}>
        <h2>{title}</h2>
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={styles.drawer_body}>{children}</div>
      {foot && <div className={styles.drawer_foot}>{foot}</div>}
    </aside>
  );
}

/** Finds saved questions by name or by collection, to put them on the dashboard. */
export function AddDrawer({ start, onAdd, onClose, onNew }: { start: number | null; onAdd: (id: number) => void; onClose: () => void; onNew: (kind: 'builder' | 'sql') => void }) {
  const [words, set_words] = useState('');
  const [later, set_later] = useState('');
  const [place, set_place] = useState<CollectionId>(start ?? 'root');
  useEffect(() => {
    const timer = setTimeout(() => set_later(words.trim()), 200);
    return () => clearTimeout(timer);
  }, [words]);
  const here = useQuery({ queryKey: ['collections', place], queryFn: ({ signal }) => collections.one(place, { signal }) });
  const items = useQuery({ queryKey: ['collections', place, 'items', 'for-dashboard'], queryFn: ({ signal }) => collections.items(place, { models: ['card', 'dataset', 'metric', 'collection'], limit: 200 }, { signal }), enabled: later === '' });
  const found = useQuery({ queryKey: ['search', 'for-dashboard', later], queryFn: ({ signal }) => search({ q: later, models: ['card', 'dataset', 'metric'], limit: 50 }, { signal }), enabled: later !== '', placeholderData: (before) => before });
  const parents = here.data?.effective_ancestors ?? [];
  const busy = later === '' ? items.isPending : found.isPending;
  return (
    <DrawerFrame title={say('Add a chart')} onClose={onClose} foot={<><Button onClick={() => onNew('builder')}>{say('New question')}</Button><Button onClick={() => onNew('sql')}>{say('New SQL question')}</Button></>}>
      <TextInput value={words} onChange={(event) => set_words(event.currentTarget.value)} placeholder={say('Find a question')} aria-label={say('Find a question')} leftSection={<IconSearch size={16} aria-hidden />} autoFocus />
      {later === '' && (
        <div style={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
          {place !== 'root' && !parents.some((item) => item.id === 'root') && <button type="button" className={styles.link} onClick={() => set_place('root')}>{say('Our analytics')}</button>}
          {parents.map((parent) => <button key={String(parent.id)} type="button" className={styles.link} onClick={() => set_place((parent.id ?? 'root') as CollectionId)}>{parent.name}</button>)}
          <b className={styles.edit_count} style={{ color: 'var(--ink)' }}>{here.data?.name ?? say('Our analytics')}</b>
        </div>
      )}
      {busy ? <ListSkeleton rows={6} height={36} /> : (
        <div style={{ margin: '0 -8px' }}>
          {later === ''
            ? items.data?.data.map((item) => (
                <button key={`${item.model}${item.id}`} type="button" className={lists.item} onClick={() => (item.model === 'collection' ? set_place(item.id) : onAdd(item.id))}>
                  {item.model === 'collection' ? <IconFolder size={18} stroke={1.6} aria-hidden /> : <ItemIcon item={item} />}
                  <span className={lists.grow}>{item.name}</span>
                  {item.model === 'collection' && <IconChevronRight size={16} stroke={1.6} aria-hidden />}
                </button>
              ))
            : found.data?.data.map((item) => (
                <button key={item.id} type="button" className={lists.item} onClick={() => onAdd(Number(item.id))}>
                  <ItemIcon item={item} />
                  <span className={lists.grow}>{item.name}</span>
                  <span className={lists.side}>{item.collection?.name ?? say('Our analytics')}</span>
                </button>
              ))}
          {((later === '' && items.data?.data.length === 0) || (later !== '' && found.data?.data.length === 0)) && <div className={lists.nothing}>{later === '' ? say('No questions in this collection.') : say('No question is called “{{words}}”.', { words: later })}</div>}
        </div>
      )}
    </DrawerFrame>
  );
}

/** How one card looks on this dashboard; the question itself stays as it is. */
export function LookDrawer({ dashboard, dashcard, parameters, values, onChange, onClose }: { dashboard: number; dashcard: DashCard; parameters: Parameter[]; values: Values; onChange: (settings: Record<string, unknown>) => void; onClose: () => void }) {
  const kind = virtualKind(dashcard);
  const card = readableCard(dashcard);
  const own = dashcard.visualization_settings;
  const title = typeof own['card.title'] === 'string' ? own['card.title'] : '';
  if (kind) {
    const link = (own['link'] ?? {}) as { url?: string };
    return (
      <DrawerFrame title={kind === 'text' ? say('Text') : kind === 'heading' ? say('Heading') : kind === 'link' ? say('Link') : say('Embedded page')} onClose={onClose} foot={<><span /><Button kind="primary" onClick={onClose}>{say('Done')}</Button></>}>
        {kind === 'link' ? <TextInput label={say('Address')} placeholder="https://" value={link.url ?? ''} onChange={(event) => onChange({ ...own, link: { url: event.currentTarget.value } })} autoFocus />
        : kind === 'iframe' ? <TextInput label={say('Address')} placeholder="https://" description={say('Only addresses that start with https:// are shown.')} value={String(own['iframe'] ?? '')} onChange={(event) => onChange({ ...own, iframe: event.currentTarget.value })} autoFocus />
        : kind === 'heading' ? <TextInput label={say('Heading')} value={String(own['text'] ?? '')} onChange={(event) => onChange({ ...own, text: event.currentTarget.value })} autoFocus />
        : <Textarea label={say('Text')} description={say('Markdown: # heading, **bold**, - list, [link](address). {{state}} shows the value of a filter that is linked to it.', { state: '{{state}}' })} value={String(own['text'] ?? '')} onChange={(event) => onChange({ ...own, text: event.currentTarget.value })} autosize minRows={10} maxRows={24} autoFocus />}
      </DrawerFrame>
    );
  }
  return (
    <DrawerFrame title={say('Look of “{{name}}”', { name: card?.name ?? '' })} onClose={onClose} foot={<><span /><Button kind="primary" onClick={onClose}>{say('Done')}</Button></>}>
      <TextInput label={say('Title on this dashboard')} placeholder={card?.name} value={title} onChange={(event) => { const { 'card.title': _title, ...rest } = own; onChange(event.currentTarget.value === '' ? rest : { ...own, 'card.title': event.currentTarget.value }); }} />
      {card && <Look dashboard={dashboard} dashcard={dashcard} card={card} parameters={parameters} values={values} onChange={onChange} />}
    </DrawerFrame>
  );
}
function Look({ dashboard, dashcard, card, parameters, values, onChange }: { dashboard: number; dashcard: DashCard; card: Card; parameters: Parameter[]; values: Values; onChange: (settings: Record<string, unknown>) => void }) {
  const result = useCardResult(dashboard, dashcard, parameters, values, dashcard.id < 0);
  if (!result.data || result.data.status !== 'completed') return <ListSkeleton rows={4} height={36} />;
  const shown = settingsOf(dashcard);
  return (
    <div style={{ margin: '0 -20px' }}>
      <SettingsPanel
        definition={visualizationOf(card.display)} settings={shown} columns={result.data.data.cols} rows={result.data.data.rows}
        onChange={(next) => {
          // Only what differs from the question is kept on the dashboard.
          const base = card.visualization_settings ?? {};
          const kept = Object.fromEntries(Object.entries(next).filter(([key, value]) => key === 'card.title' || JSON.stringify(value) !== JSON.stringify(base[key])));
          onChange(kept);
        }}
      />
    </div>
  );
}
