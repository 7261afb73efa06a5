import { Textarea, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { CollectionPicker } from './CollectionPicker';
import { Dialog } from './Dialog';
import './strings';

export interface SaveValues {
  name: string;
  description: string | null;
  /** null is the root. */
  collection_id: number | null;
}

/** Name, description and collection of something new. Failures are shown in the dialog, which stays open. */
export function SaveDialog({
  opened,
  onClose,
  kind,
  title,
  confirm,
  initial,
  onSave,
}: {
  opened: boolean;
  onClose: () => void;
  kind: 'question' | 'model' | 'metric' | 'dashboard';
  title?: string;
  confirm?: string;
  initial?: Partial<SaveValues>;
  onSave: (values: SaveValues) => Promise<void>;
}) {
  const { t } = useTranslation('ui');
  const [name, set_name] = useState('');
  const [description, set_description] = useState('');
  const [collection, set_collection] = useState<number | null>(null);
  const [problem, set_problem] = useState<string>();
  const [busy, set_busy] = useState(false);

  useEffect(() => {
    if (!opened) return;
    set_name(initial?.name ?? '');
    set_description(initial?.description ?? '');
    set_collection(initial?.collection_id ?? null);
    set_problem(undefined);
    // The start values count when the dialog opens; later changes of the caller must not wipe what was typed.
  }, [opened]);

  async function save() {
    if (name.trim() === '') {
      set_problem(t('name_needed'));
      return;
    }
    set_busy(true);
    set_problem(undefined);
    try {
      await onSave({ name: name.trim(), description: description.trim() || null, collection_id: collection });
      onClose();
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
      title={title ?? (kind === 'dashboard' ? t('new_dashboard') : t(`save_${kind}`))}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {confirm ?? t(`save_${kind}`)}
          </Button>
        </>
      }
    >
      <TextInput
        label={t('name')}
        value={name}
        onChange={(event) => set_name(event.currentTarget.value)}
        error={problem}
        data-autofocus
        maxLength={254}
      />
      <Textarea
        mt="md"
        label={t('description')}
        placeholder={t('description_hint')}
        value={description}
        onChange={(event) => set_description(event.currentTarget.value)}
        autosize
        minRows={2}
        maxRows={5}
      />
      <div style={{ marginTop: 16, marginBottom: 4, font: '500 13px/20px var(--font-ui)', color: 'var(--ink)' }}>{t('where')}</div>
      <CollectionPicker value={collection} onChange={(id) => set_collection(id)} />
    </Dialog>
  );
}
