import { Checkbox, NumberInput, Radio, Select } from '@mantine/core';
import { IconChevronLeft } from '@tabler/icons-react';
import { useMemo, useRef, useState } from 'react';
import { dataset } from '@/api/cards';
import { fields } from '@/api/databases';
import { Button, IconButton } from '@/ui/Button';
import { withUnit } from '../clauses';
import { dateFromClause, dateToClause, type DateFilter } from '../dates';
import { makeFilter, operatorsFor, readFilter, type FilterOperator } from '../filters';
import { isBoolean, isDate, isKey, isNumber, isText } from '../kinds';
import type { Clause, Column, ColumnRef } from '../types';
import { say } from '../words';
import { DateEditor, isCompleteDate } from './DateEditor';
import { inPlace } from './inPlace';
import styles from './editors.module.css';
import { useFirstFocus } from './useFirstFocus';
import { choicesOf, FreeValues, ValueList, type ChoiceSource } from './ValueList';

/** Values of a field to choose from; null where they are not listed or cannot be searched. */
export function choicesOfColumn(column: Column): ChoiceSource | null {
  const id = column.fieldId;
  if (id === null || (column.hasFieldValues !== 'list' && column.hasFieldValues !== 'search' && column.hasFieldValues !== 'auto-list')) return null;
  return {
    key: ['field', id],
    load: async (signal) => {
      if (column.hasFieldValues === 'search') return { choices: [], more: true };
      let answer = await fields.values(id, { signal });
      // A field whose values were never scanned is asked live.
      if (answer.values.length === 0) answer = await dataset.parameter_values({ id: 'values', name: column.name, slug: 'values', type: isNumber(column) ? 'number/=' : 'string/=' }, [id], { signal });
      return { choices: choicesOf(answer.values), more: answer.has_more_values ?? false };
    },
    find: async (words, signal) => choicesOf(await fields.search(id, words, 100, { signal })),
  };
}

/** Edits one filter on one column: what fits its type. `onDone` gets the clause when it is complete. */
export function FilterEditor({ column, clause, onDone, onBack, confirm }: {
  column: Column;
  clause: Clause | null;
  onDone: (clause: Clause) => void;
  onBack?: () => void;
  confirm?: string;
}) {
  const root = useRef<HTMLFormElement>(null);
  useFirstFocus(root);
  const ref = withUnit(column.ref as ColumnRef, null);
  const before = clause ? readFilter(clause) : null;
  const dated = isDate(column);
  const [date, set_date] = useState<DateFilter | null>(() => (clause ? (dateFromClause(clause)?.filter ?? null) : null));
  const operators = useMemo(() => operatorsFor(column), [column]);
  const [operator, set_operator] = useState<FilterOperator>(before && operators.some((item) => item.id === before.operator) ? before.operator : operators[0]!.id);
  const [values, set_values] = useState<unknown[]>(before?.values ?? []);
  const [sensitive, set_sensitive] = useState(before?.caseSensitive ?? false);
  const info = operators.find((item) => item.id === operator) ?? operators[0]!;
  const source = useMemo(() => choicesOfColumn(column), [column]);
  const numeric = isNumber(column);
  const ready = dated ? isCompleteDate(date)
    : info.values === 0 || (info.values === 2 ? values.length === 2 && values.every((item) => item !== '' && item != null) : values.length > 0 && values.every((item) => item !== ''));

  function done(next?: DateFilter) {
    if (dated) {
      const chosen = next ?? date;
      if (isCompleteDate(chosen)) onDone(dateToClause(ref, chosen));
      return;
    }
    if (!ready) return;
    const kept = info.values === 0 ? [] : info.values === 1 ? values.slice(0, 1) : values;
    onDone(makeFilter({ operator, ref, values: kept as (string | number | boolean | null)[], caseSensitive: sensitive }));
  }
  return (
    <form
      ref={root}
      className={styles.panel}
      style={{ width: 320 }}
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        done();
      }}
    >
      <div className={styles.head}>
        {onBack && <IconButton size="small" label={say('Choose another column')} icon={<IconChevronLeft size={16} aria-hidden />} onClick={onBack} />}
        <span className={styles.grow}>{column.longName}</span>
      </div>
      {dated ? (
        <DateEditor value={date} onChange={set_date} hours={column.effectiveType !== 'type/Date'} emptiness />
      ) : (
        <div className={styles.body}>
          {!isBoolean(column) && <Select comboboxProps={inPlace} aria-label={say('Condition')} data={operators.map((item) => ({ value: item.id, label: item.label }))} value={operator} onChange={(next) => { if (next) { set_operator(next as FilterOperator); if (next === 'between') set_values([]); } }} />}
          {isBoolean(column) ? (
            <Radio.Group aria-label={column.longName} value={operator === '=' ? String(values[0] ?? '') : operator} onChange={(next) => { if (next === 'true' || next === 'false') { set_operator('='); set_values([next === 'true']); } else { set_operator(next as FilterOperator); set_values([]); } }}>
              {[['true', say('True')], ['false', say('False')], ['is-null', say('Empty')], ['not-null', say('Not empty')]].map(([id, name]) => <Radio key={id} value={id} label={name} mb={8} />)}
            </Radio.Group>
          ) : info.values === 2 ? (
            <div className={styles.row}>
              {[0, 1].map((at) => (
                <NumberInput key={at} aria-label={at === 0 ? say('From') : say('To')} placeholder={at === 0 ? say('From') : say('To')} value={(values[at] as number | undefined) ?? ''} onChange={(next) => set_values(at === 0 ? [next, values[1] ?? ''] : [values[0] ?? '', next])} data-autofocus={at === 0 || undefined} />
              ))}
            </div>
          ) : info.values === 1 ? (
            numeric ? <NumberInput aria-label={say('Value')} placeholder={say('Value')} value={(values[0] as number | undefined) ?? ''} onChange={(next) => set_values(next === '' ? [] : [Number(next)])} data-autofocus /> : <FreeValues value={values} onChange={set_values} many={false} label={say('Value')} numeric={false} />
          ) : info.values === 'many' ? (
            (operator === '=' || operator === '!=') && source ? (
              <ValueList source={source} value={values} onChange={set_values} label={say('Find a value')} numeric={numeric || (isKey(column) && !isText(column))} />
            ) : (
              <FreeValues value={values} onChange={set_values} many label={numeric ? say('Numbers, with commas between') : say('Texts, with commas between')} numeric={numeric} />
            )
          ) : null}
          {info.cases && <Checkbox checked={sensitive} onChange={(event) => set_sensitive(event.currentTarget.checked)} label={say('Upper and lower case differ')} />}
        </div>
      )}
      <div className={styles.foot}>
        <Button type="submit" kind="violet" disabled={!ready}>{confirm ?? (clause ? say('Update filter') : say('Add filter'))}</Button>
      </div>
    </form>
  );
}
