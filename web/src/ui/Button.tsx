import { Loader } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, MouseEvent, ReactNode, Ref } from 'react';
import styles from './Button.module.css';

export type ButtonKind = 'primary' | 'default' | 'quiet' | 'danger' | 'violet' | 'green' | 'dock';
export type ButtonSize = 'small' | 'normal' | 'large';

interface Look {
  kind?: ButtonKind;
  size?: ButtonSize;
  icon?: ReactNode;
  icon_after?: ReactNode;
  wide?: boolean;
}

function class_of({ kind = 'default', size = 'normal', wide }: Look, extra?: string) {
  return [styles.button, styles[kind], styles[size], wide ? styles.wide : '', extra ?? ''].join(' ');
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Look {
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button says what it does ("Save question"). `busy` shows a spinner and refuses a second press. */
export function Button({ kind, size, icon, icon_after, wide, busy, children, className, disabled, type, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type ?? 'button'}
      className={class_of({ kind, size, wide }, className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <Loader size={14} color="currentColor" /> : icon}
      {children !== undefined && <span className={styles.label}>{children}</span>}
      {icon_after}
    </button>
  );
}

export interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string;
  ref?: Ref<HTMLAnchorElement>;
}

/** A link inside the app: a true <a>, so it opens in a new tab, yet changes the page without loading it anew. */
export function Link({ href, onClick, target, ...rest }: LinkProps) {
  const router = useRouter({ warn: false });
  function open(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if ((target && target !== '_self') || !router || /^[a-z]+:/i.test(href)) return;
    event.preventDefault();
    void router.navigate({ href } as never);
  }
  return <a {...rest} href={href} target={target} onClick={open} />;
}

export interface ButtonLinkProps extends LinkProps, Look {}

export function ButtonLink({ kind, size, icon, icon_after, wide, children, className, ...rest }: ButtonLinkProps) {
  return (
    <Link {...rest} className={class_of({ kind, size, wide }, className)}>
      {icon}
      <span className={styles.label}>{children}</span>
      {icon_after}
    </Link>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> {
  /** What the button does; read aloud and shown on hover. */
  label: string;
  icon: ReactNode;
  size?: ButtonSize;
  kind?: 'quiet' | 'bar' | 'default';
  active?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, icon, size = 'normal', kind = 'quiet', active, className, type, ...rest }: IconButtonProps) {
  return (
    <button
      {...rest}
      type={type ?? 'button'}
      aria-label={label}
      title={label}
      data-active={active || undefined}
      aria-pressed={active === undefined ? undefined : active}
      className={[styles.icon, styles[`icon_${kind}`], styles[`icon_${size}`], className ?? ''].join(' ')}
    >
      {icon}
    </button>
  );
}
