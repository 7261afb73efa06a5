import { Menu, Popover, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconArrowForwardUp, IconArrowsHorizontal, IconChartAreaLine, IconCopy, IconFilter, IconFrame, IconGripVertical, IconHeading, IconLayoutRows, IconLetterT, IconLink, IconPalette, IconPencil, IconPlus, IconReplace, IconSettings, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { cards as cards_api } from '@/api/cards';
import { dashboards } from '@/api/dashboards';
import type { Dashboard } from '@/api/types';
import { useFoldedSide } from '@/lib/frame';
import { useHistory } from '@/lib/history';
import { useGo } from '@/lib/navigate';
import { paths } from '@/lib/paths';
import { useShortcuts } from '@/lib/shortcuts';
import { Button, IconButton } from '@/ui/Button';
import { EmptyState } from '@/ui/States';
import { ConfirmDialog } from '@/ui/Dialog';
import { toast, toast_failure } from '@/ui/toast';
import { UnsavedGuard } from '@/ui/UnsavedGuard';
import { visualizationOf } from '@/viz/all';
import { describeValue, isEmptyValue, newParameter, parameterKinds, type Parameter, type ParameterTarget } from '@/query/parameters';
import { ListPanel } from '@/query/editors/ListPanel';
import { say } from '@/query/words';
import { DashCardView } from '../cards/DashCardView';
import { ParameterIcon } from '../filters/FilterWidget';
import * as model from '../model';
import { Tabs } from '../Tabs';
import type { Values } from '../values';
import { EditGrid, smallestOf } from './EditGrid';
import { FilterDrawer, Wire, cardName } from './FilterDrawer';
import { AddDrawer, LookDrawer } from './drawers';
import { useMappings } from './useMappings';
import styles from '../dashboard.module.css';

const NO_MAPPINGS: Dashboard['dashcards'][number]['parameter_mappings'] = [];
type Open = { kind: 'add'; replace?: number } | { kind: 'filter'; id: string } | { kind: 'look'; id: number } | null;

/** A dashboard while it is changed; nothing is stored before "Save dashboard". */
export function EditMode({ dashboard, values, start_tab, onDone }: { dashboard: Dashboard; values: Values; start_tab: number | null; onDone: (tab: number | null) => void }) {
  const go = useGo();
  const client = useQueryClient();
  const [start] = useState(() => model.draftOf(dashboard));
  const history = useHistory(start);
  const draft = history.value;
  const latest = useRef(draft);
  latest.current = draft;
  const [tab_chosen, set_tab] = useState<number | null>(start_tab);
  const [open, set_open] = useState<Open>(draft.dashcards.length === 0 ? { kind: 'add' } : null);
  const [chosen, set_chosen] = useState<number | null>(null);
  const [saving, set_saving] = useState(false);
  const [leaving_tab, set_leaving_tab] = useState<number | null>(null);
  const allowed = useRef(false);
  useFoldedSide();

  const tabs = draft.tabs;
  const tab = tabs.find((item) => item.id === tab_chosen)?.id ?? tabs[0]?.id ?? null;
  const cards = useMemo(() => model.cardsOn(draft.dashcards, tabs.length > 0 ? tab : null), [draft.dashcards, tab, tabs.length]);
  const parameters = draft.parameters as Parameter[];
  const parameter = open?.kind === 'filter' ? (parameters.find((item) => item.id === open.id) ?? null) : null;
  const { options, loading } = useMappings(cards, parameter);
  // Cards run as they are saved: the server knows nothing yet of filters and links that are being made.
  const saved_cards = useMemo(() => new Map(start.dashcards.map((card) => [card.id, card])), [start]);
  const as_saved = (card: Dashboard['dashcards'][number]) => (model.virtualKind(card) ? card : { ...card, parameter_mappings: saved_cards.get(card.id)?.parameter_mappings ?? NO_MAPPINGS });
  const changes = useMemo(() => model.countChanges(start, draft), [start, draft]);
  const dirty = changes > 0;
  const here = tabs.length > 0 ? tab : null;
  const set = history.set;

  async function save(): Promise<void> {
    set_saving(true);
    try {
      const before = draft.tabs.findIndex((item) => item.id === tab);
      const saved = await dashboards.update(dashboard.id, model.payloadOf(draft) as unknown as Partial<Dashboard>);
      client.setQueryData(['dashboards', dashboard.id], saved);
      await Promise.all([client.invalidateQueries({ queryKey: ['dashboards', dashboard.id] }), client.invalidateQueries({ queryKey: ['revisions', 'dashboard', dashboard.id] })]);
      allowed.current = true;
      toast(say('Dashboard saved.'));
      onDone(saved.tabs?.[before]?.id ?? null);
    } finally {
      set_saving(false);
    }
  }
  const cancel = () => {
    allowed.current = true;
    onDone(start_tab);
  };
  const [cancelling, set_cancelling] = useState(false);
  const ask_cancel = () => (dirty ? set_cancelling(true) : cancel());

  const add_question = (id: number) =>
    void cards_api.one(id).then((card) => {
      const now = latest.current;
      if (open?.kind === 'add' && open.replace !== undefined) {
        set(model.replaceCard(now, open.replace, card));
        set_open(null);
        return;
      }
      const made = model.addCard(now, here, card, visualizationOf(card.display).usual);
      set(made.draft);
      set_chosen(made.id);
      toast(say('“{{name}}” is on the dashboard.', { name: card.name }));
    }).catch(toast_failure);
  const add_virtual = (kind: model.VirtualKind) => {
    const made = model.addVirtual(draft, here, kind);
    set(made.draft);
    set_chosen(made.id);
    set_open({ kind: 'look', id: made.id });
  };
  const add_section = () => {
    const made = model.addSection(draft, here);
    set(made.draft);
    set_chosen(made.id);
    set_open({ kind: 'look', id: made.id });
  };
  const remove = (id: number) => {
    const card = draft.dashcards.find((item) => item.id === id);
    const before = draft;
    set(model.removeCard(draft, id));
    if (open?.kind === 'look' && open.id === id) set_open(null);
    // Taking it back later must not undo what was done since: only the card comes back.
    toast(say('Removed “{{name}}”.', { name: card ? cardName(card) : '' }), { undo: () => { const gone = before.dashcards.find((item) => item.id === id); if (gone && !latest.current.dashcards.some((item) => item.id === id)) set({ ...latest.current, dashcards: [...latest.current.dashcards, gone] }); } });
  };
  const add_filter = (kind: ReturnType<typeof parameterKinds>[number]) => {
    const made = newParameter(kind, parameters);
    set(model.addParameter(draft, made));
    set_open({ kind: 'filter', id: made.id });
  };
  const add_tab = () => {
    const made = model.addTab(draft, say('Tab {{n}}', { n: Math.max(2, tabs.length + 1) }), say('Tab {{n}}', { n: 1 }));
    set(made.draft);
    set_tab(made.id);
  };
  const link = useCallback((card: number, target: ParameterTarget | null) => {
    if (parameter) set(model.setMapping(latest.current, card, parameter.id, target));
  }, [parameter, set]);

  const group = say('Editing');
  const [filter_menu, set_filter_menu] = useState(false);
  useShortcuts([
    { keys: 'mod+z', label: say('Undo'), group, run: history.undo },
    { keys: 'mod+shift+z', label: say('Redo'), group, run: history.redo },
    { keys: 'mod+s', label: say('Save dashboard'), group, run: () => dirty && void save().catch(toast_failure), in_fields: true },
    { keys: 's', label: say('Save dashboard'), group, run: () => dirty && void save().catch(toast_failure), hidden: true },
    { keys: 'e', label: say('Stop editing'), group, run: ask_cancel },
    { keys: 'a', label: say('Add a chart'), group, run: () => set_open({ kind: 'add' }) },
    { keys: 'f', label: say('Add a filter'), group, run: () => set_filter_menu(true) },
    { keys: 'q', label: say('New question'), group, run: () => go(paths.builder()) },
    { keys: 'n', label: say('New SQL question'), group, run: () => go(paths.sql()) },
    { keys: 'escape', label: say('Close the drawer'), group, run: () => set_open(null), hidden: true },
    ...tabs.slice(0, 9).map((item, index) => ({ keys: String(index + 1), label: say('Tab “{{name}}”', { name: item.name }), group, run: () => set_tab(item.id) })),
  ]);
  const look = { size: 18, stroke: 1.6, 'aria-hidden': true } as const;
  const small = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
  const look_card = open?.kind === 'look' ? draft.dashcards.find((item) => item.id === open.id) : undefined;
  return (
    <div className={styles.page} data-editing>
      <div className={styles.edit_bar} role="toolbar" aria-label={say('Editing {{name}}', { name: draft.name })}>
        {dirty && <span className={styles.dot} role="img" aria-label={say('Not saved')} />}
        <span className={styles.edit_word}>{say('Editing')}</span>
        <NameField name={draft.name} onChange={(name) => set({ ...draft, name })} />
        <span className={styles.edit_count} aria-live="polite">{changes === 0 ? say('nothing changed yet') : changes === 1 ? say('1 change not saved') : say('{{n}} changes not saved', { n: changes })}</span>
        <span className={styles.rule} />
        <IconButton label={say('Undo')} icon={<IconArrowBackUp {...look} />} onClick={history.undo} disabled={!history.can_undo} />
        <IconButton label={say('Redo')} icon={<IconArrowForwardUp {...look} />} onClick={history.redo} disabled={!history.can_redo} />
        <span className={styles.rule} />
        <Button kind="quiet" icon={<IconChartAreaLine {...look} />} onClick={() => set_open(open?.kind === 'add' ? null : { kind: 'add' })} aria-pressed={open?.kind === 'add'}>{say('Chart')}</Button>
        <Button kind="quiet" icon={<IconLetterT {...look} />} onClick={() => add_virtual('text')}>{say('Text')}</Button>
        <Button kind="quiet" icon={<IconHeading {...look} />} onClick={() => add_virtual('heading')}>{say('Heading')}</Button>
        <Button kind="quiet" icon={<IconLink {...look} />} onClick={() => add_virtual('link')}>{say('Link')}</Button>
        <Button kind="quiet" icon={<IconFrame {...look} />} onClick={() => add_virtual('iframe')}>{say('Page')}</Button>
        <Button kind="quiet" icon={<IconLayoutRows {...look} />} onClick={add_section}>{say('Section')}</Button>
        <Popover opened={filter_menu} onChange={set_filter_menu} position="bottom-start" trapFocus returnFocus withinPortal shadow="md">
          <Popover.Target><Button kind={parameter ? 'violet' : 'quiet'} icon={<IconFilter {...look} />} onClick={() => set_filter_menu(!filter_menu)} aria-expanded={filter_menu}>{say('Filter')}</Button></Popover.Target>
          <Popover.Dropdown p={0}>
            {filter_menu && <ListPanel search={false} label={say('What to filter by')} groups={[{ id: 'kinds', items: parameterKinds().map((kind) => ({ id: kind.id, title: kind.name, side: kind.help, icon: <ParameterIcon parameter={newParameter(kind, [])} />, onPick: () => { set_filter_menu(false); add_filter(kind); } })) }]} />}
          </Popover.Dropdown>
        </Popover>
        <Menu withinPortal>
          <Menu.Target><IconButton label={say('Width and filters')} icon={<IconArrowsHorizontal {...look} />} /></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => set({ ...draft, width: draft.width === 'full' ? 'fixed' : 'full' })}>{draft.width === 'full' ? say('Keep to a readable width') : say('Use the full width')}</Menu.Item>
            <Menu.Item onClick={() => set({ ...draft, auto_apply_filters: !draft.auto_apply_filters })}>{draft.auto_apply_filters === false ? say('Apply filters at once') : say('Apply filters with a button')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <span style={{ flex: 1 }} />
        <Button onClick={ask_cancel}>{say('Cancel')}</Button>
        <Button kind="primary" onClick={() => void save().catch(toast_failure)} busy={saving} disabled={!dirty}>{say('Save dashboard')}</Button>
      </div>
      <div className={styles.edit_body}>
        <div className={styles.edit_main}>
          <Tabs
            tabs={tabs} active={tab} onPick={set_tab}
            menu={(item, button) => (
              <Menu key={item.id} withinPortal position="bottom-start">
                <Menu.Target>{button}</Menu.Target>
                <Menu.Dropdown>
                  <TabName name={item.name} onChange={(name) => set(model.renameTab(draft, item.id, name))} />
                  <Menu.Item onClick={() => set(model.moveTab(draft, item.id, -1))} disabled={tabs[0]?.id === item.id}>{say('Move to the left')}</Menu.Item>
                  <Menu.Item onClick={() => set(model.moveTab(draft, item.id, 1))} disabled={tabs[tabs.length - 1]?.id === item.id}>{say('Move to the right')}</Menu.Item>
                  <Menu.Divider />
                  <Menu.Item color="var(--red-text)" onClick={() => (cards.length > 0 ? set_leaving_tab(item.id) : set(model.removeTab(draft, item.id)))}>{say('Remove this tab')}</Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
            extra={<IconButton size="small" label={say('Add a tab')} icon={<IconPlus {...small} />} onClick={add_tab} style={{ alignSelf: 'center', marginInlineStart: tabs.length > 0 ? -8 : 0 }} />}
          />
          {parameters.length > 0 && (
            <div className={styles.filters} role="group" aria-label={say('Filters')}>
              {parameters.map((item) => (
                <button
                  key={item.id} type="button" className={styles.edit_chip} data-chosen={parameter?.id === item.id || undefined} aria-pressed={parameter?.id === item.id} onClick={() => set_open(parameter?.id === item.id ? null : { kind: 'filter', id: item.id })}
                  title={say('Alt and arrows move this filter')}
                  onKeyDown={(event) => {
                    if (!event.altKey || (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight')) return;
                    event.preventDefault();
                    set(model.moveParameter(draft, item.id, event.key === 'ArrowLeft' ? -1 : 1));
                  }}
                  draggable onDragStart={(event) => event.dataTransfer.setData('text/basalt-filter', item.id)} onDragOver={(event) => event.preventDefault()}
                  onDrop={(event) => {
                    const id = event.dataTransfer.getData('text/basalt-filter');
                    if (!id || id === item.id) return;
                    const rest = parameters.filter((other) => other.id !== id);
                    const moved = parameters.find((other) => other.id === id);
                    const at = rest.findIndex((other) => other.id === item.id);
                    if (moved) set({ ...draft, parameters: [...rest.slice(0, at), moved, ...rest.slice(at)] as Dashboard['parameters'] });
                  }}
                >
                  <IconGripVertical size={14} stroke={1.6} aria-hidden />
                  {item.name} {!isEmptyValue(item.default) && <b>{describeValue(item, item.default)}</b>}
                  {parameter?.id === item.id && <IconSettings size={16} stroke={1.6} aria-hidden />}
                </button>
              ))}
            </div>
          )}
          <div className={styles.body} data-fixed={draft.width !== 'full' || undefined}>
            {cards.length === 0 && (
              <EmptyState title={say('Nothing here yet')} actions={<Button kind="primary" icon={<IconPlus {...small} />} onClick={() => set_open({ kind: 'add' })}>{say('Add a chart')}</Button>}>{say('Pick a saved question from the drawer, or write a text.')}</EmptyState>
            )}
            {cards.length > 0 && (
            <EditGrid
              cards={cards} chosen={chosen} onPick={set_chosen} onRemove={remove}
              onPlace={(place) => set(model.place(latest.current, place))}
              onNudge={(id, by) => { const card = draft.dashcards.find((item) => item.id === id); set(model.nudge(latest.current, id, by, card ? smallestOf(card) : undefined)); }}
            >
              {(card) => {
                const fit = parameter ? (options.get(card.id) ?? []) : [];
                const virtual = model.virtualKind(card) !== null;
                const flat = parameter !== null && !loading && fit.length === 0 && !model.mappingOf(card, parameter.id);
                return {
                  flat, dim: parameter !== null && !flat,
                  body: (
                    <>
                      <DashCardView dashboard={dashboard.id} dashcard={as_saved(card)} parameters={virtual ? parameters : (start.parameters as Parameter[])} values={values} href={null} editing detached={saved_cards.get(card.id)?.card_id !== card.card_id} />
                      {virtual && <div className="card-drag" style={{ position: 'absolute', inset: 0, cursor: 'grab', zIndex: 4 }} onDoubleClick={() => set_open({ kind: 'look', id: card.id })} />}
                      {parameter && (!virtual || fit.length > 0) && <Wire card={card} parameter={parameter.id} options={fit} loading={loading} onLink={(target) => link(card.id, target)} />}
                      {!parameter && (
                        <div className={`${styles.card_tools} card-tools`} role="toolbar" aria-label={say('Tools of “{{name}}”', { name: cardName(card) })}>
                          <IconButton size="small" label={virtual ? say('Edit the text') : say('Change its look')} icon={virtual ? <IconPencil {...small} /> : <IconPalette {...small} />} onClick={() => set_open({ kind: 'look', id: card.id })} />
                          {!virtual && <IconButton size="small" label={say('Put another question here')} icon={<IconReplace {...small} />} onClick={() => set_open({ kind: 'add', replace: card.id })} />}
                          <IconButton size="small" label={say('Duplicate')} icon={<IconCopy {...small} />} onClick={() => { const made = model.duplicateCard(draft, card.id); set(made.draft); set_chosen(made.id); }} />
                          {tabs.length > 1 && (
                            <Menu withinPortal>
                              <Menu.Target><IconButton size="small" label={say('Move to another tab')} icon={<IconLayoutRows {...small} />} /></Menu.Target>
                              <Menu.Dropdown>{tabs.filter((item) => item.id !== tab).map((item) => <Menu.Item key={item.id} onClick={() => set(model.moveCardToTab(draft, card.id, item.id))}>{item.name}</Menu.Item>)}</Menu.Dropdown>
                            </Menu>
                          )}
                          <IconButton size="small" label={say('Remove from the dashboard')} icon={<IconX {...small} />} onClick={() => remove(card.id)} />
                        </div>
                      )}
                    </>
                  ),
                };
              }}
            </EditGrid>
            )}
          </div>
        </div>
        {open?.kind === 'add' && <AddDrawer start={dashboard.collection_id} onAdd={add_question} onClose={() => set_open(null)} onNew={(kind) => go(kind === 'builder' ? paths.builder() : paths.sql())} />}
        {look_card && <LookDrawer key={look_card.id} dashboard={dashboard.id} dashcard={as_saved(look_card)} parameters={start.parameters as Parameter[]} values={values} onChange={(settings) => set(model.setSettings(latest.current, look_card.id, settings), `look/${look_card.id}`)} onClose={() => set_open(null)} />}
        {parameter && (
          <FilterDrawer
            key={parameter.id} dashboard={dashboard.id} parameter={parameter} others={parameters.filter((item) => item.id !== parameter.id)} cards={cards} options={options} loading={loading} chosen={chosen} onPick={set_chosen}
            onChange={(next) => set(model.setParameter(latest.current, next))} onLink={link}
            onLinkAll={(links) => set(links.reduce((out, item) => model.setMapping(out, item.card, parameter.id, item.target), latest.current))}
            onRemove={() => { const before = draft; set(model.removeParameter(draft, parameter.id)); set_open(null); toast(say('Removed the filter “{{name}}”.', { name: parameter.name }), { undo: () => set(before) }); }}
            onClose={() => set_open(null)}
          />
        )}
      </div>
      <ConfirmDialog opened={cancelling} onClose={() => set_cancelling(false)} title={say('Discard your changes?')} confirm={say('Discard changes')} danger onConfirm={cancel}><p>{changes === 1 ? say('1 change has not been saved.') : say('{{n}} changes have not been saved.', { n: changes })}</p></ConfirmDialog>
      <ConfirmDialog opened={leaving_tab !== null} onClose={() => set_leaving_tab(null)} title={say('Remove this tab and its cards?')} confirm={say('Remove tab')} danger onConfirm={() => { if (leaving_tab !== null) set(model.removeTab(draft, leaving_tab)); set_leaving_tab(null); }}><p>{say('The questions themselves stay where they are. Undo brings the tab back until you save.')}</p></ConfirmDialog>
      <UnsavedGuard dirty={dirty} allow={() => allowed.current} onSave={save} />
    </div>
  );
}

function NameField({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  const [text, set_text] = useState(name);
  const [seen, set_seen] = useState(name);
  if (seen !== name) {
    set_seen(name);
    set_text(name);
  }
  const done = () => (text.trim() === '' ? set_text(name) : text.trim() !== name && onChange(text.trim()));
  return <input className={styles.edit_name} value={text} aria-label={say('Name of the dashboard')} onChange={(event) => set_text(event.currentTarget.value)} onBlur={done} onKeyDown={(event) => { if (event.key === 'Enter') event.currentTarget.blur(); if (event.key === 'Escape') { set_text(name); event.stopPropagation(); } }} maxLength={254} />;
}
function TabName({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  const [text, set_text] = useState(name);
  const done = () => text.trim() !== '' && text.trim() !== name && onChange(text.trim());
  return <TextInput value={text} onChange={(event) => set_text(event.currentTarget.value)} onBlur={done} onKeyDown={(event) => { event.stopPropagation(); if (event.key === 'Enter') done(); }} aria-label={say('Name of the tab')} m={4} maxLength={60} />;
}
