import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { Button, ButtonLink } from '@/ui/Button';
import { EmptyState, ErrorCard } from '@/ui/States';
import './strings';

/** What a page shows instead of itself when it could not be built. */
export function FailurePage({ error }: { error: unknown }) {
  const { t } = useTranslation('app');
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  if (error instanceof ApiError && error.status === 403) {
    return <EmptyState heading="h1" title={t('forbidden_title')} actions={<ButtonLink href="/">{t('go_home')}</ButtonLink>}>{t('forbidden_text')}</EmptyState>;
  }
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div style={{ maxWidth: 640, margin: '64px auto', padding: '0 16px' }}>
      <ErrorCard
        title={error instanceof ApiError && error.status === 0 ? t('offline_title') : t('failed_title')}
        detail={message}
        source={t('failed_source')}
        actions={
          <>
            <Button kind="primary" onClick={() => window.location.reload()}>
              {t('reload')}
            </Button>
            <ButtonLink href="/">{t('go_home')}</ButtonLink>
          </>
        }
      >
        {t('failed_text')}
      </ErrorCard>
    </div>
  );
}

export function NotFoundPage() {
  const { t } = useTranslation('app');
  return (
    <EmptyState heading="h1" title={t('missing_title')} actions={<ButtonLink kind="primary" href="/">{t('go_home')}</ButtonLink>}>
      {t('missing_text')}
    </EmptyState>
  );
}
