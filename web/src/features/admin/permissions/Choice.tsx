import { Menu } from '@mantine/core';
import { IconCheck, IconChevronDown } from '@tabler/icons-react';
import styles from './permissions.module.css';

export interface Option<T extends string> {
  value: T;
  label: string;
}

/** One cell of a matrix: what holds now, and a menu to change it. Colour is never alone: the word stands beside it. */
export function Choice<T extends string>({ label, value, shown, options, changed, disabled, extra, onChange }: {
  label: string;
  value: string;
  shown: string;
  options: Option<T>[];
  changed: boolean;
  disabled?: boolean;
  extra?: React.ReactNode;
  onChange: (value: T) => void;
}) {
  return (
    <Menu width={228} position="bottom-start" disabled={disabled}>
      <Menu.Target>
        <button type="button" className={styles.choice} data-value={value} data-changed={changed || undefined} disabled={disabled} aria-label={`${label}: ${shown}`}>
          <i aria-hidden />
          {shown}
          {!disabled && <IconChevronDown size={14} aria-hidden style={{ marginInlineStart: 'auto' }} />}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {options.map((option) => (
          <Menu.Item key={option.value} onClick={() => onChange(option.value)} rightSection={option.value === value ? <IconCheck size={16} aria-hidden /> : undefined}>
            {option.label}
          </Menu.Item>
        ))}
        {extra}
      </Menu.Dropdown>
    </Menu>
  );
}
