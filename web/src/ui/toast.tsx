import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { i18next } from '@/lib/i18n';
import { Button } from './Button';
import './strings';

let next = 1;
let wanted = false;
const listeners = new Set<() => void>();

/** Whether a toast was ever asked for, for the place that shows them; with `useSyncExternalStore`. */
export const toasts_wanted = {
  read: () => wanted,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

/** A short word at the foot of the page. With `undo` it stays longer and offers the way back. */
export function toast(message: string, options: { undo?: () => Promise<void> | void; tone?: 'done' | 'problem' } = {}): void {
  const id = `toast-${next++}`;
  const problem = options.tone === 'problem';
  // Fetched on first use: no page opens with a toast.
  wanted = true;
  for (const listener of listeners) listener();
  void import('@mantine/notifications').then(({ notifications }) => notifications.show({
    id,
    autoClose: options.undo ? 10_000 : problem ? 8_000 : 4_000,
    withCloseButton: true,
    icon: problem ? <IconAlertTriangle size={18} aria-hidden /> : <IconCheck size={18} aria-hidden />,
    className: problem ? 'basalt-toast basalt-toast-problem' : 'basalt-toast',
    message: (
      <span style={{ display: 'flex', alignItems: 'center', gap: 12 }}>
        <span style={{ flex: 1 }}>{message}</span>
        {options.undo && (
          <Button
            kind="dock"
            size="small"
            onClick={() => {
              notifications.hide(id);
              void Promise.resolve(options.undo?.()).catch(toast_failure);
            }}
          >
            {i18next.t('ui:undo')}
          </Button>
        )}
      </span>
    ),
  }));
}

/** For the catch of anything a person asked for. Aborted calls say nothing. */
export function toast_failure(error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  toast(error instanceof Error ? error.message : String(error), { tone: 'problem' });
}
