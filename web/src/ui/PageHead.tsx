import { IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from './Button';
import styles from './PageHead.module.css';

/** Where one is: links from the top down to the page itself. */
export function Crumbs({ items, label }: { items: { name: string; href?: string }[]; label: string }) {
  return (
    <nav aria-label={label} className={styles.crumbs}>
      <ol>
        {items.map((item, index) => (
          <li key={index}>
            {index > 0 && <IconChevronRight size={14} stroke={1.6} aria-hidden />}
            {item.href ? <Link href={item.href}>{item.name}</Link> : <span aria-current="page">{item.name}</span>}
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** Crumbs, title, a line below it, and tools at the end. */
export function PageHead({ crumbs, title, text, tools }: { crumbs?: ReactNode; title: ReactNode; text?: ReactNode; tools?: ReactNode }) {
  return (
    <header className={styles.head}>
      {crumbs}
      <div className={styles.row}>
        <div className={styles.words}>
          {typeof title === 'string' ? <h1 className={styles.title}>{title}</h1> : title}
          {text && <div className={styles.text}>{text}</div>}
        </div>
        {tools && <div className={styles.tools}>{tools}</div>}
      </div>
    </header>
  );
}

/** The padding and width of an ordinary page. */
export function Page({ children, width }: { children: ReactNode; width?: number }) {
  return (
    <div className={styles.page} style={width ? { maxWidth: width + 64 } : undefined}>
      {children}
    </div>
  );
}
