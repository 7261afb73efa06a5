import { NumberInput } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconFilter, IconMathFunction, IconRulerMeasure, IconSum } from '@tabler/icons-react';
import { useState } from 'react';
import { aggregationOptions, bareAggregation, binningOf, isRef, refKey, sameColumn, sameRef, unitOf, withBinning, withUnit } from '@/query/clauses';
import { findColumn, flatColumns, outputColumns, visibleColumns } from '@/query/columns';
import * as edit from '@/query/edit';
import { ColumnIcon, columnItems } from '@/query/editors/columns_list';
import { FilterEditor } from '@/query/editors/FilterEditor';
import { ListPanel, type ListGroup } from '@/query/editors/ListPanel';
import { anyOf, filteredColumn, filterPieces, filterSentence, groupMembers, readFilter } from '@/query/filters';
import { dateFromClause } from '@/query/dates';
import type { FormulaContext } from '@/query/formula/parse';
import { prettyFormula } from '@/query/formula/print';
import { isDate, isMeasure, isNumber, kindOf, unitsFor } from '@/query/kinds';
import { aggregationName, binningName, columnName, unitName } from '@/query/names';
import type { Clause, Column, ColumnRef, Expression, OrderBy, Ref } from '@/query/types';
import { inside, say } from '@/query/words';
import { FormulaEditor } from '../FormulaEditor';
import { AddButton, Pill, Pop, useBuilder } from '../parts';
import styles from '../builder.module.css';

const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;

function useFormulaContext(index: number, kind: FormulaContext['for'], upToExpression?: number): FormulaContext {
  const { query, catalog, metrics } = useBuilder();
  return { columns: flatColumns(visibleColumns(catalog, query, index, upToExpression === undefined ? {} : { upToExpression })), for: kind, metrics };
}

/* ---- custom columns ---- */
export function ExpressionStep({ stage: index, opened }: { stage: number; opened: boolean }) {
  const { query, change } = useBuilder();
  const expressions = query.stages[index]!.expressions;
  return (
    <>
      {expressions.map((item, at) => <ExpressionPill key={item.name} index={index} at={at} />)}
      <Pop opened={opened && expressions.length === 0} target={(open) => <AddButton label={say('Add a custom column')} words={expressions.length === 0 ? say('Custom column') : undefined} onClick={open} />}>
        {(close) => <NewExpression index={index} onDone={(name, expression) => { change(edit.addExpression(query, index, name, expression)); close(); }} onCancel={close} />}
      </Pop>
    </>
  );
}
function NewExpression({ index, onDone, onCancel }: { index: number; onDone: (name: string, expression: Expression) => void; onCancel: () => void }) {
  const context = useFormulaContext(index, 'expression');
  return <FormulaEditor context={context} start={null} named confirm={say('Add column')} onCancel={onCancel} onDone={(expression, name) => onDone(name, expression)} />;
}
function ExpressionPill({ index, at }: { index: number; at: number }) {
  const { query, change } = useBuilder();
  const item = query.stages[index]!.expressions[at]!;
  const context = useFormulaContext(index, 'expression', at);
  return (
    <Pop target={(open, opened) => (
      <Pill onClick={open} open={opened} onRemove={() => change(edit.removeExpression(query, index, at))} remove={say('Remove column {{name}}', { name: item.name })}>
        <b>{item.name}</b> <span className={styles.formula}>&nbsp;= {prettyFormula(item.expression, context)}</span>
      </Pill>
    )}>
      {(close) => <FormulaEditor context={context} start={item.expression} name={item.name} named confirm={say('Update column')} onCancel={close} onDone={(expression, name) => { change(edit.replaceExpression(query, index, at, name, expression)); close(); }} />}
    </Pop>
  );
}

/* ---- filters ---- */
export function FilterStep({ stage: index, opened }: { stage: number; opened: boolean }) {
  const { query, change } = useBuilder();
  const { filters } = query.stages[index]!;
  return (
    <>
      {filters.map((filter, at) => {
        const members = groupMembers(filter);
        const set = (next: Clause | null) => change(next ? edit.replaceFilter(query, index, at, next) : edit.removeFilter(query, index, at));
        return (
          <span key={at} className={styles.conditions}>
            {members ? (
              <>
                {at > 0 && <span className={styles.break} />}
                <span className={styles.group} role="group" aria-label={say('Any of these')}>
                  <span className={styles.group_name}>{say('any of')}</span>
                  {members.map((member, i) => (
                    <span key={i} className={styles.conditions}>
                      {i > 0 && <span className={styles.word}>{say('or')}</span>}
                      <FilterPill index={index} clause={member} onChange={(next) => set(anyOf(members.map((old, j) => (i === j ? next : old))))} onRemove={() => set(anyOf(members.filter((_, j) => j !== i)))} />
                    </span>
                  ))}
                  <FilterAdd index={index} label={say('Add another way')} onAdd={(clause) => set(anyOf([...members, clause]))} />
                </span>
                {at < filters.length - 1 && <span className={styles.break} />}
              </>
            ) : (
              <>
                <FilterPill index={index} clause={filter} onChange={set} onRemove={() => set(null)} />
                <Pop target={(open) => <button type="button" className={styles.or} onClick={open} title={say('Or something else')}>{at < filters.length - 1 ? say('and') : say('or…')}</button>}>
                  {(close) => <NewFilter index={index} close={close} onAdd={(clause) => set(anyOf([filter, clause]))} title={say('Or when')} />}
                </Pop>
              </>
            )}
          </span>
        );
      })}
      <FilterAdd index={index} label={say('Add a filter')} words={filters.length === 0 ? say('Filter') : undefined} opened={opened && filters.length === 0} onAdd={(clause) => change(edit.addFilter(query, index, clause))} />
    </>
  );
}
function FilterAdd({ index, label, words, onAdd, opened }: { index: number; label: string; words?: string; onAdd: (clause: Clause) => void; opened?: boolean }) {
  return (
    <Pop opened={opened} target={(open) => <AddButton label={label} words={words} onClick={open} />}>
      {(close) => <NewFilter index={index} close={close} onAdd={onAdd} />}
    </Pop>
  );
}
export function NewFilter({ index, close, onAdd, title }: { index: number; close: () => void; onAdd: (clause: Clause) => void; title?: string }) {
  const { query, catalog } = useBuilder();
  const [column, set_column] = useState<Column | null>(null);
  const [formula, set_formula] = useState(false);
  const context = useFormulaContext(index, 'filter');
  const add = (clause: Clause) => {
    onAdd(clause);
    close();
  };
  if (formula) return <FormulaEditor context={context} start={null} named={false} confirm={say('Add filter')} onCancel={() => set_formula(false)} onDone={(expression) => add(expression as Clause)} />;
  if (column) return <FilterEditor column={column} clause={null} onDone={add} onBack={() => set_column(null)} />;
  const source = query.stages[0]!.source;
  const segments = index === 0 && source?.type === 'table' ? (catalog.table(source.id)?.segments ?? []) : [];
  const groups: ListGroup[] = [
    ...(segments.length > 0 ? [{ id: 'segments', name: say('Segments'), items: segments.map((segment) => ({ id: `s${segment.id}`, title: segment.name, icon: <IconFilter {...look} />, onPick: () => add(['segment', segment.id]) })) }] : []),
    ...columnItems(visibleColumns(catalog, query, index), set_column),
    { id: 'custom', items: [{ id: 'formula', title: say('A formula…'), icon: <IconMathFunction {...look} />, onPick: () => set_formula(true) }] },
  ];
  return <ListPanel groups={groups} label={title ?? say('Find a column to filter')} />;
}
function FilterPill({ index, clause, onChange, onRemove }: { index: number; clause: Clause; onChange: (clause: Clause) => void; onRemove: () => void }) {
  const { query, catalog } = useBuilder();
  const context = useFormulaContext(index, 'filter');
  const ref = filteredColumn(clause);
  const column = ref ? findColumn(catalog, query, index, ref) : undefined;
  const editable = column && (isDate(column) ? dateFromClause(clause) !== null : readFilter(clause) !== null);
  const words = filterPieces(catalog, query, index, clause);
  return (
    <Pop target={(open, opened) => (
      <Pill icon={column ? <ColumnIcon column={column} /> : <IconMathFunction {...look} />} onClick={clause[0] === 'segment' ? undefined : open} open={opened} onRemove={onRemove} remove={say('Remove filter: {{filter}}', { filter: filterSentence(catalog, query, index, clause) })}>
        {words.map((piece, i) => (piece.strong ? <b key={i}>{i > 0 ? ' ' : ''}{piece.text}</b> : <span key={i}>{i > 0 ? ' ' : ''}{piece.text}</span>))}
      </Pill>
    )}>
      {(close) =>
        editable && column ? <FilterEditor column={column} clause={clause} onDone={(next) => { onChange(next); close(); }} />
        : <FormulaEditor context={context} start={clause} named={false} confirm={say('Update filter')} onCancel={close} onDone={(expression) => { onChange(expression as Clause); close(); }} />}
    </Pop>
  );
}

/* ---- summaries ---- */
export function SummarizeStep({ stage: index, opened }: { stage: number; opened: boolean }) {
  const { query, change, catalog } = useBuilder();
  const stage = query.stages[index]!;
  return (
    <>
      {stage.aggregations.map((aggregation, at) => <AggregationPill key={at} index={index} at={at} aggregation={aggregation} />)}
      <Pop opened={opened && stage.aggregations.length === 0} target={(open) => <AddButton label={say('Add a summary')} words={stage.aggregations.length === 0 ? say('Summary') : undefined} onClick={open} />}>
        {(close) => <AggregationPicker index={index} start={null} close={close} onDone={(clause) => change(edit.addAggregation(query, index, clause))} />}
      </Pop>
      <span className={styles.word}>{say('by')}</span>
      {stage.breakouts.map((ref, at) => <BreakoutPill key={refKey(ref, true)} index={index} at={at} breakout={ref} />)}
      <Pop target={(open) => <AddButton label={say('Add a group')} words={stage.breakouts.length === 0 ? say('Group') : undefined} onClick={open} />}>
        {(close) => (
          <ListPanel
            label={say('Find a column to group by')}
            groups={columnItems(visibleColumns(catalog, query, index), (column) => { change(edit.addBreakout(query, index, edit.defaultBreakout(column))); close(); }, {
              chosen: (column) => edit.breakoutOf(stage, column) >= 0,
              side: (column) => {
                const ref = edit.defaultBreakout(column);
                const unit = unitOf(ref);
                return unit ? say('by {{unit}}', { unit: inside(unitName(unit)) }) : binningOf(ref) ? say('in bins') : undefined;
              },
            })}
          />
        )}
      </Pop>
    </>
  );
}

interface Choice {
  operator: string;
  title: string;
  fits?: (column: Column) => boolean;
}
const choices = (): Choice[] => [
  { operator: 'sum', title: say('Sum of…'), fits: isMeasure }, { operator: 'avg', title: say('Average of…'), fits: isMeasure }, { operator: 'distinct', title: say('Number of different…'), fits: () => true },
  { operator: 'min', title: say('Smallest…'), fits: (column) => isNumber(column) || isDate(column) || kindOf(column) === 'text' }, { operator: 'max', title: say('Largest…'), fits: (column) => isNumber(column) || isDate(column) || kindOf(column) === 'text' },
  { operator: 'median', title: say('Median of…'), fits: isMeasure }, { operator: 'stddev', title: say('Standard deviation of…'), fits: isMeasure },
  { operator: 'cum-sum', title: say('Running total of…'), fits: isMeasure }, { operator: 'cum-count', title: say('Running number of rows') },
];
export function AggregationPicker({ index, start, close, onDone }: { index: number; start: Clause | null; close: () => void; onDone: (clause: Clause) => void }) {
  const { query, catalog, metrics } = useBuilder();
  const [choice, set_choice] = useState<Choice | null>(null);
  const [formula, set_formula] = useState(false);
  const context = useFormulaContext(index, 'aggregation');
  const done = (clause: Clause) => {
    onDone(clause);
    close();
  };
  if (formula) {
    const shown = start ? bareAggregation(start) : null;
    return (
      <FormulaEditor
        context={context} start={shown} name={start ? aggregationName(catalog, query, index, start) : undefined} named confirm={start ? say('Update summary') : say('Add summary')} onCancel={() => set_formula(false)}
        onDone={(expression, name) => done(['aggregation-options', expression, { ...(start ? aggregationOptions(start) : {}), 'display-name': name }])}
      />
    );
  }
  if (choice) {
    return <ListPanel key={choice.operator} label={choice.title} groups={columnItems(visibleColumns(catalog, query, index), (column) => done([choice.operator, column.ref]), { fits: choice.fits })} />;
  }
  const operator = start ? bareAggregation(start)[0] : null;
  const groups: ListGroup[] = [
    { id: 'usual', items: [
      { id: 'count', title: say('Count of rows'), icon: <IconSum {...look} />, chosen: operator === 'count', onPick: () => done(['count']) },
      ...choices().map((item) => ({ id: item.operator, title: item.title, icon: <IconSum {...look} />, chosen: operator === item.operator, onPick: () => (item.fits ? set_choice(item) : done([item.operator])) })),
    ] },
    ...(metrics.length > 0 && index === 0 ? [{ id: 'metrics', name: say('Metrics'), items: metrics.map((metric) => ({ id: `m${metric.id}`, title: metric.name, icon: <IconRulerMeasure {...look} />, onPick: () => done(['metric', metric.id]) })) }] : []),
    { id: 'custom', items: [{ id: 'formula', title: say('A formula…'), icon: <IconMathFunction {...look} />, onPick: () => set_formula(true) }] },
  ];
  return <ListPanel groups={groups} label={say('Find a summary')} />;
}
function AggregationPill({ index, at, aggregation }: { index: number; at: number; aggregation: Clause }) {
  const { query, change, catalog, metrics } = useBuilder();
  const bare = bareAggregation(aggregation);
  const metric = bare[0] === 'metric' ? metrics.find((item) => item.id === bare[1]) : undefined;
  const name = (!aggregationOptions(aggregation)['display-name'] && metric?.name) || aggregationName(catalog, query, index, aggregation);
  const column = isRef(bare[1]) ? columnName(catalog, query, index, bare[1]) : null;
  const split = column && !aggregationOptions(aggregation)['display-name'] && name.endsWith(column) ? name.slice(0, -column.length) : null;
  return (
    <Pop target={(open, opened) => <Pill onClick={open} open={opened} onRemove={() => change(edit.removeAggregation(query, index, at))} remove={say('Remove {{name}}', { name })}>{split !== null ? <>{split}<b>{column}</b></> : <b>{name}</b>}</Pill>}>
      {(close) => <AggregationPicker index={index} start={aggregation} close={close} onDone={(clause) => change(edit.replaceAggregation(query, index, at, clause))} />}
    </Pop>
  );
}
function BreakoutPill({ index, at, breakout }: { index: number; at: number; breakout: ColumnRef }) {
  const { query, change, catalog } = useBuilder();
  const column = findColumn(catalog, query, index, breakout);
  const name = column?.longName ?? String(breakout[1]);
  const unit = unitOf(breakout);
  const bins = binningOf(breakout);
  const units = column && column.unit === null ? unitsFor(column) : [];
  const widths = column ? edit.binningsFor(column) : [];
  const coordinate = column?.semanticType === 'type/Latitude' || column?.semanticType === 'type/Longitude';
  const set = (ref: ColumnRef) => change(edit.replaceBreakout(query, index, at, ref));
  const variants = units.length + widths.length > 0;
  const pill = (open?: () => void, opened?: boolean) => (
    <Pill icon={column && <ColumnIcon column={column} />} onClick={open} open={opened} onRemove={() => change(edit.removeBreakout(query, index, at))} remove={say('Remove group {{name}}', { name })}>
      {unit && unit !== 'default' ? <>{name}: <b>{inside(unitName(unit))}</b></> : bins ? <>{name}: <b>{inside(binningName(bins, coordinate))}</b></> : name}
    </Pill>
  );
  if (!variants) return pill();
  return (
    <Pop target={pill}>
      {(close) => (
        <ListPanel
          label={name} search={false}
          groups={[{ id: 'variants', items: [
            ...units.map((item) => ({ id: item, title: unitName(item), chosen: item === unit, onPick: () => { set(withUnit(breakout, item)); close(); } })),
            ...widths.map((item) => ({ id: JSON.stringify(item), title: binningName(item, coordinate), chosen: JSON.stringify(item) === JSON.stringify(bins), onPick: () => { set(withBinning(breakout, item)); close(); } })),
            { id: 'none', title: units.length > 0 ? say('Every moment by itself') : say('Every value by itself'), chosen: !unit && !bins, onPick: () => { set(withBinning(withUnit(breakout, null), null)); close(); } },
          ] }]}
        />
      )}
    </Pop>
  );
}

/* ---- order and limit ---- */
export function SortStep({ stage: index, opened }: { stage: number; opened: boolean }) {
  const { query, change, catalog } = useBuilder();
  const stage = query.stages[index]!;
  const taken = (ref: Ref) => stage.orderBy.some(([, item]) => (ref[0] === 'aggregation' ? sameRef(item, ref) : edit.isSummarized(stage) ? sameRef(item, ref) : sameColumn(item, ref)));
  const outputs = edit.isSummarized(stage) ? [{ id: 'out', name: say('Results'), kind: 'previous' as const, columns: outputColumns(catalog, query, index) }] : visibleColumns(catalog, query, index);
  return (
    <>
      {stage.orderBy.map(([direction, ref], at) => {
        const name = ref[0] === 'aggregation' ? aggregationName(catalog, query, index, stage.aggregations[ref[1]] ?? ['count']) : columnName(catalog, query, index, ref);
        const other: OrderBy = [direction === 'asc' ? 'desc' : 'asc', ref];
        return (
          <Pill key={at} onClick={() => change(edit.replaceOrder(query, index, at, other))} label={direction === 'asc' ? say('{{name}}, ascending. Press to turn round.', { name }) : say('{{name}}, descending. Press to turn round.', { name })} onRemove={() => change(edit.removeOrder(query, index, at))} remove={say('Do not sort by {{name}}', { name })}>
            {name} {direction === 'asc' ? <IconArrowUp size={14} style={{ verticalAlign: '-2px' }} aria-hidden /> : <IconArrowDown size={14} style={{ verticalAlign: '-2px' }} aria-hidden />}
          </Pill>
        );
      })}
      <Pop opened={opened && stage.orderBy.length === 0} target={(open) => <AddButton label={say('Sort by another column')} words={stage.orderBy.length === 0 ? say('Column') : undefined} onClick={open} />}>
        {(close) => <ListPanel label={say('Find a column to sort by')} groups={columnItems(outputs, (column) => { change(edit.addOrder(query, index, [column.origin === 'aggregation' || isDate(column) ? 'desc' : 'asc', column.ref as Ref])); close(); }, { fits: (column) => !taken(column.ref as Ref) })} />}
      </Pop>
    </>
  );
}
export function LimitStep({ stage: index, opened }: { stage: number; opened: boolean }) {
  const { query, change } = useBuilder();
  const limit = query.stages[index]!.limit;
  const [text, set_text] = useState<string | number>(limit ?? '');
  const [seen, set_seen] = useState(limit);
  if (seen !== limit) {
    set_seen(limit);
    set_text(limit ?? '');
  }
  return (
    <>
      <span className={styles.word}>{say('Only the first')}</span>
      <NumberInput value={text} onChange={set_text} onBlur={() => change(edit.setLimit(query, index, text === '' ? null : Number(text)))} onKeyDown={(event) => event.key === 'Enter' && change(edit.setLimit(query, index, text === '' ? null : Number(text)))} min={1} allowDecimal={false} w={110} aria-label={say('Number of rows')} placeholder="100" autoFocus={opened && limit === null} />
      <span className={styles.word}>{say('rows')}</span>
    </>
  );
}
