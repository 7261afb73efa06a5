import { IconRestore, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { dashboards, revisions, useRevisions } from '@/api/dashboards';
import type { Dashboard } from '@/api/types';
import { exact, when } from '@/lib/time';
import { IconButton } from '@/ui/Button';
import { Avatar } from '@/ui/Hexagon';
import { ConfirmDialog } from '@/ui/Dialog';
import { ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import { Textarea } from '@/ui/fields';
import { say } from '@/query/words';
import styles from './dashboard.module.css';

/** Facts and history of a dashboard; each earlier state can be brought back. */
export function InfoDrawer({ dashboard, onClose }: { dashboard: Dashboard; onClose: () => void }) {
  const client = useQueryClient();
  const history = useRevisions('dashboard', dashboard.id);
  const [going_back, set_going_back] = useState<number | null>(null);
  const [text, set_text] = useState(dashboard.description ?? '');
  const save_description = () => {
    if (text.trim() === (dashboard.description ?? '')) return;
    void dashboards.update(dashboard.id, { description: text.trim() || null }).then(() => toast(say('Description saved.'))).catch(toast_failure);
  };
  return (
    <aside className={`${styles.drawer} ${styles.beside}`} aria-label={say('About this dashboard')}>
      <div className={styles.drawer_head}>
        <h2>{say('About this dashboard')}</h2>
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={styles.drawer_body}>
        {dashboard.can_write !== false ? (
          <Textarea label={say('Description')} placeholder={say('Say what this dashboard is for')} value={text} onChange={(event) => set_text(event.currentTarget.value)} onBlur={save_description} autosize minRows={2} maxRows={8} />
        ) : dashboard.description && <p style={{ margin: 0 }}>{dashboard.description}</p>}
        <dl className={styles.facts}>
          {dashboard.creator?.common_name && <><dt>{say('Made by')}</dt><dd>{dashboard.creator.common_name}</dd></>}
          {dashboard.created_at && <><dt>{say('Made')}</dt><dd title={exact(dashboard.created_at)}>{when(dashboard.created_at)}</dd></>}
          <dt>{say('In')}</dt><dd>{dashboard.collection?.name ?? say('Our analytics')}</dd>
          {dashboard.view_count !== undefined && <><dt>{say('Views')}</dt><dd>{dashboard.view_count.toLocaleString('en-US')}</dd></>}
        </dl>
        <div>
          <h3 className={styles.label}>{say('History')}</h3>
          {history.isPending && <ListSkeleton rows={3} />}
          {history.error && <p className={styles.edited}>{history.error.message}</p>}
          {history.data?.map((revision, index) => (
            <div key={revision.id} className={styles.revision}>
              <Avatar name={revision.user?.common_name ?? '?'} id={revision.user?.id} size={24} />
              <div>
                {revision.user?.common_name} {revision.description ?? (revision.is_creation ? say('created this.') : say('changed this.'))}
                <small title={exact(revision.timestamp)}>{when(revision.timestamp)}</small>
              </div>
              {index > 0 && dashboard.can_write !== false && <IconButton size="small" label={say('Go back to this state')} icon={<IconRestore size={16} stroke={1.6} aria-hidden />} onClick={() => set_going_back(revision.id)} />}
            </div>
          ))}
          {history.data?.length === 0 && <p className={styles.edited} style={{ padding: 0 }}>{say('No changes yet.')}</p>}
        </div>
      </div>
      <ConfirmDialog
        opened={going_back !== null} onClose={() => set_going_back(null)} title={say('Go back to this state?')} confirm={say('Go back')}
        onConfirm={async () => {
          await revisions.revert('dashboard', dashboard.id, going_back!);
          await Promise.all([client.invalidateQueries({ queryKey: ['dashboards', dashboard.id] }), client.invalidateQueries({ queryKey: ['dashboard-results', dashboard.id] })]);
          toast(say('The dashboard is as it was then.'));
        }}
      >
        <p>{say('What was changed since then stays in the history, so you can come forward again.')}</p>
      </ConfirmDialog>
    </aside>
  );
}
