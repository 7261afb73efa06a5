import { Checkbox, NumberInput, SegmentedControl, Select } from '@mantine/core';
import { useState } from 'react';
import { describeDate, monthName, unitWord, weekdayName, type DateFilter, type ExcludeUnit } from '../dates';
import type { TruncationUnit } from '../types';
import { say } from '../words';
import { inPlace } from './inPlace';
import styles from './editors.module.css';

export type DateChoices = 'all' | 'single' | 'range' | 'relative' | 'month' | 'quarter';
type Tab = 'quick' | 'relative' | 'dates' | 'exclude';

const today = () => {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`;
};
const quick = (): DateFilter[] => {
  const relative = (n: number, unit: TruncationUnit): DateFilter => ({ kind: 'relative', n, unit, current: n === 0 });
  return [relative(0, 'day'), relative(-1, 'day'), relative(0, 'week'), relative(-1, 'week'), relative(0, 'month'), relative(-1, 'month'), relative(-7, 'day'), relative(-30, 'day'), relative(-3, 'month'), relative(-12, 'month'), relative(0, 'year'), relative(-1, 'year')];
};
const same = (a: DateFilter | null, b: DateFilter) => JSON.stringify(a) === JSON.stringify(b);

/** Chooses a condition on a date. Reports every complete choice; the caller decides when it counts. */
export function DateEditor({ value, onChange, choices = 'all', hours = true, emptiness = false }: {
  value: DateFilter | null;
  onChange: (value: DateFilter) => void;
  choices?: DateChoices;
  /** May units smaller than a day be chosen? */
  hours?: boolean;
  /** Are "is empty" and "is not empty" offered? */
  emptiness?: boolean;
}) {
  const tabs: Tab[] = choices === 'all' ? ['quick', 'relative', 'dates', 'exclude'] : choices === 'relative' ? ['quick', 'relative'] : ['dates'];
  const first: Tab = value === null ? tabs[0]! : value.kind === 'exclude' ? 'exclude' : value.kind === 'relative' ? (quick().some((item) => same(value, item)) ? 'quick' : 'relative') : value.kind === 'empty' || value.kind === 'not-empty' ? 'quick' : 'dates';
  const [tab, set_tab] = useState<Tab>(tabs.includes(first) ? first : tabs[0]!);
  const names: Record<Tab, string> = { quick: say('Usual'), relative: say('Relative'), dates: say('Dates'), exclude: say('Without') };
  return (
    <div className={styles.body}>
      {tabs.length > 1 && <SegmentedControl fullWidth value={tab} onChange={(next) => set_tab(next as Tab)} data={tabs.map((id) => ({ value: id, label: names[id] }))} aria-label={say('Kind of date filter')} />}
      {tab === 'quick' && (
        <div className={styles.grid}>
          {quick().map((item) => (
            <button key={describeDate(item)} type="button" className={styles.quick} data-chosen={same(value, item) || undefined} aria-pressed={same(value, item)} onClick={() => onChange(item)}>
              {describeDate(item)}
            </button>
          ))}
          {emptiness && (['empty', 'not-empty'] as const).map((kind) => (
            <button key={kind} type="button" className={styles.quick} data-chosen={value?.kind === kind || undefined} aria-pressed={value?.kind === kind} onClick={() => onChange({ kind })}>
              {describeDate({ kind })}
            </button>
          ))}
        </div>
      )}
      {tab === 'relative' && <Relative value={value?.kind === 'relative' ? value : { kind: 'relative', n: -12, unit: 'month', current: false }} onChange={onChange} hours={hours} />}
      {tab === 'dates' && <Dates value={value} onChange={onChange} choices={choices} />}
      {tab === 'exclude' && <Exclude value={value?.kind === 'exclude' ? value : { kind: 'exclude', unit: 'day-of-week', values: [] }} onChange={onChange} hours={hours} />}
      {value && tab !== 'quick' && <div className={styles.summary}>{describeDate(value)}</div>}
    </div>
  );
}

function Relative({ value, onChange, hours }: { value: Extract<DateFilter, { kind: 'relative' }>; onChange: (value: DateFilter) => void; hours: boolean }) {
  const units: TruncationUnit[] = [...(hours ? (['minute', 'hour'] as const) : []), 'day', 'week', 'month', 'quarter', 'year'];
  const direction = value.n < 0 ? 'past' : value.n > 0 ? 'next' : 'current';
  const amount = Math.abs(value.n) || 1;
  const shift = value.offset;
  return (
    <>
      <SegmentedControl
        fullWidth value={direction} aria-label={say('Direction')}
        data={[{ value: 'past', label: say('Previous') }, { value: 'current', label: say('Current') }, { value: 'next', label: say('Next') }]}
        onChange={(next) => onChange(next === 'current' ? { kind: 'relative', n: 0, unit: value.unit, current: true } : { ...value, n: next === 'past' ? -amount : amount, current: direction === 'current' ? false : value.current, offset: undefined })}
      />
      <div className={styles.row}>
        {direction !== 'current' && (
          <NumberInput aria-label={say('How many')} min={1} max={9999} allowDecimal={false} value={amount} onChange={(next) => Number(next) > 0 && onChange({ ...value, n: (value.n < 0 ? -1 : 1) * Math.floor(Number(next)) })} data-autofocus />
        )}
        <Select comboboxProps={inPlace} aria-label={say('Unit')} data={units.map((unit) => ({ value: unit, label: unitWord(unit, direction === 'current' ? 1 : amount) }))} value={value.unit} onChange={(unit) => unit && onChange({ ...value, unit: unit as TruncationUnit })} />
      </div>
      {direction !== 'current' && !shift && (
        <Checkbox checked={value.current} onChange={(event) => onChange({ ...value, current: event.currentTarget.checked })} label={say('Include the current {{unit}}', { unit: unitWord(value.unit) })} />
      )}
      {direction === 'past' && (
        <Checkbox
          checked={shift !== undefined} label={say('Starting earlier')}
          onChange={(event) => onChange(event.currentTarget.checked ? { ...value, current: false, offset: { n: -1, unit: value.unit } } : { ...value, offset: undefined })}
        />
      )}
      {shift && (
        <div className={styles.row}>
          <NumberInput aria-label={say('Starting how many ago')} min={1} allowDecimal={false} value={Math.abs(shift.n)} onChange={(next) => Number(next) > 0 && onChange({ ...value, offset: { ...shift, n: -Math.floor(Number(next)) } })} />
          <Select comboboxProps={inPlace} aria-label={say('Unit of the start')} data={units.map((unit) => ({ value: unit, label: say('{{unit}} ago', { unit: unitWord(unit, shift.n) }) }))} value={shift.unit} onChange={(unit) => unit && onChange({ ...value, offset: { ...shift, unit: unit as TruncationUnit } })} />
        </div>
      )}
    </>
  );
}

type DatesKind = 'on' | 'before' | 'after' | 'between' | 'month' | 'quarter';
function Dates({ value, onChange, choices }: { value: DateFilter | null; onChange: (value: DateFilter) => void; choices: DateChoices }) {
  const kinds: DatesKind[] = choices === 'single' ? ['on'] : choices === 'range' ? ['between'] : choices === 'month' ? ['month'] : choices === 'quarter' ? ['quarter'] : ['between', 'on', 'before', 'after', 'month', 'quarter'];
  const of_value = value && kinds.includes(value.kind as DatesKind) ? (value.kind as DatesKind) : kinds[0]!;
  const [kind, set_kind] = useState<DatesKind>(of_value);
  const names: Record<DatesKind, string> = { on: say('On'), before: say('Before'), after: say('After'), between: say('Between'), month: say('Month'), quarter: say('Quarter') };
  const date = value && 'date' in value ? value.date.slice(0, 10) : value?.kind === 'between' ? value.from.slice(0, 10) : today();
  const from = value?.kind === 'between' ? value.from.slice(0, 10) : '';
  const to = value?.kind === 'between' ? value.to.slice(0, 10) : '';
  const [range, set_range] = useState({ from, to });
  const quarter = value?.kind === 'quarter' ? value : { year: new Date().getFullYear(), quarter: Math.ceil((new Date().getMonth() + 1) / 3) };
  const choose = (next: DatesKind) => {
    set_kind(next);
    if (next === 'on' || next === 'before' || next === 'after') onChange({ kind: next, date });
    if (next === 'month') onChange({ kind: 'month', month: date.slice(0, 7) });
    if (next === 'quarter') onChange({ kind: 'quarter', ...quarter });
    if (next === 'between' && range.from && range.to) onChange({ kind: 'between', ...range });
  };
  const set_between = (next: { from: string; to: string }) => {
    set_range(next);
    if (!next.from || !next.to) return;
    onChange(next.from <= next.to ? { kind: 'between', ...next } : { kind: 'between', from: next.to, to: next.from });
  };
  return (
    <>
      {kinds.length > 1 && <Select comboboxProps={inPlace} aria-label={say('Which dates')} data={kinds.map((id) => ({ value: id, label: names[id] }))} value={kind} onChange={(next) => next && choose(next as DatesKind)} />}
      {(kind === 'on' || kind === 'before' || kind === 'after') && (
        <input type="date" className={styles.date} aria-label={names[kind]} value={value && 'date' in value ? value.date.slice(0, 10) : ''} onChange={(event) => event.currentTarget.value && onChange({ kind, date: event.currentTarget.value })} />
      )}
      {kind === 'between' && (
        <div className={styles.row}>
          <input type="date" className={styles.date} aria-label={say('From')} value={range.from} onChange={(event) => set_between({ ...range, from: event.currentTarget.value })} />
          <input type="date" className={styles.date} aria-label={say('To')} value={range.to} onChange={(event) => set_between({ ...range, to: event.currentTarget.value })} />
        </div>
      )}
      {kind === 'month' && (
        <div className={styles.row}>
          <Select comboboxProps={inPlace} aria-label={say('Month')} data={Array.from({ length: 12 }, (_, i) => ({ value: String(i + 1).padStart(2, '0'), label: monthName(i + 1) }))} value={value?.kind === 'month' ? value.month.slice(5) : null} onChange={(next) => next && onChange({ kind: 'month', month: `${value?.kind === 'month' ? value.month.slice(0, 4) : new Date().getFullYear()}-${next}` })} />
          <NumberInput aria-label={say('Year')} allowDecimal={false} min={1900} max={2200} value={value?.kind === 'month' ? Number(value.month.slice(0, 4)) : new Date().getFullYear()} onChange={(next) => String(next).length === 4 && onChange({ kind: 'month', month: `${next}-${value?.kind === 'month' ? value.month.slice(5) : today().slice(5, 7)}` })} />
        </div>
      )}
      {kind === 'quarter' && (
        <div className={styles.row}>
          <Select comboboxProps={inPlace} aria-label={say('Quarter')} data={['1', '2', '3', '4'].map((n) => ({ value: n, label: `Q${n}` }))} value={value?.kind === 'quarter' ? String(value.quarter) : null} onChange={(next) => next && onChange({ kind: 'quarter', year: quarter.year, quarter: Number(next) })} />
          <NumberInput aria-label={say('Year')} allowDecimal={false} min={1900} max={2200} value={quarter.year} onChange={(next) => String(next).length === 4 && onChange({ kind: 'quarter', year: Number(next), quarter: quarter.quarter })} />
        </div>
      )}
    </>
  );
}

function Exclude({ value, onChange, hours }: { value: Extract<DateFilter, { kind: 'exclude' }>; onChange: (value: DateFilter) => void; hours: boolean }) {
  const units: { value: ExcludeUnit; label: string }[] = [
    { value: 'day-of-week', label: say('Days of the week') }, { value: 'month-of-year', label: say('Months of the year') }, { value: 'quarter-of-year', label: say('Quarters of the year') },
    ...(hours ? [{ value: 'hour-of-day' as const, label: say('Hours of the day') }] : []),
  ];
  const [unit, set_unit] = useState(value.unit);
  const items = unit === 'day-of-week' ? [1, 2, 3, 4, 5, 6, 7].map((n) => [n, weekdayName(n)] as const)
    : unit === 'month-of-year' ? Array.from({ length: 12 }, (_, i) => [i + 1, monthName(i + 1)] as const)
    : unit === 'quarter-of-year' ? [1, 2, 3, 4].map((n) => [n, `Q${n}`] as const) : Array.from({ length: 24 }, (_, i) => [i, `${i}:00`] as const);
  const chosen = unit === value.unit ? value.values : [];
  const toggle = (n: number) => {
    const next = chosen.includes(n) ? chosen.filter((item) => item !== n) : [...chosen, n].sort((a, b) => a - b);
    onChange({ kind: 'exclude', unit, values: next });
  };
  return (
    <>
      <Select comboboxProps={inPlace} aria-label={say('What to leave out')} data={units} value={unit} onChange={(next) => next && set_unit(next as ExcludeUnit)} />
      <div className={`${styles.checks} ${styles.grid}`}>
        {items.map(([n, name]) => <Checkbox key={n} checked={chosen.includes(n)} onChange={() => toggle(n)} label={name} />)}
      </div>
    </>
  );
}

/** Is the choice complete enough to be applied? */
export const isCompleteDate = (value: DateFilter | null): value is DateFilter => value !== null && (value.kind !== 'exclude' || value.values.length > 0);
