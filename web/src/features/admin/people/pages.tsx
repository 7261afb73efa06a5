import { useQuery } from '@tanstack/react-query';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDots, IconPlus, IconSearch, IconUsersGroup, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { groups as group_api, people, useGroups } from '@/api/admin';
import { ApiError } from '@/api/client';
import { useCurrentUser } from '@/api/session';
import type { Group, User } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { ago, exact } from '@/lib/time';
import { Button, IconButton } from '@/ui/Button';
import { Tag } from '@/ui/Chip';
import { DataTable } from '@/ui/DataTable';
import { MultiSelect, SegmentedControl, Select, TextInput } from '@/ui/fields';
import { Avatar } from '@/ui/Hexagon';
import { ConfirmDialog, Dialog } from '@/ui/Dialog';
import { Menu } from '@/ui/Overlays';
import { PageHead } from '@/ui/PageHead';
import { CopyButton, ErrorCard, ListSkeleton } from '@/ui/States';
import { toast, toast_failure } from '@/ui/toast';
import admin from '../admin.module.css';
import { one_time_password } from './one_time_password';
import '../strings';
import './strings';

function magic(group: Group): 'all' | 'admin' | undefined {
  if (group.magic_group_type === 'all-internal-users') return 'all';
  return group.magic_group_type === 'admin' ? 'admin' : undefined;
}

const page_size = 50;

export function PeoplePage() {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('title'));
  const me = useCurrentUser();
  const groups = useGroups().data ?? [];
  const [words, set_words] = useState('');
  const [settled] = useDebouncedValue(words.trim(), 200);
  const [status, set_status] = useState<'active' | 'deactivated'>('active');
  const [limit, set_limit] = useState(page_size);
  const list = useQuery({
    queryKey: ['people', status, settled, limit],
    queryFn: ({ signal }) => people.list({ query: settled || undefined, status: status === 'deactivated' ? 'deactivated' : undefined, limit, offset: 0 }, { signal }),
    placeholderData: (before) => before,
  });
  const [editing, set_editing] = useState<User | 'new'>();
  const [password, set_password] = useState<{ name: string; password: string }>();
  const [resetting, set_resetting] = useState<User>();
  const [leaving, set_leaving] = useState<User>();
  const names_of = (user: User) => (user.group_ids ?? user.user_group_memberships?.map((one) => one.id) ?? []).map((id) => groups.find((group) => group.id === id)).filter((group): group is Group => group !== undefined && magic(group) === undefined);

  return (
    <div>
      <PageHead
        title={t('title')}
        text={t('text')}
        tools={
          <Button kind="primary" icon={<IconPlus size={16} aria-hidden />} onClick={() => set_editing('new')}>
            {t('invite')}
          </Button>
        }
      />
      <div className={admin.tools}>
        <TextInput style={{ width: 280 }} aria-label={t('find')} placeholder={t('find')} leftSection={<IconSearch size={16} aria-hidden />} value={words} onChange={(event) => set_words(event.currentTarget.value)} />
        <SegmentedControl
          aria-label={t('which')}
          value={status}
          onChange={(value) => set_status(value as typeof status)}
          data={[
            { value: 'active', label: t('active') },
            { value: 'deactivated', label: t('deactivated') },
          ]}
        />
      </div>
      {list.isPending ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : list.isError ? (
        <ErrorCard title={common('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : (
        <DataTable<User>
          label={t('title')}
          rows={list.data.data}
          row_key={(user) => user.id}
          empty={t('none')}
          columns={[
            {
              key: 'name',
              title: t('name'),
              value: (user) => user.common_name,
              render: (user) => (
                <span className={admin.line}>
                  <Avatar name={user.common_name} id={user.id} size={22} />
                  <span className={admin.strong}>{user.common_name}</span>
                  {user.id === me?.id && <Tag>{t('you')}</Tag>}
                </span>
              ),
            },
            { key: 'email', title: t('email'), wide_only: true, value: (user) => user.email, render: (user) => <span className={admin.muted}>{user.email}</span> },
            {
              key: 'groups',
              title: t('groups'),
              wide_only: true,
              render: (user) => (
                <span className={admin.line} style={{ flexWrap: 'wrap', gap: 4 }}>
                  {user.is_superuser && <Tag tone="brand">{t('admin')}</Tag>}
                  {names_of(user).map((group) => (
                    <Tag key={group.id}>{group.name}</Tag>
                  ))}
                </span>
              ),
            },
            {
              key: 'seen',
              title: t('last_seen'),
              wide_only: true,
              value: (user) => user.last_login,
              render: (user) => (
                <span className={admin.muted} title={exact(user.last_login)}>
                  {user.last_login ? ago(user.last_login) : t('never')}
                </span>
              ),
            },
            {
              key: 'menu',
              title: '',
              label: common('actions'),
              align: 'end',
              width: 56,
              render: (user) => (
                <Menu width={220}>
                  <Menu.Target>
                    <IconButton label={t('menu', { name: user.common_name })} icon={<IconDots size={18} aria-hidden />} />
                  </Menu.Target>
                  <Menu.Dropdown>
                    {status === 'active' ? (
                      <>
                        <Menu.Item onClick={() => set_editing(user)}>{t('edit')}</Menu.Item>
                        {!user.sso_source && <Menu.Item onClick={() => set_resetting(user)}>{t('reset')}</Menu.Item>}
                        {user.id !== me?.id && (
                          <>
                            <Menu.Divider />
                            <Menu.Item data-danger onClick={() => set_leaving(user)}>
                              {t('deactivate')}
                            </Menu.Item>
                          </>
                        )}
                      </>
                    ) : (
                      <Menu.Item onClick={() => void people.reactivate(user.id).then(() => toast(t('reactivated_done', { name: user.common_name })), toast_failure)}>{t('reactivate')}</Menu.Item>
                    )}
                  </Menu.Dropdown>
                </Menu>
              ),
            },
          ]}
        />
      )}
      {list.data && list.data.total > list.data.data.length && (
        <div style={{ marginTop: 12, textAlign: 'center' }}>
          <Button busy={list.isFetching} onClick={() => set_limit(limit + page_size)}>
            {common('more')}
          </Button>
        </div>
      )}
      {editing && (
        <PersonDialog
          user={editing === 'new' ? undefined : editing}
          groups={groups}
          onClose={() => set_editing(undefined)}
          onCreated={(name, given) => set_password({ name, password: given })}
        />
      )}
      {password && <PasswordDialog {...password} onClose={() => set_password(undefined)} />}
      {resetting && (
        <ConfirmDialog
          opened
          onClose={() => set_resetting(undefined)}
          title={t('reset_title', { name: resetting.common_name })}
          confirm={t('reset_confirm')}
          onConfirm={async () => {
            const given = one_time_password();
            await people.set_password(resetting.id, given);
            set_password({ name: resetting.common_name, password: given });
          }}
        >
          <p>{t('reset_text')}</p>
        </ConfirmDialog>
      )}
      {leaving && (
        <ConfirmDialog
          opened
          danger
          onClose={() => set_leaving(undefined)}
          title={t('deactivate_title', { name: leaving.common_name })}
          confirm={t('deactivate')}
          onConfirm={async () => {
            await people.deactivate(leaving.id);
            toast(t('deactivated_done', { name: leaving.common_name }), { undo: () => people.reactivate(leaving.id) });
          }}
        >
          <p>{t('deactivate_text', { name: leaving.common_name })}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function PasswordDialog({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  return (
    <Dialog
      opened
      onClose={onClose}
      title={t('password_title', { name })}
      actions={
        <Button kind="primary" onClick={onClose}>
          {common('done')}
        </Button>
      }
    >
      <p>{t('password_text')}</p>
      <div className={admin.secret}>
        <code>{password}</code>
        <CopyButton text={password} />
      </div>
    </Dialog>
  );
}

function PersonDialog({ user, groups, onClose, onCreated }: { user?: User; groups: Group[]; onClose: () => void; onCreated: (name: string, password: string) => void }) {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  const all = groups.find((group) => magic(group) === 'all');
  const [values, set_values] = useState({ first_name: user?.first_name ?? '', last_name: user?.last_name ?? '', email: user?.email ?? '' });
  const [chosen, set_chosen] = useState<string[]>((user?.group_ids ?? user?.user_group_memberships?.map((one) => one.id) ?? []).filter((id) => id !== all?.id).map(String));
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [busy, set_busy] = useState(false);
  const set = (key: keyof typeof values) => (event: { currentTarget: { value: string } }) => set_values({ ...values, [key]: event.currentTarget.value });

  async function save() {
    if (values.email.trim() === '') return set_problems({ email: common('needed') });
    set_busy(true);
    set_problems({});
    const memberships = [...(all ? [all.id] : []), ...chosen.map(Number)].map((id) => ({ id }));
    const input = { email: values.email.trim(), first_name: values.first_name.trim(), last_name: values.last_name.trim(), user_group_memberships: memberships };
    const name = [input.first_name, input.last_name].filter(Boolean).join(' ') || input.email;
    try {
      if (user) {
        await people.update(user.id, input);
        toast(t('saved', { name }));
      } else {
        const given = one_time_password();
        await people.create({ ...input, password: given });
        onCreated(name, given);
      }
      onClose();
    } catch (error) {
      if (error instanceof ApiError && Object.keys(error.fields).length > 0) set_problems(error.fields);
      else set_problems({ form: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(false);
    }
  }

  return (
    <Dialog
      opened
      onClose={onClose}
      title={user ? t('edit_title', { name: user.common_name }) : t('add_title')}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {user ? t('save') : t('add')}
          </Button>
        </>
      }
    >
      <div className={admin.form}>
        {problems.form && (
          <p className={admin.note} data-tone="red" role="alert">
            {problems.form}
          </p>
        )}
        <div className={admin.two}>
          <TextInput label={t('first_name')} value={values.first_name} onChange={set('first_name')} error={problems.first_name} data-autofocus />
          <TextInput label={t('last_name')} value={values.last_name} onChange={set('last_name')} error={problems.last_name} />
        </div>
        <TextInput label={t('email')} type="email" value={values.email} onChange={set('email')} error={problems.email} autoComplete="off" />
        <MultiSelect
          label={t('in_groups', { all: all?.name ?? '' })}
          placeholder={chosen.length === 0 ? t('no_groups') : undefined}
          data={groups.filter((group) => magic(group) !== 'all').map((group) => ({ value: String(group.id), label: group.name }))}
          value={chosen}
          onChange={set_chosen}
          error={problems.user_group_memberships ?? problems.is_superuser}
        />
      </div>
    </Dialog>
  );
}

export function GroupsPage() {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  usePageTitle(t('groups_title'));
  const list = useGroups();
  const groups = list.data ?? [];
  const all = groups.find((group) => magic(group) === 'all');
  const [creating, set_creating] = useState(false);
  const [renaming, set_renaming] = useState<Group>();
  const [deleting, set_deleting] = useState<Group>();
  const [opened, set_opened] = useState<Group>();
  return (
    <div>
      <PageHead
        title={t('groups_title')}
        text={t('groups_text', { all: all?.name ?? '' })}
        tools={
          <Button kind="primary" icon={<IconPlus size={16} aria-hidden />} onClick={() => set_creating(true)}>
            {t('new_group')}
          </Button>
        }
      />
      {list.isPending ? (
        <div className={admin.loading}>
          <ListSkeleton rows={4} />
        </div>
      ) : list.isError ? (
        <ErrorCard title={common('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : (
        <DataTable<Group>
          label={t('groups_title')}
          rows={groups}
          row_key={(group) => group.id}
          columns={[
            {
              key: 'name',
              title: t('group'),
              value: (group) => group.name,
              render: (group) => (
                <span className={admin.line}>
                  <IconUsersGroup size={18} stroke={1.6} aria-hidden color="var(--muted)" />
                  <Button kind="quiet" size="small" onClick={() => set_opened(group)}>
                    {group.name}
                  </Button>
                  {magic(group) && <span className={admin.muted}>{t(`magic_${magic(group)}`)}</span>}
                </span>
              ),
            },
            { key: 'members', title: t('members'), align: 'end', width: 120, value: (group) => group.member_count, render: (group) => group.member_count },
            {
              key: 'menu',
              title: '',
              label: common('actions'),
              align: 'end',
              width: 56,
              render: (group) =>
                magic(group) ? null : (
                  <Menu width={180}>
                    <Menu.Target>
                      <IconButton label={t('group_menu', { name: group.name })} icon={<IconDots size={18} aria-hidden />} />
                    </Menu.Target>
                    <Menu.Dropdown>
                      <Menu.Item onClick={() => set_opened(group)}>{t('members')}</Menu.Item>
                      <Menu.Item onClick={() => set_renaming(group)}>{t('rename')}</Menu.Item>
                      <Menu.Divider />
                      <Menu.Item data-danger onClick={() => set_deleting(group)}>
                        {t('delete_group')}
                      </Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                ),
            },
          ]}
        />
      )}
      {(creating || renaming) && (
        <NameDialog
          title={renaming ? t('rename') : t('new_group')}
          initial={renaming?.name ?? ''}
          confirm={renaming ? t('save') : t('create_group')}
          onClose={() => {
            set_creating(false);
            set_renaming(undefined);
          }}
          onSave={async (name) => {
            if (renaming) await group_api.rename(renaming.id, name);
            else await group_api.create(name);
            await group_api.refresh();
          }}
        />
      )}
      {deleting && (
        <ConfirmDialog
          opened
          danger
          onClose={() => set_deleting(undefined)}
          title={t('delete_group_title', { name: deleting.name })}
          confirm={t('delete_group_confirm')}
          onConfirm={async () => {
            await group_api.remove(deleting.id);
            await group_api.refresh();
            toast(t('group_deleted', { name: deleting.name }));
          }}
        >
          <p>{t('delete_group_text')}</p>
        </ConfirmDialog>
      )}
      {opened && <MembersDialog group={opened} onClose={() => set_opened(undefined)} />}
    </div>
  );
}

function NameDialog({ title, initial, confirm, onClose, onSave }: { title: string; initial: string; confirm: string; onClose: () => void; onSave: (name: string) => Promise<void> }) {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  const [name, set_name] = useState(initial);
  const [problem, set_problem] = useState<string>();
  const [busy, set_busy] = useState(false);
  async function save() {
    if (name.trim() === '') return set_problem(common('needed'));
    set_busy(true);
    try {
      await onSave(name.trim());
      onClose();
    } catch (error) {
      set_problem(error instanceof Error ? error.message : String(error));
    } finally {
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      title={title}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {confirm}
          </Button>
        </>
      }
    >
      <TextInput label={t('group_name')} value={name} onChange={(event) => set_name(event.currentTarget.value)} error={problem} data-autofocus maxLength={120} />
    </Dialog>
  );
}

function MembersDialog({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTranslation('admin_people');
  const { t: common } = useTranslation('admin');
  const me = useCurrentUser();
  const detail = useQuery({ queryKey: ['groups', group.id], queryFn: ({ signal }) => group_api.one(group.id, { signal }) });
  const everyone = useQuery({ queryKey: ['people', 'all-active'], queryFn: ({ signal }) => people.list({ limit: 1000, offset: 0 }, { signal }) }).data?.data ?? [];
  const members = detail.data?.members ?? [];
  const fixed = magic(group) === 'all';
  const others = everyone.filter((user) => !members.some((member) => member.user_id === user.id));
  async function change(work: Promise<unknown>) {
    try {
      await work;
      await group_api.refresh();
    } catch (error) {
      toast_failure(error);
    }
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      title={t('open_group', { name: group.name })}
      width={560}
      actions={
        <Button kind="primary" onClick={onClose}>
          {common('done')}
        </Button>
      }
    >
      {fixed ? (
        <p>{t('magic_all')}</p>
      ) : (
        <Select
          label={t('add_member')}
          placeholder={t('pick_member')}
          searchable
          value={null}
          limit={50}
          data={others.map((user) => ({ value: String(user.id), label: user.common_name === user.email ? user.email : `${user.common_name} (${user.email})` }))}
          onChange={(value) => value && void change(group_api.add_member(group.id, Number(value)))}
          mb="md"
        />
      )}
      {detail.isPending ? (
        <ListSkeleton rows={3} height={40} />
      ) : (
        <DataTable
          label={t('members')}
          rows={members}
          row_key={(member) => member.user_id}
          empty={t('no_members')}
          columns={[
            {
              key: 'name',
              title: t('name'),
              value: (member) => [member.first_name, member.last_name].filter(Boolean).join(' ') || member.email,
              render: (member) => {
                const name = [member.first_name, member.last_name].filter(Boolean).join(' ') || member.email;
                return (
                  <span className={admin.line}>
                    <Avatar name={name} id={member.user_id} />
                    {name}
                  </span>
                );
              },
            },
            {
              key: 'remove',
              title: '',
              label: common('actions'),
              align: 'end',
              width: 48,
              render: (member) => {
                const name = [member.first_name, member.last_name].filter(Boolean).join(' ') || member.email;
                if (fixed || (magic(group) === 'admin' && member.user_id === me?.id)) return null;
                return (
                  <IconButton
                    size="small"
                    label={t('remove_member', { name })}
                    icon={<IconX size={16} aria-hidden />}
                    onClick={() =>
                      void change(group_api.remove_member(member.membership_id).then(() => toast(t('member_removed', { name, group: group.name }), { undo: () => change(group_api.add_member(group.id, member.user_id)) })))
                    }
                  />
                );
              },
            },
          ]}
        />
      )}
    </Dialog>
  );
}
