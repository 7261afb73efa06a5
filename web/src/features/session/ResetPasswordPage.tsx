import { useParams } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { reload_session, session } from '@/api/session';
import { usePageTitle } from '@/lib/frame';
import { useGo } from '@/lib/navigate';
import { paths } from '@/lib/paths';
import { useTheme } from '@/lib/theme';
import { Button } from '@/ui/Button';
import { PasswordInput } from '@/ui/fields';
import { Wordmark } from '@/ui/Mark';
import { SignInArt } from './SignInArt';
import styles from './SignInPage.module.css';
import './strings';

/** A new password by a one-time link, as `basalt reset-password` prints it. */
export function ResetPasswordPage() {
  const { t } = useTranslation('session');
  usePageTitle(t('reset_title'));
  const { theme } = useTheme();
  const { token } = useParams({ strict: false }) as { token: string };
  const go = useGo();
  const [good, set_good] = useState<boolean>();
  const [password, set_password] = useState('');
  const [again, set_again] = useState('');
  const [problems, set_problems] = useState<{ password?: string; again?: string; form?: string }>({});
  const [busy, set_busy] = useState(false);

  useEffect(() => {
    const aborter = new AbortController();
    session.reset_token_valid(token, aborter.signal).then(set_good, () => set_good(true));
    return () => aborter.abort();
  }, [token]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (password === '') return set_problems({ password: t('needed_password') });
    if (password !== again) return set_problems({ again: t('not_the_same') });
    set_busy(true);
    set_problems({});
    try {
      await session.reset_password(token, password);
      await reload_session();
      go('/', { replace: true });
    } catch (error) {
      if (error instanceof ApiError && error.fields.password) set_problems({ password: error.fields.password });
      else set_problems({ form: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(false);
    }
  }

  return (
    <div className={styles.page}>
      <main className={styles.panel}>
        <Wordmark size={28} ground={theme} />
        {good === false ? (
          <div className={styles.form}>
            <h1>{t('reset_gone')}</h1>
            <p className={styles.site}>{t('reset_gone_text')}</p>
            <Button kind="primary" size="large" wide onClick={() => go(paths.sign_in())}>
              {t('to_sign_in')}
            </Button>
          </div>
        ) : (
          <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
            <h1>{t('reset_title')}</h1>
            <p className={styles.site}>{t('reset_text')}</p>
            {problems.form && (
              <p className={styles.problem} role="alert">
                {problems.form}
              </p>
            )}
            <PasswordInput
              size="lg"
              label={t('new_password')}
              autoComplete="new-password"
              autoFocus
              value={password}
              onChange={(event) => set_password(event.currentTarget.value)}
              error={problems.password}
            />
            <PasswordInput
              size="lg"
              label={t('new_password_again')}
              autoComplete="new-password"
              value={again}
              onChange={(event) => set_again(event.currentTarget.value)}
              error={problems.again}
            />
            <Button kind="primary" size="large" wide type="submit" busy={busy}>
              {t('reset_submit')}
            </Button>
          </form>
        )}
      </main>
      <div className={styles.art} aria-hidden="true">
        <SignInArt />
      </div>
    </div>
  );
}
