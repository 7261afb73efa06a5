import { useState } from 'react';
import { dashboards } from '../../api/dashboards';
import { useSearch } from '../../api/collections';
import { cards } from '../../api/cards';
import type { Card, DashCard } from '../../api/types';
import { paths } from '../../lib/paths';
import { say } from '../../query/words';
import { Button } from '../../ui/Button';
import { CollectionPicker } from '../../ui/CollectionPicker';
import { TextInput } from '../../ui/fields';
import { Dialog } from '../../ui/Dialog';
import { toast, toast_failure } from '../../ui/toast';
import { visualizationOf } from '../../viz/all';

/** First free place for a card of this size below everything on the tab. */
export function freeRow(list: Pick<DashCard, 'row' | 'size_y'>[]): number {
  return list.reduce((most, card) => Math.max(most, card.row + card.size_y), 0);
}

export function AddToDashboard({ card, opened, onClose, go }: { card: Card; opened: boolean; onClose: () => void; go: (href: string) => void }) {
  const [words, setWords] = useState('');
  const found = useSearch({ q: words || undefined, models: ['dashboard'], limit: 20 } as never, opened);
  async function add(id: number, name: string) {
    const dashboard = await dashboards.one(id);
    const size = visualizationOf(card.display).usual;
    const tab = dashboard.tabs[0]?.id ?? null;
    const there = dashboard.dashcards.filter((one) => (one.dashboard_tab_id ?? null) === tab);
    const fresh = { id: -1, card_id: card.id, row: freeRow(there), col: 0, size_x: size.width, size_y: size.height, dashboard_tab_id: tab, parameter_mappings: [], visualization_settings: {} };
    await dashboards.update(id, { dashcards: [...dashboard.dashcards, fresh as unknown as DashCard], tabs: dashboard.tabs });
    onClose();
    toast(say('Added to {{name}}.', { name }));
    go(paths.dashboard({ id, name }));
  }
  return (
    <Dialog opened={opened} onClose={onClose} title={say('Add to a dashboard')}>
      <TextInput label={say('Find a dashboard')} value={words} onChange={(event) => setWords(event.currentTarget.value)} data-autofocus />
      <div style={{ display: 'flex', flexDirection: 'column', gap: 4, marginTop: 12, maxHeight: 320, overflowY: 'auto' }}>
        {found.data?.data.map((item) => <Button key={item.id} kind="quiet" style={{ justifyContent: 'flex-start' }} onClick={() => void add(Number(item.id), item.name).catch(toast_failure)}>{item.name}{item.collection?.name ? ` · ${item.collection.name}` : ''}</Button>)}
        {found.data?.data.length === 0 && <p style={{ color: 'var(--muted)', fontSize: 13 }}>{say('No dashboard is called so.')}</p>}
      </div>
    </Dialog>
  );
}

export function MoveCard({ card, opened, onClose }: { card: Card; opened: boolean; onClose: () => void }) {
  const [where, setWhere] = useState<number | null>(card.collection_id);
  const [busy, setBusy] = useState(false);
  return (
    <Dialog
      opened={opened} onClose={onClose} title={say('Move “{{name}}”', { name: card.name })}
      actions={<><Button onClick={onClose}>{say('Cancel')}</Button><Button kind="primary" busy={busy} disabled={where === card.collection_id} onClick={() => { setBusy(true); void cards.update(card.id, { collection_id: where }).then(() => { toast(say('Question moved.')); onClose(); }, toast_failure).finally(() => setBusy(false)); }}>{say('Move here')}</Button></>}
    >
      <CollectionPicker value={where} onChange={(id) => setWhere(id)} />
    </Dialog>
  );
}
