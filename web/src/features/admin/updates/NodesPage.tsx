import { useTranslation } from 'react-i18next';
import type { UpdateNode } from '@/api/types';
import { ago_inside, exact } from '@/lib/time';
import { Tag } from '@/ui/Chip';
import { DataTable } from '@/ui/DataTable';
import { UpdatesFrame } from './frame';
import { node_tone } from './model';
import styles from './updates.module.css';

/** Who works on this data, what they run, and when they were last heard. */
export function NodesPage() {
  const { t } = useTranslation('admin_updates');
  return (
    <UpdatesFrame title={t('nodes')} text={t('nodes_text')}>
      {({ data }) => (
        <DataTable<UpdateNode>
          label={t('nodes')}
          rows={data.nodes ?? []}
          row_key={(node) => node.id}
          empty={t('nodes_none')}
          columns={[
            { key: 'name', title: t('node'), value: (node) => node.name, render: (node) => <span className={styles.strong}>{node.self ? `${node.name}, ${t('this_one')}` : node.name}</span> },
            { key: 'version', title: t('version'), value: (node) => node.binary, render: (node) => node.binary },
            { key: 'target', title: t('target'), value: (node) => node.target, wide_only: true, render: (node) => t('schema', { schema: node.target }) },
            { key: 'heard', title: t('heard'), value: (node) => node.heartbeat, wide_only: true, render: (node) => <span title={exact(node.heartbeat)}>{ago_inside(node.heartbeat)}</span> },
            {
              key: 'state',
              title: t('node_state'),
              render: (node) => <Tag tone={node_tone(node, data.schema)}>{!node.live ? t('gone') : node.target < data.schema ? t('older') : t('live')}</Tag>,
            },
          ]}
        />
      )}
    </UpdatesFrame>
  );
}
