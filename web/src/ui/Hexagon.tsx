import type { CSSProperties, ReactNode } from 'react';
import styles from './Hexagon.module.css';

export type HexagonTone = 'brand' | 'green' | 'ember' | 'red' | 'amber' | 'quiet' | 'sunken' | 'violet';

/** A basalt column from above: people, verified, step numbers, live. Pointy side up. */
export function Hexagon({
  size = 24,
  tone = 'sunken',
  fill,
  children,
  label,
}: {
  size?: number;
  tone?: HexagonTone;
  fill?: string;
  children?: ReactNode;
  label?: string;
}) {
  return (
    <span
      className={`${styles.hexagon} ${styles[tone]}`}
      style={{ width: size, height: size * 1.1, ...(fill ? { background: fill, color: '#fff' } : {}) } as CSSProperties}
      role={label ? 'img' : undefined}
      aria-label={label}
    >
      {children}
    </span>
  );
}

export function initials(name: string): string {
  const words = name.trim().split(/[\s@._-]+/).filter(Boolean);
  const first = words[0]?.[0] ?? '?';
  const second = words.length > 1 ? words[words.length - 1][0] : (words[0]?.[1] ?? '');
  return (first + second).toUpperCase();
}

/** The same person has the same colour everywhere. */
export function avatar_colour(seed: number | string): string {
  let sum = 0;
  for (const letter of String(seed)) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return `var(--avatar-${(typeof seed === 'number' ? (seed - 1 + 5) % 5 : sum % 5) + 1})`;
}

export function Avatar({ name, id, size = 20 }: { name: string; id?: number | string; size?: number }) {
  return (
    <span className={styles.avatar} style={{ width: size, height: size * 1.1, background: avatar_colour(id ?? name), fontSize: Math.max(8, size * 0.42) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
