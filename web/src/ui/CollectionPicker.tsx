import { TextInput } from '@mantine/core';
import { IconFolder, IconFolderPlus, IconSearch, IconUser } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { flatten, useCollectionSource } from './collection_source';
import styles from './CollectionPicker.module.css';
import { Dialog } from './Dialog';
import { ListSkeleton } from './States';
import { toast_failure } from './toast';
import './strings';

export interface CollectionPickerProps {
  /** null is the root. */
  value: number | null;
  onChange: (id: number | null, name: string) => void;
  /** A collection cannot be moved into itself: these and what is below them are left out. */
  without?: number[];
}

/** The collections one may save into, as a list with search and "New collection". */
export function CollectionPicker({ value, onChange, without = [] }: CollectionPickerProps) {
  const { t } = useTranslation('ui');
  const source = useCollectionSource();
  const tree = source.useTree();
  const [words, set_words] = useState('');
  const [naming, set_naming] = useState(false);
  const [name, set_name] = useState('');
  const [busy, set_busy] = useState(false);

  if (!tree) return <ListSkeleton rows={5} height={32} />;
  const pruned = without.length === 0 ? tree : prune(tree, new Set(without));
  const rows = flatten(pruned, words);

  async function create(event: FormEvent) {
    event.preventDefault();
    event.stopPropagation();
    if (name.trim() === '') return;
    set_busy(true);
    try {
      const made = await source.create(name.trim(), value);
      onChange(made.id, made.name);
      set_naming(false);
      set_name('');
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
    }
  }

  return (
    <div className={styles.picker}>
      <TextInput
        aria-label={t('picker_search')}
        placeholder={t('picker_search')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={words}
        onChange={(event) => set_words(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
      />
      <div className={styles.list} role="radiogroup" aria-label={t('where')}>
        {rows.length === 0 && <p className={styles.none}>{t('picker_none')}</p>}
        {rows.map(({ node, depth, path }) => (
          <button
            key={String(node.id)}
            type="button"
            role="radio"
            aria-checked={value === node.id}
            disabled={node.can_write === false}
            className={styles.row}
            style={{ paddingInlineStart: 8 + (words ? 0 : depth * 16) }}
            onClick={() => onChange(node.id, node.name)}
          >
            {node.is_personal ? <IconUser size={16} stroke={1.6} aria-hidden /> : <IconFolder size={16} stroke={1.6} aria-hidden />}
            <span className={styles.name}>{node.name}</span>
            {words !== '' && path.length > 0 && <span className={styles.path}>{path.join(' / ')}</span>}
          </button>
        ))}
      </div>
      {naming ? (
        <div className={styles.new}>
          <TextInput
            aria-label={t('picker_new_name')}
            placeholder={t('picker_new_name')}
            value={name}
            autoFocus
            onChange={(event) => set_name(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') void create(event);
              if (event.key === 'Escape') {
                event.stopPropagation();
                set_naming(false);
              }
            }}
            style={{ flex: 1 }}
          />
          <Button busy={busy} disabled={name.trim() === ''} onClick={(event) => void create(event)}>
            {t('picker_create')}
          </Button>
        </div>
      ) : (
        <Button kind="quiet" icon={<IconFolderPlus size={16} aria-hidden />} onClick={() => set_naming(true)}>
          {t('picker_new')}
        </Button>
      )}
    </div>
  );
}

function prune(tree: ReturnType<typeof flatten>[number]['node'][], without: Set<number>): typeof tree {
  return tree
    .filter((node) => node.id === null || !without.has(node.id))
    .map((node) => ({ ...node, children: prune(node.children, without) }));
}

/** Asks where to; for "Move". */
export function CollectionDialog({
  opened,
  onClose,
  title,
  initial = null,
  confirm,
  without,
  onChoose,
}: {
  opened: boolean;
  onClose: () => void;
  title?: string;
  initial?: number | null;
  confirm?: string;
  without?: number[];
  onChoose: (id: number | null, name: string) => Promise<void> | void;
}) {
  const { t } = useTranslation('ui');
  const [chosen, set_chosen] = useState<{ id: number | null; name: string }>({ id: initial, name: '' });
  const [busy, set_busy] = useState(false);
  async function run() {
    set_busy(true);
    try {
      await onChoose(chosen.id, chosen.name || t('root'));
      onClose();
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened={opened}
      onClose={onClose}
      title={title ?? t('picker_title')}
      onSubmit={() => void run()}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {confirm ?? t('picker_choose', { name: chosen.name || t('root') })}
          </Button>
        </>
      }
    >
      <CollectionPicker value={chosen.id} onChange={(id, name) => set_chosen({ id, name })} without={without} />
    </Dialog>
  );
}
