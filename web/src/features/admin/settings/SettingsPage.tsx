import { IconCheck, IconLock } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { settings as settings_api, useSettings } from '@/api/admin';
import { useProperties } from '@/api/session';
import type { Setting } from '@/api/types';
import { usePageTitle } from '@/lib/frame';
import { Select, Switch, TextInput } from '@/ui/fields';
import { PageHead } from '@/ui/PageHead';
import { EmptyState, ErrorCard, ListSkeleton } from '@/ui/States';
import admin from '../admin.module.css';
import styles from './SettingsPage.module.css';
import '../strings';
import './strings';

type Kind = 'text' | 'switch' | 'choice';

interface Known {
  key: string;
  kind: Kind;
  choices?: string[];
}

const week = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const general: [string, Known[]][] = [
  [
    'group_site',
    [
      { key: 'site-name', kind: 'text' },
      { key: 'site-url', kind: 'text' },
      { key: 'admin-email', kind: 'text' },
    ],
  ],
  [
    'group_language',
    [
      { key: 'site-locale', kind: 'choice' },
      { key: 'report-timezone', kind: 'choice' },
      { key: 'start-of-week', kind: 'choice', choices: week },
    ],
  ],
  [
    'group_questions',
    [
      { key: 'humanization-strategy', kind: 'choice', choices: ['simple', 'none'] },
      { key: 'native-query-autocomplete-match-style', kind: 'choice', choices: ['substring', 'prefix', 'off'] },
      { key: 'enable-nested-queries', kind: 'switch' },
    ],
  ],
  ['group_sharing', [{ key: 'enable-public-sharing', kind: 'switch' }]],
];

const auth: [string, Known[]][] = [
  [
    'group_passwords',
    [
      { key: 'enable-password-login', kind: 'switch' },
      { key: 'session-timeout', kind: 'text' },
    ],
  ],
];

export function GeneralSettingsPage() {
  return <SettingsPage title="general" text="general_text" groups={general} />;
}

export function AuthSettingsPage() {
  return <SettingsPage title="auth" text="auth_text" groups={auth} />;
}

function SettingsPage({ title, text, groups }: { title: string; text: string; groups: [string, Known[]][] }) {
  const { t } = useTranslation('admin_settings');
  const { t: common } = useTranslation('admin');
  usePageTitle(t(title));
  const list = useSettings();
  const by_key = new Map((list.data ?? []).map((setting) => [setting.key, setting]));
  const shown = groups.map(([name, known]) => [name, known.filter((one) => by_key.has(one.key))] as const).filter(([, known]) => known.length > 0);
  return (
    <div style={{ maxWidth: 760 }}>
      <PageHead title={t(title)} text={t(text)} />
      {list.isPending ? (
        <div className={admin.loading}>
          <ListSkeleton />
        </div>
      ) : list.isError ? (
        <ErrorCard title={common('failed')} detail={list.error.message} onRetry={() => void list.refetch()} />
      ) : shown.length === 0 ? (
        <EmptyState title={t('missing')} />
      ) : (
        shown.map(([name, known]) => (
          <section key={name} className={styles.group}>
            <h2>{t(name)}</h2>
            <div className={admin.card}>
              {known.map((one) => (
                <Row key={one.key} known={one} setting={by_key.get(one.key)!} />
              ))}
            </div>
          </section>
        ))
      )}
    </div>
  );
}

/** What is typed becomes what is stored: empty text resets to the default. Exported for tests. */
export function to_store(typed: string, current: unknown, fallback: unknown): unknown {
  const text = typed.trim();
  if (text === '') return null;
  const numeric = typeof current === 'number' || typeof fallback === 'number';
  return numeric && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** A switch nobody touched shows what holds without it. Exported for tests. */
export function is_on(setting: Pick<Setting, 'value' | 'default'>): boolean {
  const value = setting.value ?? setting.default;
  return value === true || value === 'true';
}

function Row({ known, setting }: { known: Known; setting: Setting }) {
  const { t } = useTranslation('admin_settings');
  const properties = useProperties();
  const value = setting.value ?? null;
  const [typed, set_typed] = useState(value === null ? '' : String(value));
  const [state, set_state] = useState<'idle' | 'saving' | 'saved'>('idle');
  const [problem, set_problem] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => set_typed(value === null ? '' : String(value)), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function store(next: unknown) {
    set_state('saving');
    set_problem(undefined);
    try {
      await settings_api.set(known.key, next);
      set_state('saved');
      timer.current = setTimeout(() => set_state('idle'), 2500);
    } catch (error) {
      set_state('idle');
      set_problem(error instanceof Error ? error.message : String(error));
    }
  }

  const label = t(known.key);
  const help = t(`${known.key}_help`);
  const locked = setting.is_env_setting;
  const id = `setting-${known.key}`;
  const fallback = setting.default === null || setting.default === undefined ? undefined : String(setting.default);

  const choices =
    known.key === 'site-locale'
      ? (properties?.['available-locales'] ?? [['en', 'English']]).map(([code, name]) => ({ value: code, label: name }))
      : known.key === 'report-timezone'
        ? [{ value: '', label: t('database_zone') }, ...(properties?.['available-timezones'] ?? []).map((zone) => ({ value: zone, label: zone }))]
        : (known.choices ?? []).map((choice) => ({ value: choice, label: choice === 'off' ? t('off_choice') : t(choice) }));

  return (
    <div className={styles.row}>
      <div className={styles.words}>
        <label htmlFor={id}>{label}</label>
        <p id={`${id}-help`}>{help}</p>
        {locked && (
          <p className={styles.locked}>
            <IconLock size={14} aria-hidden />
            {t('locked', { name: setting.env_name ?? '' })}
          </p>
        )}
      </div>
      <div className={styles.field}>
        {known.kind === 'switch' ? (
          <Switch id={id} aria-describedby={`${id}-help`} checked={is_on(setting)} disabled={locked} onChange={(event) => void store(event.currentTarget.checked)} />
        ) : known.kind === 'choice' ? (
          <Select
            id={id}
            aria-describedby={`${id}-help`}
            data={choices}
            value={value === null ? (fallback ?? '') : String(value)}
            disabled={locked}
            searchable={choices.length > 8}
            error={problem}
            onChange={(next) => void store(next === '' ? null : next)}
          />
        ) : (
          <TextInput
            id={id}
            aria-describedby={`${id}-help`}
            value={typed}
            disabled={locked}
            placeholder={fallback && t('default_hint', { value: fallback })}
            error={problem}
            onChange={(event) => set_typed(event.currentTarget.value)}
            onBlur={() => {
              const next = to_store(typed, value, setting.default);
              if (next !== value) void store(next);
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') event.currentTarget.blur();
              if (event.key === 'Escape') set_typed(value === null ? '' : String(value));
            }}
          />
        )}
        {known.kind === 'switch' && problem && <p className={styles.problem}>{problem}</p>}
        <span className={styles.state} role="status">
          {state === 'saving' && t('saving')}
          {state === 'saved' && (
            <>
              <IconCheck size={14} stroke={2.2} aria-hidden />
              {t('saved')}
            </>
          )}
        </span>
      </div>
    </div>
  );
}
