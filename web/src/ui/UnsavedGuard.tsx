import { useBlocker } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { Dialog } from './Dialog';
import './strings';

/**
 * Asks before unsaved work is left, for links inside the app and for closing the window.
 * `allow` lets a move through that keeps the work (the same page with another tab in its address).
 */
export function UnsavedGuard({ dirty, onSave, allow }: { dirty: boolean; onSave?: () => Promise<void>; allow?: (next_path: string) => boolean }) {
  const { t } = useTranslation('ui');
  const blocker = useBlocker({
    shouldBlockFn: ({ next }: { next: { pathname: string } }) => dirty && !(allow?.(next.pathname) ?? false),
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <Dialog
      opened
      onClose={blocker.reset}
      title={t('unsaved_title')}
      actions={
        <>
          <Button kind="quiet" onClick={blocker.proceed}>
            {t('unsaved_leave')}
          </Button>
          <Button onClick={blocker.reset}>{t('unsaved_stay')}</Button>
          {onSave && (
            <Button kind="primary" onClick={() => void onSave().then(blocker.proceed, blocker.reset)}>
              {t('unsaved_save')}
            </Button>
          )}
        </>
      }
    >
      <p>{t('unsaved_text')}</p>
    </Dialog>
  );
}
