import { IconX } from '@tabler/icons-react';
import { revisions, useRevisions } from '../../api/dashboards';
import type { Card } from '../../api/types';
import { say } from '../../query/words';
import { date_locale } from '../../lib/i18n';
import { Button, IconButton } from '../../ui/Button';
import { ListSkeleton } from '../../ui/States';
import { toast, toast_failure } from '../../ui/toast';
import drawer from '../../result/drawer.module.css';
import styles from './question.module.css';

/** What the question is about, and who changed it when; an earlier state can be brought back. */
export function HistoryDrawer({ card, onClose, onReverted }: { card: Card; onClose: () => void; onReverted: () => void }) {
  const list = useRevisions('card', card.id);
  return (
    <aside className={`${drawer.drawer} ${drawer.drawer_end}`} aria-label={say('About this question')}>
      <div className={drawer.drawer_head}>
        {say('About this question')}
        <span className={drawer.grow} />
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={drawer.drawer_body}>
        <div className={styles.label}>{say('Description')}</div>
        <div className={styles.nothing} style={{ paddingTop: 0 }}>{card.description || say('No description yet.')}</div>
        {card.creator?.common_name && <div className={styles.nothing}>{say('Made by {{name}}', { name: card.creator.common_name })}</div>}
        <div className={styles.label}>{say('History')}</div>
        {list.isPending && <ListSkeleton rows={4} />}
        {list.error && <div className={styles.nothing}>{list.error.message}</div>}
        <ol className={styles.history}>
          {list.data?.map((revision, at) => (
            <li key={revision.id}>
              <div><b>{revision.user?.common_name ?? say('Somebody')}</b> {revision.description ?? revision.title ?? (revision.is_creation ? say('created this') : say('changed this'))}</div>
              <time dateTime={revision.timestamp}>{new Date(revision.timestamp).toLocaleString(date_locale(), { dateStyle: 'medium', timeStyle: 'short' })}</time>
              {at > 0 && card.can_write !== false && (
                <div><Button size="small" onClick={() => void revisions.revert('card', card.id, revision.id).then(() => { toast(say('Brought back.')); onReverted(); }, toast_failure)}>{say('Bring this back')}</Button></div>
              )}
            </li>
          ))}
        </ol>
      </div>
    </aside>
  );
}
