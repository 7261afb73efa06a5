import { Checkbox, NumberInput, PasswordInput, Select, Textarea, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { type ClipboardEvent, type ReactNode, useState } from 'react';
import { details_of_connection_string } from './connection_string';
import styles from './EngineForm.module.css';
import { type FormField, type FormValues, split_sections, visible_fields } from './fields';

/** Two fields share a row where they are short and belong together. */
const pairs: Record<string, number> = { host: 3, port: 1, dbname: 2, db: 4, user: 2, password: 2 };

/** The fields a kind of database needs, as the server describes them. A connection string that is pasted anywhere fills them. */
export function EngineForm({
  engine,
  fields,
  values,
  onChange,
  problems = {},
  more_label,
  size = 'sm',
  extra,
}: {
  engine: string;
  fields: FormField[];
  values: FormValues;
  onChange: (values: FormValues) => void;
  problems?: Record<string, string>;
  more_label: string;
  size?: 'sm' | 'lg';
  /** A field of the caller's own in the grid, such as the name. */
  extra?: ReactNode;
}) {
  const { main, more } = split_sections(fields);
  const [open, set_open] = useState(false);
  const more_fields = visible_fields(more, values);
  const unfolded = open || more_fields.some((field) => problems[field.name]);
  const set = (name: string, value: unknown) => onChange({ ...values, [name]: value });
  const fill = (event: ClipboardEvent) => {
    const details = details_of_connection_string(event.clipboardData.getData('text/plain'), engine, fields);
    if (!details) return;
    event.preventDefault();
    onChange({ ...values, ...details });
  };
  const draw = (field: FormField) => (
    <div key={field.name} style={{ gridColumn: `span ${pairs[field.name] ?? 4}` }} className={styles.cell}>
      <OneField field={field} value={values[field.name]} problem={problems[field.name]} onChange={(value) => set(field.name, value)} size={size} />
    </div>
  );
  return (
    <div className={styles.form} onPaste={fill}>
      <div className={styles.grid}>
        {extra}
        {visible_fields(main, values).map(draw)}
      </div>
      {more_fields.length > 0 && (
        <>
          <button type="button" className={styles.more} aria-expanded={unfolded} onClick={() => set_open(!unfolded)}>
            {unfolded ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}
            {more_label}
          </button>
          {unfolded && <div className={styles.grid}>{more_fields.map(draw)}</div>}
        </>
      )}
    </div>
  );
}

function OneField({ field, value, problem, onChange, size }: { field: FormField; value: unknown; problem?: string; onChange: (value: unknown) => void; size: 'sm' | 'lg' }) {
  const common = {
    label: field['display-name'] ?? field.name,
    description: field['helper-text'],
    required: field.required,
    withAsterisk: false,
    error: problem,
    size,
    inputWrapperOrder: ['label', 'input', 'error', 'description'] as ('label' | 'input' | 'error' | 'description')[],
  };
  const text = value === undefined || value === null ? '' : String(value);
  const placeholder = field.placeholder === undefined ? undefined : String(field.placeholder);
  switch (field.type) {
    case 'boolean':
      return <Checkbox label={common.label} description={common.description} checked={Boolean(value)} onChange={(event) => onChange(event.currentTarget.checked)} mt={4} />;
    case 'integer':
      return <NumberInput {...common} value={text === '' ? '' : Number(text)} placeholder={placeholder} onChange={(next) => onChange(next === '' ? undefined : next)} hideControls allowDecimal={false} />;
    case 'password':
      return <PasswordInput {...common} value={text} placeholder={placeholder} autoComplete="new-password" onChange={(event) => onChange(event.currentTarget.value)} />;
    case 'select':
      return (
        <Select
          {...common}
          data={(field.options ?? []).map((option) => ({ value: String(option.value), label: option.name }))}
          value={text === '' ? null : text}
          onChange={(next) => onChange((field.options ?? []).find((option) => String(option.value) === next)?.value ?? next)}
        />
      );
    case 'text':
    case 'textFile':
      return <Textarea {...common} value={text} placeholder={placeholder} autosize minRows={3} maxRows={10} onChange={(event) => onChange(event.currentTarget.value)} />;
    default:
      return <TextInput {...common} value={text} placeholder={placeholder} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}
