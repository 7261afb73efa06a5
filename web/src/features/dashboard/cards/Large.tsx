import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { say } from '@/query/words';

/** One card over the whole page. */
export function Large({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <Modal opened onClose={onClose} title={title} size="min(1200px, 94vw)" yOffset="6vh" closeButtonProps={{ 'aria-label': say('Close') }}>
      <div style={{ height: '74vh', display: 'flex', flexDirection: 'column', margin: '0 -16px' }}>{children}</div>
    </Modal>
  );
}
