import { useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { reload_session, session, useProperties } from '@/api/session';
import { usePageTitle } from '@/lib/frame';
import { useGo } from '@/lib/navigate';
import { useTheme } from '@/lib/theme';
import { Button } from '@/ui/Button';
import { Checkbox, PasswordInput, TextInput } from '@/ui/fields';
import { Wordmark } from '@/ui/Mark';
import { Popover } from '@/ui/Overlays';
import { SignInArt } from './SignInArt';
import styles from './SignInPage.module.css';
import './strings';

/** Only addresses of this server are gone back to. */
export function safe_return(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith('/auth/') ? wanted : '/';
}

export function SignInPage() {
  const { t } = useTranslation('session');
  usePageTitle(t('title'));
  const { theme } = useTheme();
  const properties = useProperties();
  const search = useSearch({ strict: false }) as { redirect?: string };
  const go = useGo();
  const [email, set_email] = useState('');
  const [password, set_password] = useState('');
  const [remember, set_remember] = useState(true);
  const [problem, set_problem] = useState<{ field: 'email' | 'password' | 'form'; text: string }>();
  const [busy, set_busy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (email.trim() === '') return set_problem({ field: 'email', text: t('needed_email') });
    if (password === '') return set_problem({ field: 'password', text: t('needed_password') });
    set_busy(true);
    set_problem(undefined);
    try {
      await session.sign_in(email.trim(), password, remember);
      await reload_session();
      go(safe_return(search.redirect), { replace: true });
    } catch (error) {
      if (error instanceof ApiError && error.fields.password) set_problem({ field: 'password', text: t('wrong') });
      else set_problem({ field: 'form', text: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(false);
    }
  }

  const host = (properties?.['site-url'] as string | undefined)?.replace(/^https?:\/\//, '') || window.location.host;
  return (
    <div className={styles.page}>
      <main className={styles.panel}>
        <Wordmark size={28} ground={theme} />
        <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
          <h1>{t('title')}</h1>
          <p className={styles.site}>{[properties?.['site-name'], host].filter(Boolean).join(', ')}</p>
          {problem?.field === 'form' && (
            <p className={styles.problem} role="alert">
              {problem.text}
            </p>
          )}
          <TextInput
            size="lg"
            label={t('email')}
            type="email"
            autoComplete="username"
            autoFocus
            value={email}
            onChange={(event) => set_email(event.currentTarget.value)}
            error={problem?.field === 'email' ? problem.text : undefined}
          />
          <div className={styles.password}>
            <PasswordInput
              size="lg"
              label={t('password')}
              autoComplete="current-password"
              value={password}
              onChange={(event) => set_password(event.currentTarget.value)}
              error={problem?.field === 'password' ? problem.text : undefined}
            />
            <Popover width={280} position="bottom-end">
              <Popover.Target>
                <button type="button" className={styles.forgot}>
                  {t('forgot')}
                </button>
              </Popover.Target>
              <Popover.Dropdown>{t('forgot_text')}</Popover.Dropdown>
            </Popover>
          </div>
          <Checkbox label={t('remember')} checked={remember} onChange={(event) => set_remember(event.currentTarget.checked)} />
          <Button kind="primary" size="large" wide type="submit" busy={busy}>
            {t('submit')}
          </Button>
        </form>
        <p className={styles.version}>{properties?.['basalt-version'] ? t('version', { version: properties['basalt-version'] }) : ''}</p>
      </main>
      <div className={styles.art} aria-hidden="true">
        <SignInArt />
      </div>
    </div>
  );
}
