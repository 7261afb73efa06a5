import { NumberInput, Radio } from '@mantine/core';
import { useMemo, useState } from 'react';
import { dashboards } from '@/api/dashboards';
import { Button } from '@/ui/Button';
import { dateFromParameter, dateToParameter, type DateFilter } from '@/query/dates';
import { DateEditor, isCompleteDate } from '@/query/editors/DateEditor';
import { ListPanel } from '@/query/editors/ListPanel';
import { choicesOf, FreeValues, ValueList, type ChoiceSource } from '@/query/editors/ValueList';
import { unitName } from '@/query/names';
import { isEmptyValue, widgetOf, type Parameter } from '@/query/parameters';
import { say } from '@/query/words';
import lists from '@/query/editors/editors.module.css';
import type { Values } from '../values';

/** Where a filter's values come from: its own list, or what the linked columns hold. */
export function sourceOf(dashboard: number, parameter: Parameter, values: Values): ChoiceSource | null {
  const config = parameter.values_source_config;
  if (parameter.values_source_type === 'static-list' && config?.values) {
    const choices = choicesOf(config.values);
    return { key: ['static', parameter.id, config.values], load: async () => ({ choices, more: false }) };
  }
  if (parameter.values_query_type === 'none') return null;
  const others = Object.fromEntries((parameter.filteringParameters ?? []).map((id) => [id, values[id]]).filter(([, value]) => !isEmptyValue(value)));
  return {
    key: ['dashboard', dashboard, parameter.id, others],
    load: async (signal) => {
      const answer = await dashboards.parameter_values(dashboard, parameter.id, others, { signal });
      return { choices: choicesOf(answer.values), more: answer.has_more_values ?? false };
    },
    find: async (words, signal) => choicesOf((await dashboards.search_parameter_values(dashboard, parameter.id, words, others, { signal })).values),
  };
}

/** The panel that chooses a value, whatever kind the filter is. */
export function ValuePanel({ dashboard, parameter, value, values, onDone, onClear }: { dashboard: number; parameter: Parameter; value: unknown; values: Values; onDone: (value: unknown) => void; onClear?: () => void }) {
  const widget = widgetOf(parameter);
  const [date, set_date] = useState<DateFilter | null>(() => dateFromParameter(value));
  const [list, set_list] = useState<unknown[]>(() => (Array.isArray(value) ? value : isEmptyValue(value) ? [] : [value]));
  const source = useMemo(() => (widget.kind === 'list' ? sourceOf(dashboard, parameter, values) : null), [widget.kind, dashboard, parameter, values]);
  if (widget.kind === 'unit') {
    const units = parameter.temporal_units ?? ['day', 'week', 'month', 'quarter', 'year'];
    return <ListPanel search={false} label={parameter.name} groups={[{ id: 'units', items: units.map((unit) => ({ id: unit, title: unitName(unit), chosen: unit === value, onPick: () => onDone(unit) })) }]} />;
  }
  const numeric = parameter.type.startsWith('number');
  const done = () => {
    if (widget.kind === 'date') return date && isCompleteDate(date) ? onDone(dateToParameter(date)) : undefined;
    if (widget.kind === 'number' && widget.values === 2) return onDone(list.every((item) => item === '' || item == null) ? null : [list[0] === '' ? null : list[0], list[1] === '' ? null : list[1]]);
    return onDone(list.length === 0 ? null : list);
  };
  const ready = widget.kind !== 'date' || isCompleteDate(date);
  return (
    <form className={lists.panel} style={{ width: widget.kind === 'date' ? 340 : 300 }} onSubmit={(event) => { event.preventDefault(); event.stopPropagation(); done(); }}>
      {widget.kind === 'date' ? (
        <DateEditor value={date} choices={widget.choices} hours={false} onChange={set_date} />
      ) : (
        <div className={lists.body}>
          {widget.kind === 'list' && <ValueList source={source} value={list} onChange={set_list} many={widget.many} label={say('Find a value')} numeric={numeric} />}
          {widget.kind === 'text' && <FreeValues value={list} onChange={set_list} many={widget.many} label={say('Texts, with commas between')} numeric={false} />}
          {widget.kind === 'number' && widget.values === 'many' && <FreeValues value={list} onChange={set_list} many label={say('Numbers, with commas between')} numeric />}
          {widget.kind === 'number' && widget.values === 1 && <NumberInput aria-label={parameter.name} placeholder={say('Number')} value={(list[0] as number | undefined) ?? ''} onChange={(next) => set_list(next === '' ? [] : [Number(next)])} data-autofocus />}
          {widget.kind === 'number' && widget.values === 2 && (
            <div className={lists.row}>
              {[0, 1].map((at) => <NumberInput key={at} aria-label={at === 0 ? say('From') : say('To')} placeholder={at === 0 ? say('From') : say('To')} value={(list[at] as number | undefined) ?? ''} onChange={(next) => set_list(at === 0 ? [next, list[1] ?? ''] : [list[0] ?? '', next])} data-autofocus={at === 0 || undefined} />)}
            </div>
          )}
          {widget.kind === 'boolean' && (
            <Radio.Group aria-label={parameter.name} value={list.length > 0 ? String(list[0]) : ''} onChange={(next) => set_list([next === 'true'])}>
              <Radio value="true" label={say('True')} mb={8} />
              <Radio value="false" label={say('False')} />
            </Radio.Group>
          )}
        </div>
      )}
      <div className={lists.foot}>
        {onClear && !isEmptyValue(value) && !parameter.required && <Button kind="quiet" onClick={onClear}>{say('Clear')}</Button>}
        {parameter.required && !isEmptyValue(parameter.default) && JSON.stringify(value) !== JSON.stringify(parameter.default) && <Button kind="quiet" onClick={() => onDone(parameter.default)}>{say('Back to default')}</Button>}
        <Button type="submit" kind="violet" disabled={!ready}>{isEmptyValue(value) ? say('Apply filter') : say('Update filter')}</Button>
      </div>
    </form>
  );
}
