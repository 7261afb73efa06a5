import { Checkbox, MultiSelect, Popover, Select, Switch, TagsInput, TextInput } from '@mantine/core';
import { IconChevronDown, IconPlugConnected, IconTrash, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { DashCard } from '@/api/types';
import { Button, IconButton } from '@/ui/Button';
import { Tabs } from '@/ui/fields';
import { ListPanel } from '@/query/editors/ListPanel';
import { describeValue, isEmptyValue, matchingOption, parameterKindOf, sameTarget, slugFor, widgetOf, type MappingOption, type Parameter, type ParameterTarget } from '@/query/parameters';
import { unitName } from '@/query/names';
import { inside, say } from '@/query/words';
import { titleOf } from '../cards/DashCardView';
import { ParameterIcon } from '../filters/FilterWidget';
import { ValuePanel } from '../filters/ValuePanel';
import { mappingOf, virtualKind } from '../model';
import styles from '../dashboard.module.css';

/** The name of what a card's link points at. */
export function linkName(card: DashCard, parameter: string, options: MappingOption[]): string | null {
  const mapping = mappingOf(card, parameter);
  if (!mapping) return null;
  return options.find((option) => sameTarget(option.target, mapping.target as ParameterTarget))?.name ?? say('a column that is gone');
}
export const cardName = (card: DashCard): string => (virtualKind(card) ? String(card.visualization_settings['text'] ?? say('Text')).replace(/[#*_`]/g, '').trim().slice(0, 40) || say('Text') : titleOf(card));

/** Chooses the column of a card that a filter is linked to. */
export function LinkMenu({ options, current, onPick, children }: { options: MappingOption[]; current: ParameterTarget | null; onPick: (target: ParameterTarget | null) => void; children: (open: () => void, opened: boolean) => ReactNode }) {
  const [opened, set_opened] = useState(false);
  const groups = [...new Set(options.map((option) => option.group))].map((name) => ({
    id: name, name,
    items: options.filter((option) => option.group === name).map((option) => ({ id: JSON.stringify(option.target), title: option.name, chosen: current !== null && sameTarget(option.target, current), onPick: () => { onPick(option.target); set_opened(false); } })),
  }));
  return (
    <Popover opened={opened} onChange={set_opened} position="bottom" trapFocus returnFocus withinPortal shadow="md">
      <Popover.Target>{children(() => set_opened(!opened), opened) as never}</Popover.Target>
      <Popover.Dropdown p={0} onMouseDown={(event) => event.stopPropagation()}>
        <ListPanel label={say('Find a column')} groups={[...(current ? [{ id: 'none', items: [{ id: 'none', title: say('Not linked'), onPick: () => { onPick(null); set_opened(false); } }] }] : []), ...groups]} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Settings of a filter and the cards that follow it. */
export function FilterDrawer({ dashboard, parameter, others, cards, options, loading, chosen, onChange, onLink, onLinkAll, onRemove, onClose, onPick }: {
  dashboard: number;
  parameter: Parameter;
  others: Parameter[];
  cards: DashCard[];
  options: Map<number, MappingOption[]>;
  loading: boolean;
  chosen: number | null;
  onChange: (parameter: Parameter) => void;
  onLink: (card: number, target: ParameterTarget | null) => void;
  onLinkAll: (links: { card: number; target: ParameterTarget }[]) => void;
  onRemove: () => void;
  onClose: () => void;
  onPick: (card: number) => void;
}) {
  const [tab, set_tab] = useState<string | null>('cards');
  const [open, set_open] = useState(false);
  const [name, set_name] = useState(parameter.name);
  const kind = parameterKindOf(parameter);
  const widget = widgetOf(parameter);
  const linkable = cards.filter((card) => !virtualKind(card) || (options.get(card.id)?.length ?? 0) > 0);
  const linked = linkable.filter((card) => mappingOf(card, parameter.id));
  const free = linkable.flatMap((card) => {
    if (mappingOf(card, parameter.id)) return [];
    const fit = options.get(card.id) ?? [];
    const like = linked.map((other) => ({ target: mappingOf(other, parameter.id)!.target as ParameterTarget, column: (options.get(other.id) ?? []).find((option) => sameTarget(option.target, mappingOf(other, parameter.id)!.target as ParameterTarget))?.column ?? null }))[0];
    const match = like ? matchingOption(fit, like.target, like.column) : (fit.length === 1 ? fit[0]! : null);
    return match ? [{ card: card.id, target: match.target }] : [];
  });
  const rename = () => {
    const clean = name.trim();
    if (clean === '' || clean === parameter.name) return set_name(parameter.name);
    onChange({ ...parameter, name: clean, slug: slugFor(clean, others.map((other) => other.slug)) });
  };
  const type_choices = [...kind.types, ...(kind.types.some((item) => item.type === parameter.type) ? [] : [{ type: parameter.type, name: parameter.type }])];
  return (
    <aside className={styles.drawer} aria-label={say('Filter: {{name}}', { name: parameter.name })}>
      <div className={styles.drawer_head}>
        <h2>{say('Filter: {{name}}', { name: parameter.name })}</h2>
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <Tabs value={tab} onChange={set_tab}>
        <Tabs.List pl={18}>
          <Tabs.Tab value="settings">{say('Settings')}</Tabs.Tab>
          <Tabs.Tab value="cards">{say('Linked cards')}</Tabs.Tab>
          {others.length > 0 && widget.kind === 'list' && <Tabs.Tab value="depends">{say('Depends on')}</Tabs.Tab>}
        </Tabs.List>
      </Tabs>
      <div className={styles.drawer_body}>
        {tab === 'cards' && (
          <>
            <div className={styles.link_count}>
              <span><b>{say('{{n}} of {{all}}', { n: linked.length, all: linkable.length })}</b> {say('cards follow this filter')}</span>
              <Button size="small" disabled={free.length === 0} onClick={() => onLinkAll(free)}>{say('Link all that fit')}</Button>
            </div>
            <div className={styles.linked}>
              {linkable.map((card) => {
                const fit = options.get(card.id) ?? [];
                const mapping = mappingOf(card, parameter.id);
                const target = (mapping?.target as ParameterTarget | undefined) ?? null;
                return (
                  <div key={card.id} className={styles.linked_row} data-chosen={card.id === chosen || undefined} onMouseEnter={() => onPick(card.id)}>
                    <Checkbox checked={mapping !== undefined} disabled={!mapping && fit.length === 0} style={{ '--checkbox-color': 'var(--violet)' } as React.CSSProperties} aria-label={cardName(card)} onChange={() => onLink(card.id, mapping ? null : (free.find((item) => item.card === card.id)?.target ?? fit[0]!.target))} />
                    <div className={styles.linked_text}>
                      {cardName(card)}
                      {mapping ? <small>{linkName(card, parameter.id, fit)}</small> : <small data-none>{loading ? say('Looking…') : fit.length === 0 ? noFit(parameter) : say('Not linked')}</small>}
                    </div>
                    {fit.length > 0 && (
                      <LinkMenu options={fit} current={target} onPick={(next) => onLink(card.id, next)}>
                        {(toggle, opened) => <button type="button" className={styles.link} aria-label={say('Column of “{{name}}”', { name: cardName(card) })} aria-expanded={opened} onClick={toggle} style={{ padding: 4 }}><IconChevronDown size={16} stroke={1.6} aria-hidden /></button>}
                      </LinkMenu>
                    )}
                  </div>
                );
              })}
              {linkable.length === 0 && <p className={styles.edited}>{say('This tab has no cards to link.')}</p>}
            </div>
          </>
        )}
        {tab === 'settings' && (
          <>
            <TextInput label={say('Name')} value={name} onChange={(event) => set_name(event.currentTarget.value)} onBlur={rename} onKeyDown={(event) => event.key === 'Enter' && rename()} maxLength={80} />
            {type_choices.length > 1 && <Select label={say('Kind of condition')} data={type_choices.map((item) => ({ value: item.type, label: item.name }))} value={parameter.type} onChange={(type) => type && onChange({ ...parameter, type, default: undefined })} />}
            {kind.id !== 'date' && kind.id !== 'unit' && kind.id !== 'boolean' && (
              <>
                <Select
                  label={say('Values come from')} data={[{ value: 'columns', label: say('the linked columns') }, { value: 'static', label: say('a list of my own') }]} value={parameter.values_source_type === 'static-list' ? 'static' : 'columns'}
                  onChange={(next) => onChange({ ...parameter, values_source_type: next === 'static' ? 'static-list' : null, values_source_config: next === 'static' ? { values: parameter.values_source_config?.values ?? [] } : {} })}
                />
                {parameter.values_source_type === 'static-list' && <TagsInput label={say('Values')} value={(parameter.values_source_config?.values ?? []).map((item) => String(Array.isArray(item) ? item[0] : item))} onChange={(list) => onChange({ ...parameter, values_source_config: { values: list } })} splitChars={[',', ';', '\n']} acceptValueOnBlur />}
                <Select
                  label={say('Shown as')} value={`${parameter.values_query_type === 'none' ? 'none' : 'list'}/${parameter.isMultiSelect === false ? 'one' : 'many'}`}
                  data={[{ value: 'list/many', label: say('List of values, many at once') }, { value: 'list/one', label: say('List of values, one at a time') }, { value: 'none/many', label: say('Free input, many at once') }, { value: 'none/one', label: say('Free input, one at a time') }]}
                  onChange={(next) => { const [list, count] = (next ?? '').split('/'); onChange({ ...parameter, values_query_type: list === 'none' ? 'none' : 'list', isMultiSelect: count === 'many' }); }}
                />
              </>
            )}
            {kind.id === 'unit' && <MultiSelect label={say('Units to choose from')} data={['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'].map((unit) => ({ value: unit, label: inside(unitName(unit)) }))} value={parameter.temporal_units ?? ['day', 'week', 'month', 'quarter', 'year']} onChange={(units) => onChange({ ...parameter, temporal_units: units })} />}
            <div>
              <div className={styles.label} style={{ fontWeight: 500, marginBottom: 4 }}>{say('Starts with')}</div>
              <Popover opened={open} onChange={set_open} trapFocus returnFocus withinPortal shadow="md">
                <Popover.Target>
                  <Button wide icon={<ParameterIcon parameter={parameter} />} onClick={() => set_open(!open)} aria-expanded={open}>{isEmptyValue(parameter.default) ? say('Everything') : describeValue(parameter, parameter.default)}</Button>
                </Popover.Target>
                <Popover.Dropdown p={0}>{open && <ValuePanel dashboard={dashboard} parameter={{ ...parameter, required: false }} value={parameter.default} values={{}} onDone={(value) => { set_open(false); onChange({ ...parameter, default: value ?? undefined }); }} onClear={() => { set_open(false); onChange({ ...parameter, default: undefined, required: false }); }} />}</Popover.Dropdown>
              </Popover>
            </div>
            <Switch label={say('Always has a value')} checked={parameter.required ?? false} disabled={isEmptyValue(parameter.default) && !parameter.required} onChange={(event) => onChange({ ...parameter, required: event.currentTarget.checked })} description={isEmptyValue(parameter.default) ? say('Choose what it starts with first.') : undefined} />
          </>
        )}
        {tab === 'depends' && (
          <>
            <p style={{ margin: 0 }}>{say('Only values that go with the chosen values of these filters are offered.')}</p>
            {others.filter((other) => !other.filteringParameters?.includes(parameter.id)).map((other) => (
              <Checkbox key={other.id} label={other.name} checked={parameter.filteringParameters?.includes(other.id) ?? false} onChange={(event) => onChange({ ...parameter, filteringParameters: event.currentTarget.checked ? [...(parameter.filteringParameters ?? []), other.id] : (parameter.filteringParameters ?? []).filter((id) => id !== other.id) })} />
            ))}
          </>
        )}
      </div>
      <div className={styles.drawer_foot}>
        <button type="button" className={styles.danger} onClick={onRemove}><IconTrash size={16} stroke={1.6} aria-hidden />{say('Remove filter')}</button>
        <Button kind="primary" onClick={onClose}>{say('Done')}</Button>
      </div>
    </aside>
  );
}
const noFit = (parameter: Parameter): string => {
  const kind = parameterKindOf(parameter);
  return kind.id === 'date' ? say('It has no date column') : kind.id === 'place' ? say('It has no column of places') : kind.id === 'number' ? say('It has no column of numbers') : kind.id === 'unit' ? say('It is not grouped by time') : say('No column fits');
};

/** The button over a card while a filter is wired. */
export function Wire({ card, parameter, options, loading, onLink }: { card: DashCard; parameter: string; options: MappingOption[]; loading: boolean; onLink: (target: ParameterTarget | null) => void }) {
  const mapping = mappingOf(card, parameter);
  if (options.length === 0 && !mapping) return loading ? null : <span className={styles.no_fit}>{say('No column fits')}</span>;
  const name = linkName(card, parameter, options);
  return (
    <LinkMenu options={options} current={(mapping?.target as ParameterTarget | undefined) ?? null} onPick={onLink}>
      {(toggle, opened) => (
        <button type="button" className={styles.wire} data-empty={name === null || undefined} onClick={toggle} onMouseDown={(event) => event.stopPropagation()} aria-expanded={opened} aria-label={say('Link “{{card}}” to a column', { card: cardName(card) })}>
          <IconPlugConnected size={16} stroke={1.6} aria-hidden />
          <span>{name ?? say('Choose a column')}</span>
          <IconChevronDown size={14} stroke={1.8} aria-hidden />
        </button>
      )}
    </LinkMenu>
  );
}
