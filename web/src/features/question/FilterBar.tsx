import { IconCalendar, IconFilter, IconPlus, IconTag } from '@tabler/icons-react';
import { useState } from 'react';
import { findColumn, visibleColumns } from '../../query/columns';
import { addFilter, addStage, allFilters, isSummarized, lastStage, removeFilter, replaceFilter } from '../../query/edit';
import { columnItems } from '../../query/editors/columns_list';
import { FilterEditor } from '../../query/editors/FilterEditor';
import { ListPanel } from '../../query/editors/ListPanel';
import { filteredColumn, filterPieces, plainText } from '../../query/filters';
import { isDate } from '../../query/kinds';
import type { Catalog, Clause, Column, Query } from '../../query/types';
import { say } from '../../query/words';
import { IconButton } from '../../ui/Button';
import { Chip } from '../../ui/Chip';
import { Popover } from '../../ui/Overlays';
import styles from './question.module.css';

interface FilterProps {
  query: Query;
  catalog: Catalog;
  onChange: (query: Query) => void;
}

/** Chooses a column, then its condition. Filters on a summary's result stand in a stage of their own. */
export function FilterPicker({ query, catalog, onChange, onClose, column: start }: FilterProps & { onClose: () => void; column?: { column: Column; query: Query; stage: number } | null }) {
  const index = lastStage(query);
  const summarized = isSummarized(query.stages[index]!);
  const after = summarized ? addStage(query) : query;
  const [chosen, setChosen] = useState<{ column: Column; query: Query; stage: number } | null>(start ?? null);
  if (chosen) {
    return (
      <FilterEditor
        column={chosen.column} clause={null} onBack={() => setChosen(null)}
        onDone={(clause) => {
          onChange(addFilter(chosen.query, chosen.stage, clause));
          onClose();
        }}
      />
    );
  }
  const groups = [
    ...columnItems(visibleColumns(catalog, query, index), (column) => setChosen({ column, query, stage: index })),
    ...(summarized ? columnItems(visibleColumns(catalog, after, index + 1, { implicit: false }), (column) => setChosen({ column, query: after, stage: index + 1 })).map((group) => ({ ...group, id: `after/${group.id}`, name: say('Summaries') })) : []),
  ];
  return <ListPanel groups={groups} label={say('Find a column')} />;
}

/** One violet chip per filter; pressing it edits, its cross removes. */
export function FilterChips({ query, catalog, onChange }: FilterProps) {
  const [open, setOpen] = useState<string | null>(null);
  const filters = allFilters(query);
  const [adding, setAdding] = useState(false);
  return (
    <div className={styles.chips} role="group" aria-label={say('Filters')}>
      {filters.map(({ stage, at, filter }) => {
        const key = `${stage}/${at}`;
        const pieces = filterPieces(catalog, query, stage, filter);
        const ref = filteredColumn(filter);
        const column = ref ? findColumn(catalog, query, stage, ref) : undefined;
        const text = plainText(pieces);
        const chip = (
          <Chip
            tone="violet" icon={column && isDate(column) ? <IconCalendar size={16} stroke={1.6} aria-hidden /> : column ? <IconTag size={16} stroke={1.6} aria-hidden /> : <IconFilter size={16} stroke={1.6} aria-hidden />}
            aria-label={column ? say('Change filter: {{filter}}', { filter: text }) : text} aria-expanded={open === key} title={text}
            onClick={() => column && setOpen(open === key ? null : key)}
            remove_label={say('Remove filter: {{filter}}', { filter: text })} onRemove={() => onChange(removeFilter(query, stage, at))}
          >
            {pieces.map((piece, index) => (piece.strong ? <strong key={index}> {piece.text}</strong> : <span key={index}>{index > 0 ? ' ' : ''}{piece.text}</span>))}
          </Chip>
        );
        return (
          <Popover key={key} opened={open === key} onChange={(next) => !next && setOpen(null)} position="bottom-start" trapFocus returnFocus withinPortal>
            <Popover.Target><span>{chip}</span></Popover.Target>
            <Popover.Dropdown p={0}>
              {column && <FilterEditor column={column} clause={filter} onDone={(clause: Clause) => { onChange(replaceFilter(query, stage, at, clause)); setOpen(null); }} />}
            </Popover.Dropdown>
          </Popover>
        );
      })}
      <Popover opened={adding} onChange={setAdding} position="bottom-start" trapFocus returnFocus withinPortal>
        <Popover.Target><IconButton label={say('Add a filter')} icon={<IconPlus size={18} stroke={1.6} aria-hidden />} aria-expanded={adding} onClick={() => setAdding(!adding)} /></Popover.Target>
        <Popover.Dropdown p={0}><FilterPicker query={query} catalog={catalog} onChange={onChange} onClose={() => setAdding(false)} /></Popover.Dropdown>
      </Popover>
    </div>
  );
}
