import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import styles from './EditableText.module.css';
import { toast_failure } from './toast';

/** Text that becomes a field when pressed. Enter or leaving saves, Esc takes back; a refused change comes back too. */
export function EditableText({
  value,
  onSave,
  label,
  placeholder,
  as: Tag = 'span',
  className,
  readonly,
  required,
  max = 254,
}: {
  value: string;
  onSave: (value: string) => Promise<void> | void;
  /** What is edited, for screen readers: "Name of the collection". */
  label: string;
  placeholder?: string;
  as?: 'h1' | 'h2' | 'p' | 'span';
  className?: string;
  readonly?: boolean;
  required?: boolean;
  max?: number;
}) {
  const [editing, set_editing] = useState(false);
  const [text, set_text] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const cancelled = useRef(false);
  useEffect(() => set_text(value), [value]);
  useEffect(() => {
    if (editing) field.current?.select();
  }, [editing]);

  async function save() {
    set_editing(false);
    const next = text.trim();
    if (cancelled.current || next === value || (required && next === '')) {
      cancelled.current = false;
      set_text(value);
      return;
    }
    try {
      await onSave(next);
    } catch (error) {
      set_text(value);
      toast_failure(error);
    }
  }

  function key(event: KeyboardEvent<HTMLInputElement>) {
    if (event.key === 'Enter') event.currentTarget.blur();
    if (event.key === 'Escape') {
      event.stopPropagation();
      cancelled.current = true;
      event.currentTarget.blur();
    }
  }

  if (readonly) return value ? <Tag className={className}>{value}</Tag> : null;
  return (
    <Tag className={`${styles.text} ${className ?? ''}`}>
      {editing ? (
        <input
          ref={field}
          className={styles.field}
          aria-label={label}
          value={text}
          maxLength={max}
          placeholder={placeholder}
          onChange={(event) => set_text(event.currentTarget.value)}
          onBlur={() => void save()}
          onKeyDown={key}
        />
      ) : (
        <button type="button" className={styles.button} onClick={() => set_editing(true)} title={label}>
          {value || <span className={styles.placeholder}>{placeholder}</span>}
        </button>
      )}
    </Tag>
  );
}
