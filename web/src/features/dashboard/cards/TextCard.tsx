import { IconExternalLink, IconLayoutDashboard, IconLink } from '@tabler/icons-react';
import type { DashCard } from '@/api/types';
import { item_path } from '@/lib/paths';
import { Link } from '@/ui/Button';
import { describeValue, type Parameter } from '@/query/parameters';
import { say } from '@/query/words';
import { Markdown, safeAddress } from '@/ui/markdown';
import { virtualKind } from '../model';
import type { Values } from '../values';
import styles from '../dashboard.module.css';

/** `{{state}}` in a text shows the value of the filter that is linked to it. */
export function filledText(text: string, card: DashCard, parameters: Parameter[], values: Values): string {
  return text.replace(/\[\[([\s\S]*?)\]\]/g, (_, inner: string) => (tagsOf(inner).every((tag) => valueOf(tag, card, parameters, values) !== '') ? inner : ''))
    .replace(/\{\{\s*([^{}]+?)\s*\}\}/g, (_, tag: string) => valueOf(tag, card, parameters, values));
}
export const tagsOf = (text: string): string[] => [...new Set([...text.matchAll(/\{\{\s*([^{}]+?)\s*\}\}/g)].map((match) => match[1]!))];
function valueOf(tag: string, card: DashCard, parameters: Parameter[], values: Values): string {
  const mapping = card.parameter_mappings.find((item) => Array.isArray(item.target) && item.target[0] === 'text-tag' && item.target[1] === tag);
  const parameter = parameters.find((item) => item.id === mapping?.parameter_id);
  // Marks of Markdown in a value are text, not marks.
  return parameter ? describeValue(parameter, values[parameter.id]).replace(/([\\`*_{}[\]()#+\-.!~|>])/g, '\\$1') : '';
}

/** Text, heading, link or embedded page. */
export function VirtualCard({ card, parameters, values }: { card: DashCard; parameters: Parameter[]; values: Values }) {
  const settings = card.visualization_settings;
  const text = filledText(typeof settings['text'] === 'string' ? settings['text'] : '', card, parameters, values);
  switch (virtualKind(card)) {
    case 'heading': return <h2 className={styles.heading}>{text.replace(/\\(.)/g, '$1') || say('Heading')}</h2>;
    case 'link': {
      const link = (settings['link'] ?? {}) as { url?: string; entity?: { id: number; model: string; name: string; db_id?: number; database_id?: number } };
      if (link.entity) return <Link className={styles.place} href={item_path(link.entity)}><IconLayoutDashboard size={16} stroke={1.6} aria-hidden />{link.entity.name}</Link>;
      const address = safeAddress(link.url ?? '');
      if (!address) return <div className={styles.place} style={{ color: 'var(--muted)' }}><IconLink size={16} stroke={1.6} aria-hidden />{link.url || say('A link without an address')}</div>;
      return <Link className={styles.place} href={address} target={/^https?:/.test(address) ? '_blank' : undefined} rel="noopener noreferrer"><IconExternalLink size={16} stroke={1.6} aria-hidden />{link.url}</Link>;
    }
    case 'iframe': {
      const given = typeof settings['iframe'] === 'string' ? settings['iframe'] : '';
      const address = safeAddress(/src=["']([^"']+)["']/.exec(given)?.[1] ?? given);
      if (!address || !/^https:/i.test(address)) return <div className={styles.short}>{say('An embedded page needs an address that starts with https://.')}</div>;
      return <iframe className={styles.frame} src={address} title={say('Embedded page')} sandbox="allow-scripts allow-same-origin allow-forms allow-popups" referrerPolicy="no-referrer" loading="lazy" />;
    }
    case 'placeholder': return <div className={styles.short}>{say('An empty place')}</div>;
    default: return <Markdown className={`${styles.text} ${styles.text_box}`} text={text || say('Nothing written yet.')} />;
  }
}
