import { Modal, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import styles from './Overlays.module.css';
import './strings';

export interface DialogProps {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  /** Buttons, right-aligned; the main one last. */
  actions?: ReactNode;
  width?: number;
  children?: ReactNode;
  /** Makes the whole dialog a form; Enter then sends it. */
  onSubmit?: () => void;
}

export function Dialog({ opened, onClose, title, actions, width = 480, children, onSubmit }: DialogProps) {
  const { t } = useTranslation('ui');
  useFocusBack(opened);
  const inside = (
    <>
      <div className={styles.body}>{children}</div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </>
  );
  function submit(event: FormEvent) {
    event.preventDefault();
    event.stopPropagation();
    onSubmit?.();
  }
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={width} closeButtonProps={{ 'aria-label': t('close') }}>
      {onSubmit ? (
        <form onSubmit={submit} noValidate>
          {inside}
        </form>
      ) : (
        inside
      )}
    </Modal>
  );
}

/** A dialog that goes away as a whole hands the focus back as well, to what opened it. */
function useFocusBack(opened: boolean) {
  const opener = useRef<Element | null>(null);
  const was_opened = useRef(false);
  if (opened && !was_opened.current) opener.current = document.activeElement;
  was_opened.current = opened;
  useEffect(() => {
    if (!opened) return;
    return () => {
      const back = opener.current;
      setTimeout(() => {
        const nowhere = document.activeElement === null || document.activeElement === document.body;
        if (nowhere && back instanceof HTMLElement && back.isConnected) back.focus();
      }, 0);
    };
  }, [opened]);
}

export interface ConfirmDialogProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  children?: ReactNode;
  /** What happens, as a verb: "Delete database". */
  confirm: string;
  danger?: boolean;
  /** The person must type this name before the button works. */
  typed_name?: string;
  onConfirm: () => Promise<void> | void;
}

export function ConfirmDialog({ opened, onClose, title, children, confirm, danger, typed_name, onConfirm }: ConfirmDialogProps) {
  const { t } = useTranslation('ui');
  const [typed, set_typed] = useState('');
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<string>();
  const ready = typed_name === undefined || typed.trim() === typed_name;
  function close() {
    set_typed('');
    set_problem(undefined);
    onClose();
  }
  async function run() {
    if (!ready) return;
    set_busy(true);
    set_problem(undefined);
    try {
      await onConfirm();
      close();
    } catch (error) {
      set_problem(error instanceof Error ? error.message : String(error));
    } finally {
      set_busy(false);
    }
  }
  return (
    <Dialog
      opened={opened}
      onClose={close}
      title={title}
      onSubmit={() => void run()}
      actions={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy} disabled={!ready}>
            {confirm}
          </Button>
        </>
      }
    >
      {children}
      {typed_name !== undefined && (
        <TextInput
          mt="md"
          label={t('type_to_confirm', { name: typed_name })}
          value={typed}
          onChange={(event) => set_typed(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
      )}
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}
