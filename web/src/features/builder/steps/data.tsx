import { Checkbox } from '@mantine/core';
import { IconBox, IconChartLine, IconCirclesRelation, IconTable } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { isColumnRef, sameColumn } from '@/query/clauses';
import { findColumn, joinColumns, sourceColumns, visibleColumns } from '@/query/columns';
import { addJoin, newJoin, removeJoin, replaceJoin, setFields, withSource, withStrategy } from '@/query/edit';
import { ListPanel } from '@/query/editors/ListPanel';
import { ColumnIcon, columnItems } from '@/query/editors/columns_list';
import { sourceName } from '@/query/names';
import type { Clause, Column, ColumnRef, Join, JoinStrategy, Ref, Source } from '@/query/types';
import { say } from '@/query/words';
import lists from '@/query/editors/editors.module.css';
import { AddButton, Pill, Pop, useBuilder } from '../parts';
import { SourcePicker } from '../SourcePicker';
import styles from '../builder.module.css';

const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
export function SourceIcon({ source }: { source: Source | Join['source'] | null }): ReactNode {
  const { catalog } = useBuilder();
  if (source?.type !== 'card') return <IconTable {...look} />;
  return catalog.table(`card__${source.id}`)?.type === 'model' ? <IconBox {...look} /> : <IconChartLine {...look} />;
}

export function DataStep({ database_name, without }: { database_name: string | null; without?: number }) {
  const { query, change, catalog } = useBuilder();
  const stage = query.stages[0]!;
  const columns = sourceColumns(catalog, stage.source);
  const chosen = stage.fields?.filter((ref) => columns.some((column) => sameColumn(column.ref as Ref, ref))).length ?? columns.length;
  return (
    <>
      <Pop
        opened={stage.source === null}
        target={(open, opened) => <Pill icon={<SourceIcon source={stage.source} />} onClick={open} open={opened}>{stage.source ? sourceName(catalog, stage.source) : say('Choose your data')}</Pill>}
      >
        {(close) => (
          <SourcePicker
            without={without}
            onPick={(source, database) => {
              close();
              change(withSource(query, database, source));
            }}
          />
        )}
      </Pop>
      {stage.source && database_name && <span className={styles.word}>{say('from {{name}}', { name: database_name })}</span>}
      {columns.length > 0 && stage.source && (
        <span className={styles.push}>
          <Pop target={(open, opened) => <button type="button" className={styles.count} onClick={open} aria-expanded={opened}>{chosen === columns.length ? say('all {{n}} columns', { n: columns.length }) : say('{{n}} of {{all}} columns', { n: chosen, all: columns.length })}</button>}>
            {() => <FieldChooser columns={columns} value={stage.fields} onChange={(fields) => change(setFields(query, 0, fields))} all={columns} />}
          </Pop>
        </span>
      )}
    </>
  );
}

/** Check boxes for columns; all of them is the same as no choice. */
function FieldChooser({ columns, value, onChange, all }: { columns: Column[]; value: ColumnRef[] | 'all' | 'none' | null; onChange: (value: ColumnRef[] | null) => void; all: Column[] }) {
  const list = Array.isArray(value) ? value : value === 'none' ? [] : columns.map((column) => column.ref as ColumnRef);
  const has = (column: Column) => list.some((ref) => sameColumn(ref, column.ref as Ref));
  const toggle = (column: Column) => {
    const rest = list.filter((ref) => !columns.some((own) => sameColumn(own.ref as Ref, ref)));
    const kept = columns.filter((own) => (own === column ? !has(own) : has(own)));
    onChange(kept.length === all.length && rest.length === 0 ? null : [...kept.map((own) => own.ref as ColumnRef), ...rest]);
  };
  return (
    <div className={lists.panel}>
      <div className={lists.list}>
        <label className={lists.item}>
          <Checkbox checked={columns.every(has)} indeterminate={columns.some(has) && !columns.every(has)} onChange={() => onChange(columns.every(has) ? [columns[0]!.ref as ColumnRef] : null)} aria-label={say('All columns')} data-autofocus />
          <span className={lists.grow}>{say('All columns')}</span>
        </label>
        {columns.map((column) => (
          <label key={JSON.stringify(column.ref)} className={lists.item}>
            <Checkbox checked={has(column)} disabled={has(column) && list.length === 1} onChange={() => toggle(column)} aria-label={column.displayName} />
            <ColumnIcon column={column} />
            <span className={lists.grow}>{column.displayName}</span>
          </label>
        ))}
      </div>
    </div>
  );
}

const STRATEGIES: JoinStrategy[] = ['left-join', 'right-join', 'inner-join', 'full-join'];
const strategyName = (strategy: JoinStrategy) => ({ 'left-join': say('Left join'), 'right-join': say('Right join'), 'inner-join': say('Inner join'), 'full-join': say('Full join') })[strategy];
const strategyHelp = (strategy: JoinStrategy) => ({ 'left-join': say('all rows of the left'), 'right-join': say('all rows of the right'), 'inner-join': say('only rows with a match'), 'full-join': say('all rows of both') })[strategy];
const COMPARISONS = ['=', '!=', '<', '>', '<=', '>='];

export function JoinStep({ stage: index, at }: { stage: number; at: number }) {
  const { query, change, catalog } = useBuilder();
  const stage = query.stages[index]!;
  const join = stage.joins[at]!;
  const set = (next: Join) => change(replaceJoin(query, index, at, next));
  const left = visibleColumns(catalog, query, index, { upToJoin: at, implicit: false });
  const right = joinColumns(catalog, query, join);
  const rightGroup = [{ id: 'right', name: join.alias, kind: 'join' as const, columns: right }];
  const set_condition = (i: number, condition: Clause) => set({ ...join, conditions: join.conditions.map((old, j) => (i === j ? condition : old)) });
  const first = left[0]?.columns[0];
  const added = right[0];
  const fields = join.fields;
  const count = fields === 'all' ? right.length : fields === 'none' ? 0 : fields.length;
  return (
    <>
      <Pill icon={<SourceIcon source={stage.source} />}>{index === 0 ? sourceName(catalog, stage.source) : say('Results so far')}</Pill>
      <Pop target={(open, opened) => <Pill plain icon={<IconCirclesRelation {...look} />} onClick={open} open={opened}>{strategyName(join.strategy)}</Pill>}>
        {(close) => (
          <ListPanel search={false} label={say('Kind of join')} groups={[{ id: 'kinds', items: STRATEGIES.map((strategy) => ({ id: strategy, title: strategyName(strategy), side: strategyHelp(strategy), chosen: strategy === join.strategy, onPick: () => { set(withStrategy(join, strategy)); close(); } })) }]} />
        )}
      </Pop>
      <Pill icon={<SourceIcon source={join.source} />} onRemove={() => change(removeJoin(query, index, at))} remove={say('Remove this join')}>{join.alias}</Pill>
      {join.conditions.length > 0 && <span className={styles.word}>{say('where')}</span>}
      {join.conditions.map((condition, i) => {
        const [operator, a, b] = condition;
        const plain = isColumnRef(a) && isColumnRef(b) && COMPARISONS.includes(operator);
        if (!plain) return <Pill key={i} onRemove={() => set({ ...join, conditions: join.conditions.filter((_, j) => j !== i) })}>{say('a custom condition')}</Pill>;
        return (
          <span key={i} className={styles.conditions}>
            {i > 0 && <span className={styles.word}>{say('and')}</span>}
            <ColumnPill groups={left} value={a} onPick={(ref) => set_condition(i, [operator, ref, b])} index={index} />
            <Pop target={(open, opened) => <button type="button" className={styles.or} onClick={open} aria-expanded={opened} aria-label={say('Comparison: {{sign}}', { sign: operator })}>{SIGNS[operator]}</button>}>
              {(close) => <ListPanel search={false} label={say('Comparison')} groups={[{ id: 'signs', items: COMPARISONS.map((sign) => ({ id: sign, title: SIGNS[sign]!, chosen: sign === operator, onPick: () => { set_condition(i, [sign, a, b]); close(); } })) }]} />}
            </Pop>
            <ColumnPill groups={rightGroup} value={b} onPick={(ref) => set_condition(i, [operator, a, ref])} index={index} name={right.find((column) => sameColumn(column.ref as Ref, b))?.displayName} onRemove={join.conditions.length > 1 ? () => set({ ...join, conditions: join.conditions.filter((_, j) => j !== i) }) : undefined} />
          </span>
        );
      })}
      {first && added && <AddButton label={say('Add a condition')} words={join.conditions.length === 0 ? say('Condition') : undefined} onClick={() => set({ ...join, conditions: [...join.conditions, ['=', first.ref, added.ref]] })} />}
      {right.length > 0 && (
        <span className={styles.push}>
          <Pop target={(open, opened) => <button type="button" className={styles.count} onClick={open} aria-expanded={opened}>{say('{{n}} of {{all}} columns', { n: count, all: right.length })}</button>}>
            {() => <FieldChooser columns={right} value={fields} all={right} onChange={(next) => set({ ...join, fields: next ?? 'all' })} />}
          </Pop>
        </span>
      )}
    </>
  );
}
const SIGNS: Record<string, string> = { '=': '=', '!=': '≠', '<': '<', '>': '>', '<=': '≤', '>=': '≥' };

function ColumnPill({ groups, value, onPick, index, name, onRemove }: { groups: Parameters<typeof columnItems>[0]; value: ColumnRef; onPick: (ref: ColumnRef) => void; index: number; name?: string; onRemove?: () => void }) {
  const { query, catalog } = useBuilder();
  const column = findColumn(catalog, query, index, value);
  return (
    <Pop target={(open, opened) => <Pill onClick={open} open={opened} onRemove={onRemove}>{name ?? column?.displayName ?? String(value[1])}</Pill>}>
      {(close) => <ListPanel label={say('Find a column')} groups={columnItems(groups, (picked) => { onPick(picked.ref as ColumnRef); close(); }, { chosen: (item) => sameColumn(item.ref as Ref, value) })} />}
    </Pop>
  );
}

/** Chooses what to join; adds it with the condition that its keys suggest. Its columns may load a moment later. */
export function JoinPicker({ stage: index, close, prepare }: { stage: number; close: () => void; prepare: (source: Source) => Promise<Parameters<typeof newJoin>[0]> }) {
  const { query, change } = useBuilder();
  return (
    <SourcePicker
      database={query.database}
      onPick={(source) => {
        close();
        void prepare(source).then((catalog) => change(addJoin(query, index, newJoin(catalog, query, index, source))));
      }}
    />
  );
}
