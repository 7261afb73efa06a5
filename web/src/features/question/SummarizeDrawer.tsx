import { IconCheck, IconChevronDown, IconPlus, IconSearch, IconSum, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { binningOf, isRef, sameColumn, unitOf, withBinning, withUnit } from '../../query/clauses';
import { flatColumns, visibleColumns } from '../../query/columns';
import { addAggregation, addBreakout, binningsFor, breakoutOf, defaultBreakout, isSummarized, lastStage, removeAggregation, removeBreakout, replaceAggregation, replaceBreakout, withStage } from '../../query/edit';
import { ColumnIcon, columnItems } from '../../query/editors/columns_list';
import { ListPanel } from '../../query/editors/ListPanel';
import { isDate, isMeasure, isNumber, isTime, unitsFor } from '../../query/kinds';
import { aggregationName, binningName, unitName } from '../../query/names';
import type { Catalog, Clause, Column, ColumnRef, Query } from '../../query/types';
import { inside, say } from '../../query/words';
import { Button, IconButton } from '../../ui/Button';
import { TextInput } from '../../ui/fields';
import { Menu, Popover } from '../../ui/Overlays';
import drawer from '../../result/drawer.module.css';
import styles from './question.module.css';

/** The stage whose summary is shown: the last one that has one, else the last one. */
export function summaryStage(query: Query): number {
  for (let index = lastStage(query); index >= 0; index -= 1) if (isSummarized(query.stages[index]!)) return index;
  return lastStage(query);
}

const operators = (): { id: string; title: string; fits?: (column: Column) => boolean }[] => [
  { id: 'count', title: say('Number of rows') },
  { id: 'sum', title: say('Sum of…'), fits: isMeasure },
  { id: 'avg', title: say('Average of…'), fits: isMeasure },
  { id: 'distinct', title: say('Number of different…'), fits: () => true },
  { id: 'min', title: say('Smallest…'), fits: (column) => isNumber(column) || isDate(column) },
  { id: 'max', title: say('Largest…'), fits: (column) => isNumber(column) || isDate(column) },
  { id: 'median', title: say('Median of…'), fits: isMeasure },
  { id: 'stddev', title: say('Standard deviation of…'), fits: isMeasure },
  { id: 'cum-sum', title: say('Running total of…'), fits: isMeasure },
  { id: 'cum-count', title: say('Running number of rows') },
];

export function MetricPicker({ query, catalog, stage, onDone }: { query: Query; catalog: Catalog; stage: number; onDone: (clause: Clause) => void }) {
  const [operator, setOperator] = useState<ReturnType<typeof operators>[number] | null>(null);
  const groups = visibleColumns(catalog, query, stage);
  if (operator?.fits) return <ListPanel label={operator.title} groups={columnItems(groups, (column) => onDone([operator.id, column.ref]), { fits: operator.fits })} />;
  const all = flatColumns(groups);
  const source = query.stages[0]!.source;
  const metrics = source?.type === 'table' && stage === 0 ? (catalog.table(source.id)?.metrics ?? []) : [];
  return (
    <ListPanel
      label={say('Find a number')}
      groups={[
        ...(metrics.length > 0 ? [{ id: 'metrics', name: say('Metrics'), items: metrics.map((metric) => ({ id: `m${metric.id}`, title: metric.name, icon: <IconSum size={16} aria-hidden />, onPick: () => onDone(['metric', metric.id]) })) }] : []),
        { id: 'basic', items: operators().filter((one) => !one.fits || all.some(one.fits)).map((one) => ({ id: one.id, title: one.title, icon: <IconSum size={16} stroke={1.6} aria-hidden />, onPick: () => (one.fits ? setOperator(one) : onDone([one.id])) })) },
      ]}
    />
  );
}

/** The buckets of one group: units of time, or widths of bins. */
function Bucket({ column, at, refNow, onPick }: { column: Column; at: number; refNow: ColumnRef; onPick: (ref: ColumnRef) => void }) {
  const units = unitsFor(column);
  const bins = isDate(column) || isTime(column) ? [] : binningsFor(column);
  if (units.length === 0 && bins.length === 0) return null;
  const unit = unitOf(refNow);
  const binning = binningOf(refNow);
  const text = unit && unit !== 'default' ? say('by {{unit}}', { unit: inside(unitName(unit)) }) : binning ? inside(binningName(binning, column.semanticType === 'type/Latitude' || column.semanticType === 'type/Longitude')) : units.length > 0 ? say('by day') : say('no bins');
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target><button type="button" className={styles.bucket} data-at={at} aria-label={say('{{column}}, {{bucket}}', { column: column.displayName, bucket: text })}>{text}<IconChevronDown size={14} aria-hidden /></button></Menu.Target>
      <Menu.Dropdown style={{ maxHeight: 360, overflowY: 'auto' }}>
        {units.map((one) => <Menu.Item key={one} rightSection={one === unit ? <IconCheck size={14} aria-hidden /> : null} onClick={() => onPick(withUnit(refNow, one))}>{unitName(one)}</Menu.Item>)}
        {bins.map((one) => <Menu.Item key={JSON.stringify(one)} rightSection={JSON.stringify(one) === JSON.stringify(binning) ? <IconCheck size={14} aria-hidden /> : null} onClick={() => onPick(withBinning(refNow, one))}>{binningName(one, column.semanticType === 'type/Latitude' || column.semanticType === 'type/Longitude')}</Menu.Item>)}
        {bins.length > 0 && <Menu.Item rightSection={binning === null ? <IconCheck size={14} aria-hidden /> : null} onClick={() => onPick(withBinning(refNow, null))}>{say('No bins')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

interface SummarizeProps {
  query: Query;
  catalog: Catalog;
  onChange: (query: Query) => void;
  onClose: () => void;
}

/** Green: which numbers, and by what they are grouped. Pressing a column groups by it alone, its plus adds it. */
export function SummarizeDrawer({ query, catalog, onChange, onClose }: SummarizeProps) {
  const index = summaryStage(query);
  const stage = query.stages[index]!;
  const [words, setWords] = useState('');
  const [editing, setEditing] = useState<number | 'new' | null>(null);
  const wanted = words.trim().toLowerCase();
  const groups = visibleColumns(catalog, query, index)
    .map((group) => ({ ...group, columns: group.columns.filter((column) => `${group.name} ${column.displayName}`.toLowerCase().includes(wanted)) }))
    .filter((group) => group.columns.length > 0);

  // A group without a number counts rows: that is what people mean.
  const counted = (next: Query): Query => (next.stages[index]!.aggregations.length === 0 && next.stages[index]!.breakouts.length > 0 ? addAggregation(next, index, ['count']) : next);
  const only = (column: Column) => onChange(counted(addBreakout(withStage(query, index, (one) => ({ ...one, breakouts: [], orderBy: one.orderBy.filter(([, ref]) => ref[0] === 'aggregation') })), index, defaultBreakout(column))));
  const picker = (onDone: (clause: Clause) => void) => <MetricPicker query={query} catalog={catalog} stage={index} onDone={(clause) => { onDone(clause); setEditing(null); }} />;

  return (
    <aside className={`${drawer.drawer} ${drawer.drawer_end}`} aria-label={say('Summarize')}>
      <div className={`${drawer.drawer_head} ${drawer.green}`}>
        <IconSum size={18} stroke={1.8} aria-hidden />
        {say('Summarize')}
        <span className={drawer.grow} />
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={drawer.drawer_body}>
        <div className={styles.label}>{say('Show')}</div>
        {stage.aggregations.map((aggregation, at) => {
          const name = aggregationName(catalog, query, index, aggregation);
          return (
            <Popover key={at} opened={editing === at} onChange={(open) => setEditing(open ? at : null)} position="bottom-start" trapFocus returnFocus withinPortal>
              <div className={styles.metric}>
                <Popover.Target><button type="button" title={name} aria-expanded={editing === at} onClick={() => setEditing(editing === at ? null : at)}>{name}</button></Popover.Target>
                <button type="button" className={styles.cross} aria-label={say('Remove {{name}}', { name })} onClick={() => onChange(removeAggregation(query, index, at))}><IconX size={16} aria-hidden /></button>
              </div>
              <Popover.Dropdown p={0}>{picker((clause) => onChange(replaceAggregation(query, index, at, clause)))}</Popover.Dropdown>
            </Popover>
          );
        })}
        <Popover opened={editing === 'new'} onChange={(open) => setEditing(open ? 'new' : null)} position="bottom-start" trapFocus returnFocus withinPortal>
          <Popover.Target><button type="button" className={styles.add} aria-expanded={editing === 'new'} onClick={() => setEditing(editing === 'new' ? null : 'new')}><IconPlus size={16} aria-hidden />{say('Add a number')}</button></Popover.Target>
          <Popover.Dropdown p={0}>{picker((clause) => onChange(addAggregation(query, index, clause)))}</Popover.Dropdown>
        </Popover>
        <div className={styles.label}>{say('By')}</div>
        <TextInput aria-label={say('Find a column')} placeholder={say('Find a column')} value={words} onChange={(event) => setWords(event.currentTarget.value)} leftSection={<IconSearch size={16} aria-hidden />} />
        {groups.map((group) => (
          <div key={group.id} role="group" aria-label={group.name}>
            <div className={styles.group}>{group.name}</div>
            {group.columns.map((column) => {
              const at = breakoutOf(stage, column);
              const on = at >= 0;
              const now = on ? stage.breakouts[at]! : null;
              return (
                <div key={JSON.stringify(column.ref)} className={styles.column} data-on={on || undefined}>
                  <button type="button" aria-pressed={on} onClick={() => (on ? onChange(removeBreakout(query, index, at)) : only(column))} title={on ? say('Do not group by {{column}}', { column: column.longName }) : say('Group by {{column}}', { column: column.longName })}>
                    <ColumnIcon column={column} />
                    <span className={styles.column_name}>{column.displayName}</span>
                  </button>
                  {on && now && isRef(now) && <Bucket column={column} at={at} refNow={now} onPick={(ref) => onChange(replaceBreakout(query, index, at, ref))} />}
                  {on ? <button type="button" className={styles.cross} aria-label={say('Remove {{name}}', { name: column.longName })} onClick={() => onChange(removeBreakout(query, index, at))}><IconX size={16} aria-hidden /></button>
                    : stage.breakouts.some((ref) => isRef(ref) && !sameColumn(ref, column.ref as ColumnRef)) && <button type="button" className={styles.cross} aria-label={say('Group by {{column}} as well', { column: column.longName })} onClick={() => onChange(counted(addBreakout(query, index, defaultBreakout(column))))}><IconPlus size={16} aria-hidden /></button>}
                </div>
              );
            })}
          </div>
        ))}
        {groups.length === 0 && <div className={styles.nothing}>{wanted === '' ? say('Nothing to group by.') : say('Nothing is called “{{words}}”.', { words: words.trim() })}</div>}
      </div>
      <div className={drawer.drawer_foot}><Button kind="green" className={drawer.solid_green} wide onClick={onClose}>{say('Done')}</Button></div>
    </aside>
  );
}
