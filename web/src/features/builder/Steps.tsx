import { IconArrowRight, IconCirclesRelation, IconDatabase, IconFilter, IconListNumbers, IconMathFunction, IconPlayerPlay, IconArrowsSort, IconSum, IconX, type Icon } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Button, IconButton } from '@/ui/Button';
import * as edit from '@/query/edit';
import type { Catalog, Source } from '@/query/types';
import { say } from '@/query/words';
import { Preview } from './Preview';
import { Pop, useBuilder } from './parts';
import { ExpressionStep, FilterStep, LimitStep, SortStep, SummarizeStep } from './steps/clauses';
import { DataStep, JoinPicker, JoinStep } from './steps/data';
import styles from './builder.module.css';

type Kind = edit.StepKind;
const ICONS: Record<Kind, Icon> = { data: IconDatabase, join: IconCirclesRelation, expression: IconMathFunction, filter: IconFilter, summarize: IconSum, sort: IconArrowsSort, limit: IconListNumbers };
const names = (): Record<Kind, string> => ({ data: say('Data'), join: say('Join'), expression: say('Column'), filter: say('Filter'), summarize: say('Summarize'), sort: say('Sort'), limit: say('Limit') });
const ADDABLE: Kind[] = ['join', 'expression', 'filter', 'summarize', 'sort', 'limit'];

/** All steps of all stages on the spine. */
export function Steps({ database_name, prepare, without, onVisualize, running }: {
  database_name: string | null;
  /** Loads a source's columns, so that a join can suggest its condition. */
  prepare: (source: Source) => Promise<Catalog>;
  without?: number;
  onVisualize: () => void;
  running?: boolean;
}) {
  const { query, change } = useBuilder();
  // A step that was just added and holds nothing yet.
  const [fresh, set_fresh] = useState<{ stage: number; kind: Kind } | null>(null);
  const [shown, set_shown] = useState<string | null>(null);
  const last = edit.lastStage(query);
  const has = (stage: number, kind: Kind): boolean => {
    const item = query.stages[stage]!;
    if (fresh?.stage === stage && fresh.kind === kind) return true;
    switch (kind) {
      case 'data': return stage === 0;
      case 'join': return item.joins.length > 0;
      case 'expression': return item.expressions.length > 0;
      case 'filter': return item.filters.length > 0;
      case 'summarize': return edit.isSummarized(item);
      case 'sort': return item.orderBy.length > 0;
      case 'limit': return item.limit !== null;
    }
  };
  const remove = (stage: number, kind: Kind) => {
    set_fresh(null);
    switch (kind) {
      case 'data': return change({ ...query, database: null, stages: [{ ...query.stages[0]!, source: null, joins: [], expressions: [], filters: [], aggregations: [], breakouts: [], fields: null, orderBy: [], limit: null, rest: {} }] });
      case 'join': return change(query.stages[stage]!.joins.reduceRight((out, _, at) => edit.removeJoin(out, stage, at), query));
      case 'expression': return change(query.stages[stage]!.expressions.reduceRight((out, _, at) => edit.removeExpression(out, stage, at), query));
      case 'filter': return change(edit.withStage(query, stage, (old) => ({ ...old, filters: [] })));
      case 'summarize': return change(edit.clearSummary(query, stage));
      case 'sort': return change(edit.withStage(query, stage, (old) => ({ ...old, orderBy: [] })));
      case 'limit': return change(edit.setLimit(query, stage, null));
    }
  };
  const body = (stage: number, kind: Kind, at: number): ReactNode => {
    const opened = fresh?.stage === stage && fresh.kind === kind;
    switch (kind) {
      case 'data': return <DataStep database_name={database_name} without={without} />;
      case 'join': return <JoinStep stage={stage} at={at} />;
      case 'expression': return <ExpressionStep stage={stage} opened={opened} />;
      case 'filter': return <FilterStep stage={stage} opened={opened} />;
      case 'summarize': return <SummarizeStep stage={stage} opened={opened} />;
      case 'sort': return <SortStep stage={stage} opened={opened} />;
      case 'limit': return <LimitStep stage={stage} opened={opened} />;
    }
  };
  const label = names();
  const runnable = edit.isRunnable(query);
  return (
    <div className={styles.inner}>
      {query.stages.map((item, stage) => {
        const kinds: Kind[] = (['data', ...ADDABLE] as Kind[]).filter((kind) => has(stage, kind));
        const rows = kinds.flatMap((kind): { kind: Kind; at: number }[] => (kind === 'join' ? item.joins.map((_, at) => ({ kind, at })) : [{ kind, at: 0 }]));
        const missing = ADDABLE.filter((kind) => kind === 'join' || !has(stage, kind));
        // After a summary more steps make a further stage; only its order and limit belong to this one.
        const addable = stage < last ? [] : missing.filter((kind) => !edit.isSummarized(item) || kind === 'sort' || kind === 'limit');
        const further = stage === last && edit.isSummarized(item) ? (['expression', 'filter', 'summarize'] as Kind[]) : [];
        const before = edit.isSummarized(item) && stage === last ? missing.filter((kind) => isBefore(kind) && kind !== 'summarize') : [];
        return (
          <section key={stage} className={styles.stage} aria-label={stage === 0 ? say('First stage') : say('Stage {{n}}', { n: stage + 1 })}>
            {rows.map(({ kind, at }, row) => {
              const id = `${stage}/${kind}/${at}`;
              const Glyph = ICONS[kind];
              return (
                <div key={id} className={`${styles.step} ${styles[kind]} ${stage === 0 && row === 0 ? styles.first : ''}`}>
                  <div className={styles.name}>
                    <span className={styles.node} aria-hidden><Glyph size={14} stroke={2} /></span>
                    {label[kind]}
                  </div>
                  <div className={styles.card} role="group" aria-label={label[kind]}>{body(stage, kind, at)}</div>
                  <div className={styles.tools}>
                    {runnable && <IconButton size="small" label={say('Show the first rows after “{{step}}”', { step: label[kind] })} icon={<IconPlayerPlay size={16} stroke={1.6} aria-hidden />} onClick={() => set_shown(shown === id ? null : id)} aria-expanded={shown === id} />}
                    {!(kind === 'data' && item.source === null) && <IconButton size="small" label={say('Remove “{{step}}”', { step: label[kind] })} icon={<IconX size={16} stroke={1.6} aria-hidden />} onClick={() => (kind === 'join' ? change(edit.removeJoin(query, stage, at)) : remove(stage, kind))} />}
                  </div>
                  {shown === id && runnable && <Preview query={query} stage={stage} step={kind} onClose={() => set_shown(null)} />}
                </div>
              );
            })}
            {stage === last && runnable && (
              <div className={`${styles.step} ${styles.end}`}>
                <div className={styles.name} style={{ height: 40 }}><span className={styles.stop} aria-hidden /></div>
                <div className={styles.more}>
                  {further.map((kind) => (
                    <More key={`then-${kind}`} kind={kind} name={label[kind]} stage={stage} prepare={prepare} onFresh={() => { change(edit.addStage(query)); set_fresh({ stage: stage + 1, kind }); }} />
                  ))}
                  {addable.map((kind) => (
                    <More key={kind} kind={kind} name={label[kind]} stage={stage} prepare={prepare} onFresh={() => set_fresh({ stage, kind })} />
                  ))}
                  {before.length > 0 && <Before kinds={before} label={label} stage={stage} prepare={prepare} onFresh={(kind) => set_fresh({ stage, kind })} />}
                  <span className={styles.push} />
                  <Button kind="primary" size="large" icon_after={<IconArrowRight size={18} aria-hidden />} onClick={onVisualize} busy={running}>{say('Visualize')}</Button>
                </div>
                <div />
              </div>
            )}
          </section>
        );
      })}
    </div>
  );
}
const isBefore = (kind: Kind) => kind === 'join' || kind === 'expression' || kind === 'filter' || kind === 'summarize';

function More({ kind, name, stage, prepare, onFresh }: { kind: Kind; name: string; stage: number; prepare: (source: Source) => Promise<Catalog>; onFresh: () => void }) {
  const Glyph = ICONS[kind];
  const button = (onClick: () => void) => (
    <button type="button" className={`${styles.more_button} ${styles[kind]}`} onClick={onClick}>
      <Glyph size={16} stroke={1.6} aria-hidden />
      {name}
    </button>
  );
  if (kind !== 'join') return button(onFresh);
  return <Pop target={(open) => button(open)}>{(close) => <JoinPicker stage={stage} close={close} prepare={prepare} />}</Pop>;
}

/** Steps of the same stage that stand before its summary. */
function Before({ kinds, label, stage, prepare, onFresh }: { kinds: Kind[]; label: Record<Kind, string>; stage: number; prepare: (source: Source) => Promise<Catalog>; onFresh: (kind: Kind) => void }) {
  const [open, set_open] = useState(false);
  if (!open) return <button type="button" className={`${styles.more_button} ${styles.more_quiet}`} onClick={() => set_open(true)}>{say('Before the summary…')}</button>;
  return (
    <>
      <span className={styles.word}>{say('before:')}</span>
      {kinds.map((kind) => <More key={kind} kind={kind} name={label[kind]} stage={stage} prepare={prepare} onFresh={() => { set_open(false); onFresh(kind); }} />)}
    </>
  );
}
