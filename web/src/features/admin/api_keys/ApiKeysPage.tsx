import { useQuery } from '@tanstack/react-query';
import { IconDots, IconKey, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api_keys, useGroups } from '@/api/admin';
import { ApiError } from '@/api/client';
import type { ApiKey } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { exact, when } from '@/lib/time';
import { Button, IconButton } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { Select, TextInput } from '@/ui/fields';
import { ConfirmDialog, Dialog } from '@/ui/Dialog';
import { Menu } from '@/ui/Overlays';
import { PageHead } from '@/ui/PageHead';
import { CopyButton, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast } from '@/ui/toast';
import admin from '../admin.module.css';
import '../strings';
import './strings';

export function ApiKeysPage() {
  const { t } = useTranslation('admin_api_keys');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('title'));
  const list = useQuery({ queryKey: ['api-keys'], queryFn: ({ signal }) => api_keys.list({ signal }) });
  const [editing, set_editing] = useState<ApiKey | 'new'>();
  const [secret, set_secret] = useState<ApiKey>();
  const [renewing, set_renewing] = useState<ApiKey>();
  const [deleting, set_deleting] = useState<ApiKey>();
  return (
    <div>
      <PageHead
        title={t('title')}
        text={t('text')}
        tools={
          <Button kind="primary" icon={<IconPlus size={16} aria-hidden />} onClick={() => set_editing('new')}>
            {t('new')}
          </Button>
        }
      />
      {list.isPending ? (
        <div className={admin.loading}>
          <ListSkeleton rows={3} />
        </div>
      ) : list.isError ? (
        <ErrorCard title={common('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : (
        <DataTable<ApiKey>
          label={t('title')}
          rows={list.data}
          row_key={(key) => key.id}
          empty={t('none')}
          columns={[
            {
              key: 'name',
              title: t('name'),
              value: (key) => key.name,
              render: (key) => (
                <span className={`${admin.line} ${admin.strong}`}>
                  <IconKey size={16} stroke={1.6} aria-hidden color="var(--muted)" />
                  {key.name}
                </span>
              ),
            },
            { key: 'group', title: t('group'), wide_only: true, value: (key) => key.group.name, render: (key) => key.group.name },
            { key: 'key', title: t('key'), wide_only: true, render: (key) => <span className="code">{key.masked_key}</span> },
            {
              key: 'changed',
              title: t('changed'),
              wide_only: true,
              value: (key) => key.updated_at,
              render: (key) => (
                <span className={admin.muted} title={exact(key.updated_at)}>
                  {key.updated_by?.common_name ? t('by', { when: when(key.updated_at), who: key.updated_by.common_name }) : when(key.updated_at)}
                </span>
              ),
            },
            {
              key: 'menu',
              title: '',
              label: common('actions'),
              align: 'end',
              width: 56,
              render: (key) => (
                <Menu width={220}>
                  <Menu.Target>
                    <IconButton label={t('menu', { name: key.name })} icon={<IconDots size={18} aria-hidden />} />
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => set_editing(key)}>{t('edit')}</Menu.Item>
                    <Menu.Item onClick={() => set_renewing(key)}>{t('regenerate')}</Menu.Item>
                    <Menu.Divider />
                    <Menu.Item data-danger onClick={() => set_deleting(key)}>
                      {t('delete')}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              ),
            },
          ]}
        />
      )}
      {editing && <KeyDialog item={editing === 'new' ? undefined : editing} onClose={() => set_editing(undefined)} onCreated={set_secret} />}
      {secret?.unmasked_key && (
        <Dialog
          opened
          onClose={() => set_secret(undefined)}
          title={t('secret_title', { name: secret.name })}
          actions={
            <Button kind="primary" onClick={() => set_secret(undefined)}>
              {common('done')}
            </Button>
          }
        >
          <p>{t('secret_text')}</p>
          <div className={admin.secret}>
            <code>{secret.unmasked_key}</code>
            <CopyButton text={secret.unmasked_key} />
          </div>
        </Dialog>
      )}
      {renewing && (
        <ConfirmDialog
          opened
          onClose={() => set_renewing(undefined)}
          title={t('regenerate_title', { name: renewing.name })}
          confirm={t('regenerate_confirm')}
          onConfirm={async () => set_secret({ ...renewing, ...(await api_keys.regenerate(renewing.id)) })}
        >
          <p>{t('regenerate_text')}</p>
        </ConfirmDialog>
      )}
      {deleting && (
        <ConfirmDialog
          opened
          danger
          onClose={() => set_deleting(undefined)}
          title={t('delete_title', { name: deleting.name })}
          confirm={t('delete_confirm')}
          onConfirm={async () => {
            await api_keys.remove(deleting.id);
            toast(t('deleted', { name: deleting.name }));
          }}
        >
          <p>{t('delete_text')}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function KeyDialog({ item, onClose, onCreated }: { item?: ApiKey; onClose: () => void; onCreated: (key: ApiKey) => void }) {
  const { t } = useTranslation('admin_api_keys');
  const { t: common } = useTranslation('admin');
  const groups = useGroups().data ?? [];
  const [name, set_name] = useState(item?.name ?? '');
  const [group, set_group] = useState<string | null>(item ? String(item.group.id) : null);
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [busy, set_busy] = useState(false);
  async function save() {
    const found: Record<string, string> = {};
    if (name.trim() === '') found.name = common('needed');
    if (!group) found.group_id = common('needed');
    set_problems(found);
    if (Object.keys(found).length > 0) return;
    set_busy(true);
    try {
      if (item) await api_keys.update(item.id, { name: name.trim(), group_id: Number(group) });
      else onCreated(await api_keys.create(name.trim(), Number(group)));
      onClose();
    } catch (error) {
      set_problems(error instanceof ApiError && Object.keys(error.fields).length > 0 ? error.fields : { name: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      title={item ? t('edit') : t('new')}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {item ? t('save') : t('create')}
          </Button>
        </>
      }
    >
      <div className={admin.form}>
        <TextInput label={t('name')} placeholder={t('name_hint')} value={name} onChange={(event) => set_name(event.currentTarget.value)} error={problems.name} data-autofocus maxLength={254} />
        <Select label={t('group')} data={groups.map((one) => ({ value: String(one.id), label: one.name }))} value={group} onChange={set_group} error={problems.group_id} />
      </div>
    </Dialog>
  );
}
