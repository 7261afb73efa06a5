import { Textarea, TextInput } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { collections } from '@/api/collections';
import { dashboards } from '@/api/dashboards';
import { useGo } from '@/lib/navigate';
import { id_of_slug, paths } from '@/lib/paths';
import { Button } from '@/ui/Button';
import { CollectionPicker } from '@/ui/CollectionPicker';
import { Dialog } from '@/ui/Dialog';
import { SaveDialog } from '@/ui/SaveDialog';

export type Creating = 'dashboard' | 'collection' | null;

/** "New dashboard" and "New collection", placed where the person is. */
export function CreateDialogs({ creating, onClose }: { creating: Creating; onClose: () => void }) {
  const go = useGo();
  const { pathname } = useLocation();
  const here = id_of_slug(/^\/collection\/([^/]+)/.exec(pathname)?.[1]) ?? null;
  return (
    <>
      <SaveDialog
        opened={creating === 'dashboard'}
        onClose={onClose}
        kind="dashboard"
        initial={{ collection_id: here }}
        onSave={async (values) => {
          const made = await dashboards.create(values);
          go(`${paths.dashboard(made)}#edit`);
        }}
      />
      <CollectionCreate opened={creating === 'collection'} here={here} onClose={onClose} />
    </>
  );
}

function CollectionCreate({ opened, here, onClose }: { opened: boolean; here: number | null; onClose: () => void }) {
  const { t } = useTranslation('app');
  const go = useGo();
  const [name, set_name] = useState('');
  const [description, set_description] = useState('');
  const [parent, set_parent] = useState<number | null>(here);
  const [problem, set_problem] = useState<string>();
  const [busy, set_busy] = useState(false);
  useEffect(() => {
    if (!opened) return;
    set_name('');
    set_description('');
    set_parent(here);
    set_problem(undefined);
  }, [opened, here]);
  async function create() {
    if (name.trim() === '') {
      set_problem(t('name_needed'));
      return;
    }
    set_busy(true);
    try {
      const made = await collections.create({ name: name.trim(), description: description.trim() || null, parent_id: parent });
      onClose();
      go(paths.collection(made));
    } catch (error) {
      set_problem(error instanceof Error ? error.message : String(error));
    } finally {
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened={opened}
      onClose={onClose}
      title={t('collection_title')}
      onSubmit={() => void create()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t('collection_create')}
          </Button>
        </>
      }
    >
      <TextInput label={t('collection_name')} value={name} onChange={(event) => set_name(event.currentTarget.value)} error={problem} data-autofocus maxLength={100} />
      <Textarea mt="md" label={t('collection_description')} value={description} onChange={(event) => set_description(event.currentTarget.value)} autosize minRows={2} />
      <div style={{ margin: '16px 0 4px', font: '500 13px/20px var(--font-ui)', color: 'var(--ink)' }}>{t('collection_inside')}</div>
      <CollectionPicker value={parent} onChange={(id) => set_parent(id)} />
    </Dialog>
  );
}
