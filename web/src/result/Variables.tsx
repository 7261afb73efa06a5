import { IconCalendar, IconChevronDown, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { fields } from '../api/databases';
import type { TemplateTag } from '../api/types';
import { dateFromParameter, dateToParameter, describeDate } from '../query/dates';
import { DateEditor, isCompleteDate } from '../query/editors/DateEditor';
import { choicesOf, FreeValues, ValueList, type ChoiceSource } from '../query/editors/ValueList';
import { say } from '../query/words';
import { Button, IconButton } from '../ui/Button';
import { Chip } from '../ui/Chip';
import { Popover } from '../ui/Overlays';
import { isAsked, isEmpty, parameterType, valueOf, type TagMap, type TagValues } from './tags';
import styles from './result.module.css';

function fieldOf(tag: TemplateTag): number | null {
  const ref = tag.dimension;
  return Array.isArray(ref) && typeof ref[1] === 'number' ? ref[1] : null;
}
function sourceOf(tag: TemplateTag): ChoiceSource | null {
  const id = fieldOf(tag);
  if (id === null || !/^(string\/(=|!=)|category|location|id|number\/(=|!=))/.test(parameterType(tag))) return null;
  return {
    key: ['field', id],
    load: async (signal) => {
      const answer = await fields.values(id, { signal });
      return { choices: choicesOf(answer.values), more: answer.has_more_values ?? false };
    },
    find: async (words, signal) => choicesOf(await fields.search(id, words, 100, { signal })),
  };
}

/** One value in words, for a chip. */
export function valueText(tag: TemplateTag, value: unknown): string {
  if (isEmpty(value)) return '';
  const type = parameterType(tag);
  if (type.startsWith('date')) {
    const date = dateFromParameter(value);
    return date ? describeDate(date) : String(value);
  }
  const list = Array.isArray(value) ? value : [value];
  if (type === 'number/between' && list.length === 2) return say('{{from}} to {{to}}', { from: String(list[0]), to: String(list[1]) });
  return list.length > 2 ? say('{{first}} and {{n}} more', { first: String(list[0]), n: list.length - 1 }) : list.map(String).join(', ');
}

/** Asks for the value of one variable, by its kind. */
export function ValueEditor({ tag, value, onChange }: { tag: TemplateTag; value: unknown; onChange: (value: unknown) => void }) {
  const type = parameterType(tag);
  if (type.startsWith('date')) {
    const choices = type === 'date/single' ? 'single' : type === 'date/range' ? 'range' : type === 'date/relative' ? 'relative' : type === 'date/month-year' ? 'month' : type === 'date/quarter-year' ? 'quarter' : 'all';
    return <DateEditor value={isEmpty(value) ? null : dateFromParameter(value)} choices={choices} hours={false} onChange={(next) => isCompleteDate(next) && onChange(dateToParameter(next))} />;
  }
  const numeric = type.startsWith('number');
  const many = tag.type === 'dimension' && type !== 'number/>=' && type !== 'number/<=';
  const list = isEmpty(value) ? [] : Array.isArray(value) ? value : [value];
  const source = sourceOf(tag);
  const give = (next: unknown[]) => onChange(next.length === 0 ? null : many ? next : next[next.length - 1]);
  return (
    <div style={{ padding: 12, width: 280, maxWidth: '100%', minWidth: 0, overflow: 'hidden' }}>
      {source ? <ValueList source={source} value={list} onChange={give} many={many} label={say('Find a value')} numeric={numeric} /> : <FreeValues value={list} onChange={give} many={many} label={tag['display-name']} numeric={numeric} />}
    </div>
  );
}

interface VariablesProps {
  tags: TagMap;
  values: TagValues;
  onChange: (values: TagValues) => void;
}

/** A chip per variable; violet while it holds a value. */
export function VariableBar({ tags, values, onChange }: VariablesProps) {
  const [open, setOpen] = useState<string | null>(null);
  const asked = Object.values(tags).filter(isAsked);
  if (asked.length === 0) return null;
  return (
    <div className={styles.variables} role="group" aria-label={say('Values of the variables')}>
      {asked.map((tag) => {
        const value = valueOf(tag, values);
        const empty = isEmpty(value);
        const date = parameterType(tag).startsWith('date');
        return (
          <Popover key={tag.name} opened={open === tag.name} onChange={(next) => !next && setOpen(null)} position="bottom-start" trapFocus returnFocus withinPortal>
            <Popover.Target>
              <span>
                <Chip
                  tone={empty ? 'plain' : 'violet'} icon={date ? <IconCalendar size={16} stroke={1.6} aria-hidden /> : undefined} icon_after={empty ? <IconChevronDown size={14} aria-hidden /> : undefined}
                  aria-expanded={open === tag.name} onClick={() => setOpen(open === tag.name ? null : tag.name)}
                  onRemove={empty || (tag.required && !(tag.name in values)) ? undefined : () => onChange({ ...values, [tag.name]: tag.required ? tag.default : null })} remove_label={say('Clear {{name}}', { name: tag['display-name'] })}
                >
                  {tag['display-name']}{tag.required && empty ? ' *' : ''} {!empty && <strong>{valueText(tag, value)}</strong>}
                </Chip>
              </span>
            </Popover.Target>
            <Popover.Dropdown p={0}>
              <ValueEditor tag={tag} value={value} onChange={(next) => onChange({ ...values, [tag.name]: next })} />
              <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, padding: '8px 12px', borderTop: '1px solid var(--line)' }}>
                {!empty && <IconButton size="small" label={say('Clear {{name}}', { name: tag['display-name'] })} icon={<IconX size={16} aria-hidden />} onClick={() => onChange({ ...values, [tag.name]: null })} />}
                <Button size="small" kind="violet" onClick={() => setOpen(null)}>{say('Done')}</Button>
              </div>
            </Popover.Dropdown>
          </Popover>
        );
      })}
    </div>
  );
}
