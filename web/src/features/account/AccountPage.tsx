import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { people } from '@/api/admin';
import { ApiError } from '@/api/client';
import { query_client } from '@/api/query_client';
import { current_user_query, useCurrentUser, useProperties } from '@/api/session';
import { usePageTitle } from '@/lib/frame';
import { type ThemeChoice, set_theme, useTheme } from '@/lib/theme';
import { Button } from '@/ui/Button';
import { PasswordInput, SegmentedControl, Select, TextInput } from '@/ui/fields';
import { Page, PageHead } from '@/ui/PageHead';
import { toast, toast_failure } from '@/ui/toast';
import styles from './AccountPage.module.css';
import './strings';

export function AccountPage() {
  const { t } = useTranslation('account');
  usePageTitle(t('title'));
  return (
    <Page width={640}>
      <PageHead title={t('title')} />
      <Profile />
      <Password />
      <Appearance />
    </Page>
  );
}

function Profile() {
  const { t } = useTranslation('account');
  const user = useCurrentUser();
  const properties = useProperties();
  const [values, set_values] = useState({ first_name: '', last_name: '', email: '', locale: '' });
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [busy, set_busy] = useState(false);
  useEffect(() => {
    if (user) set_values({ first_name: user.first_name ?? '', last_name: user.last_name ?? '', email: user.email, locale: user.locale ?? '' });
  }, [user]);
  if (!user) return null;
  const outside = Boolean(user.sso_source);
  const set = (key: keyof typeof values) => (event: { currentTarget: { value: string } }) => set_values({ ...values, [key]: event.currentTarget.value });
  const locales = properties?.['available-locales'] ?? [];
  const site_locale = locales.find(([id]) => id === properties?.['site-locale'])?.[1] ?? 'English';

  async function save(event: FormEvent) {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (values.email.trim() === '') found.email = t('needed');
    set_problems(found);
    if (Object.keys(found).length > 0) return;
    set_busy(true);
    try {
      const change = { first_name: values.first_name.trim(), last_name: values.last_name.trim(), email: values.email.trim(), locale: values.locale || null };
      await people.update(user!.id, outside ? { locale: change.locale } : change);
      await query_client.invalidateQueries({ queryKey: current_user_query.queryKey });
      toast(t('saved'));
    } catch (error) {
      if (error instanceof ApiError && Object.keys(error.fields).length > 0) set_problems(error.fields);
      else toast_failure(error);
    } finally {
      set_busy(false);
    }
  }

  return (
    <form className={styles.card} onSubmit={(event) => void save(event)} noValidate>
      <h2>{t('profile')}</h2>
      {outside && <p className={styles.note}>{t('sso')}</p>}
      <div className={styles.two}>
        <TextInput label={t('first_name')} autoComplete="given-name" value={values.first_name} onChange={set('first_name')} error={problems.first_name} disabled={outside} />
        <TextInput label={t('last_name')} autoComplete="family-name" value={values.last_name} onChange={set('last_name')} error={problems.last_name} disabled={outside} />
      </div>
      <TextInput label={t('email')} type="email" autoComplete="email" value={values.email} onChange={set('email')} error={problems.email} disabled={outside} />
      {locales.length > 1 && (
        <Select
          label={t('language')}
          data={[{ value: '', label: t('site_language', { name: site_locale }) }, ...locales.map(([value, label]) => ({ value, label }))]}
          value={values.locale}
          onChange={(locale) => set_values({ ...values, locale: locale ?? '' })}
          searchable
        />
      )}
      <div className={styles.actions}>
        <Button kind="primary" type="submit" busy={busy}>
          {t('save')}
        </Button>
      </div>
    </form>
  );
}

function Password() {
  const { t } = useTranslation('account');
  const user = useCurrentUser();
  const empty = { old: '', next: '', again: '' };
  const [values, set_values] = useState(empty);
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [busy, set_busy] = useState(false);
  if (!user || user.sso_source) return null;
  const set = (key: keyof typeof values) => (event: { currentTarget: { value: string } }) => set_values({ ...values, [key]: event.currentTarget.value });

  async function change(event: FormEvent) {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (values.old === '') found.old_password = t('needed');
    if (values.next === '') found.password = t('needed');
    else if (values.next !== values.again) found.again = t('not_same');
    set_problems(found);
    if (Object.keys(found).length > 0) return;
    set_busy(true);
    try {
      await people.set_password(user!.id, values.next, values.old);
      set_values(empty);
      toast(t('changed'));
    } catch (error) {
      if (error instanceof ApiError && Object.keys(error.fields).length > 0) set_problems(error.fields);
      else toast_failure(error);
    } finally {
      set_busy(false);
    }
  }

  return (
    <form className={styles.card} onSubmit={(event) => void change(event)} noValidate>
      <h2>{t('password')}</h2>
      <PasswordInput label={t('old')} autoComplete="current-password" value={values.old} onChange={set('old')} error={problems.old_password} />
      <div className={styles.two}>
        <PasswordInput label={t('new')} autoComplete="new-password" value={values.next} onChange={set('next')} error={problems.password} />
        <PasswordInput label={t('again')} autoComplete="new-password" value={values.again} onChange={set('again')} error={problems.again} />
      </div>
      <div className={styles.actions}>
        <Button type="submit" busy={busy}>
          {t('change')}
        </Button>
      </div>
    </form>
  );
}

function Appearance() {
  const { t } = useTranslation('account');
  const { choice } = useTheme();
  return (
    <section className={styles.card}>
      <h2>{t('appearance')}</h2>
      <p className={styles.note}>{t('theme_text')}</p>
      <SegmentedControl
        aria-label={t('theme')}
        value={choice}
        onChange={(value) => set_theme(value as ThemeChoice)}
        data={[
          { value: 'light', label: t('light') },
          { value: 'dark', label: t('dark') },
          { value: 'system', label: t('system') },
        ]}
      />
    </section>
  );
}
