import { Checkbox, Radio, TagsInput, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { say } from '../words';
import styles from './editors.module.css';

export interface Choice {
  value: string | number | boolean;
  label: string;
}
export interface ChoiceSource {
  /** Identifies the choices in the cache. */
  key: unknown[];
  /** All choices, or the first ones with `more`. */
  load: (signal: AbortSignal) => Promise<{ choices: Choice[]; more: boolean }>;
  /** Asked when there are more than `load` gave. */
  find?: (words: string, signal: AbortSignal) => Promise<Choice[]>;
}
/** `[["a"], [7, "Label"]]` as the server lists values. */
export const choicesOf = (values: unknown[]): Choice[] =>
  values.map((item) => {
    const [value, label] = Array.isArray(item) ? item : [item];
    return { value: value as Choice['value'], label: label == null ? (value === null ? say('Empty') : value === '' ? say('Empty text') : String(value)) : String(label) };
  });

function useLater<T>(value: T, delay = 200): T {
  const [later, set_later] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set_later(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return later;
}

/** Picks from known values with check boxes (or one with radio buttons), with search; free typing where none are known. */
export function ValueList({ source, value, onChange, many = true, label, numeric = false }: {
  source: ChoiceSource | null;
  value: unknown[];
  onChange: (value: unknown[]) => void;
  many?: boolean;
  label: string;
  numeric?: boolean;
}) {
  const [words, set_words] = useState('');
  const later = useLater(words.trim());
  const all = useQuery({ queryKey: ['choices', ...(source?.key ?? [])], queryFn: ({ signal }) => source!.load(signal), enabled: source !== null, staleTime: 60_000, retry: false });
  const more = all.data?.more ?? false;
  const searched = useQuery({
    queryKey: ['choices', ...(source?.key ?? []), 'find', later],
    queryFn: ({ signal }) => source!.find!(later, signal),
    enabled: source?.find !== undefined && later !== '' && (more || all.data?.choices.length === 0), staleTime: 60_000, retry: false,
  });
  const known = all.data?.choices ?? [];
  if (source === null || all.isError || (all.isSuccess && known.length === 0 && !source.find)) {
    return <FreeValues value={value} onChange={onChange} many={many} label={label} numeric={numeric} />;
  }
  const text = (item: unknown) => String(item);
  const chosen = new Set(value.map(text));
  const listed = words.trim() === '' ? known : (searched.data ?? known.filter((choice) => choice.label.toLowerCase().includes(words.trim().toLowerCase())));
  const absent = words.trim() === '' ? value.filter((item) => !known.some((choice) => text(choice.value) === text(item))).map((item): Choice => ({ value: item as string, label: text(item) })) : [];
  const toggle = (choice: Choice) => {
    if (!many) onChange([choice.value]);
    else if (chosen.has(text(choice.value))) onChange(value.filter((item) => text(item) !== text(choice.value)));
    else onChange([...value, choice.value]);
  };
  const typed = words.trim();
  const can_add = typed !== '' && !listed.some((choice) => text(choice.value) === typed) && (!numeric || !Number.isNaN(Number(typed)));
  return (
    <>
      <TextInput
        value={words} onChange={(event) => set_words(event.currentTarget.value)} placeholder={label} aria-label={label} leftSection={<IconSearch size={16} aria-hidden />} data-autofocus
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || typed === '') return;
          event.preventDefault();
          if (listed.length > 0) toggle(listed[0]!);
          else if (can_add) onChange(many ? [...value, numeric ? Number(typed) : typed] : [numeric ? Number(typed) : typed]);
          set_words('');
        }}
      />
      <div className={styles.checks} role={many ? 'group' : 'radiogroup'} aria-label={label}>
        {[...absent, ...listed].slice(0, 300).map((choice) =>
          many ? (
            <label key={text(choice.value)} className={styles.check}>
              <Checkbox checked={chosen.has(text(choice.value))} onChange={() => toggle(choice)} aria-label={choice.label} />
              <span className={styles.grow}>{choice.label}</span>
            </label>
          ) : (
            <label key={text(choice.value)} className={styles.check}>
              <Radio checked={chosen.has(text(choice.value))} onChange={() => toggle(choice)} aria-label={choice.label} />
              <span className={styles.grow}>{choice.label}</span>
            </label>
          ),
        )}
        {all.isPending && <div className={styles.nothing}>{say('Loading values…')}</div>}
        {all.isSuccess && listed.length === 0 && absent.length === 0 && !can_add && <div className={styles.nothing}>{typed ? say('Nothing is called “{{words}}”.', { words: typed }) : say('Type to find a value.')}</div>}
        {can_add && all.isSuccess && (
          <button type="button" className={styles.item} onClick={() => { onChange(many ? [...value, numeric ? Number(typed) : typed] : [numeric ? Number(typed) : typed]); set_words(''); }}>
            <span className={styles.grow}>{say('Use “{{words}}”', { words: typed })}</span>
          </button>
        )}
        {more && typed === '' && <div className={styles.nothing}>{say('There are more: type to find them.')}</div>}
      </div>
    </>
  );
}

export function FreeValues({ value, onChange, many, label, numeric }: { value: unknown[]; onChange: (value: unknown[]) => void; many: boolean; label: string; numeric: boolean }) {
  const clean = (texts: string[]) => texts.map((item) => item.trim()).filter((item) => item !== '' && (!numeric || !Number.isNaN(Number(item)))).map((item) => (numeric ? Number(item) : item));
  if (!many) return <TextInput value={value[0] == null ? '' : String(value[0])} onChange={(event) => onChange(event.currentTarget.value === '' ? [] : [event.currentTarget.value])} onBlur={() => numeric && onChange(clean(value.map(String)))} inputMode={numeric ? 'decimal' : undefined} aria-label={label} placeholder={label} data-autofocus />;
  return <TagsInput value={value.map(String)} onChange={(texts) => onChange(clean(texts))} aria-label={label} placeholder={value.length === 0 ? label : undefined} acceptValueOnBlur splitChars={[',', ';', '\n']} styles={{ inputField: { outline: 'none' } }} data-autofocus />;
}
