import { Popover } from '@mantine/core';
import { IconAbc, IconCalendar, IconChartHistogram, IconChevronDown, IconHash, IconKey, IconMapPin, IconTag, IconToggleLeft, type Icon } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { Chip } from '@/ui/Chip';
import { describeValue, isEmptyValue, parameterKindOf, type Parameter } from '@/query/parameters';
import { say } from '@/query/words';
import type { Values } from '../values';
import styles from '../dashboard.module.css';

const ICONS: Record<string, Icon> = { date: IconCalendar, text: IconTag, number: IconHash, place: IconMapPin, key: IconKey, unit: IconChartHistogram, boolean: IconToggleLeft };
export function ParameterIcon({ parameter, size = 16 }: { parameter: Parameter; size?: number }) {
  const Glyph = ICONS[parameterKindOf(parameter).id] ?? IconAbc;
  return <Glyph size={size} stroke={1.6} aria-hidden />;
}

const ValuePanel = lazy(() => import('./ValuePanel').then((module) => ({ default: module.ValuePanel })));

/** A filter's chip: violet while it holds a value. */
export function FilterChip({ dashboard, parameter, value, values, onChange }: { dashboard: number; parameter: Parameter; value: unknown; values: Values; onChange: (value: unknown) => void }) {
  const [open, set_open] = useState(false);
  const held = !isEmptyValue(value);
  const text = held ? describeValue(parameter, value) : '';
  const removable = held && !parameter.required;
  return (
    <Popover opened={open} onChange={set_open} position="bottom-start" withRoles={false} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <span style={{ minWidth: 0 }}>
          <Chip
            tone={held ? 'violet' : 'plain'} icon={<ParameterIcon parameter={parameter} />} onClick={() => set_open(!open)} aria-expanded={open} aria-haspopup="dialog"
            icon_after={removable ? undefined : <IconChevronDown size={14} stroke={1.8} aria-hidden />} onRemove={removable ? () => onChange(null) : undefined} remove_label={say('Clear filter: {{name}}', { name: parameter.name })}
          >
            {held ? <>{parameter.name} <span className={styles.chip_value}>{text}</span></> : parameter.name}
          </Chip>
        </span>
      </Popover.Target>
      <Popover.Dropdown p={0}>
        {open && <Suspense fallback={<div style={{ width: 300, height: 160 }} />}><ValuePanel dashboard={dashboard} parameter={parameter} value={value} values={values} onDone={(next) => { set_open(false); onChange(next); }} onClear={() => { set_open(false); onChange(null); }} /></Suspense>}
      </Popover.Dropdown>
    </Popover>
  );
}
