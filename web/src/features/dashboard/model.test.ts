import { describe, expect, it } from 'vitest';
import type { Card, DashCard, Dashboard } from '@/api/types';
import * as model from './model';
import { parametersFor, searchOf, valuesOf } from './values';

const card = (id: number, row: number, col: number, size_x: number, size_y: number, rest: Partial<DashCard> = {}): DashCard => ({ id, card_id: id * 10, row, col, size_x, size_y, parameter_mappings: [], visualization_settings: {}, ...rest });
const draft = (...dashcards: DashCard[]): model.Draft => model.draftOf({ id: 1, name: 'D', description: null, collection_id: null, parameters: [], tabs: [], dashcards } as unknown as Dashboard);
const question = { id: 70, name: 'Q' } as unknown as Card;
const where = (out: model.Draft, id: number) => { const found = out.dashcards.find((item) => item.id === id)!; return [found.row, found.col, found.size_x, found.size_y]; };

describe('placing cards', () => {
  it('fills the first gap from the top left', () => {
    const start = draft(card(1, 0, 0, 12, 4), card(2, 4, 0, 24, 2));
    const made = model.addCard(start, null, question, { width: 10, height: 4 });
    expect(where(made.draft, made.id)).toEqual([0, 12, 10, 4]);
    const big = model.addCard(start, null, question, { width: 14, height: 4 });
    expect(where(big.draft, big.id)).toEqual([6, 0, 14, 4]);
  });
  it('gives new cards ids that no saved card has', () => {
    const once = model.addVirtual(draft(card(1, 0, 0, 4, 4)), null, 'text');
    const twice = model.addVirtual(once.draft, null, 'heading');
    expect([once.id, twice.id]).toEqual([-1, -2]);
  });
  it('moves by cells, stays on the grid, and pushes down what it would cover', () => {
    const start = draft(card(1, 0, 0, 6, 3), card(2, 3, 0, 6, 3), card(3, 6, 0, 6, 2));
    const down = model.nudge(start, 1, { row: 1 });
    expect(where(down, 1)).toEqual([1, 0, 6, 3]);
    expect(where(down, 2)).toEqual([4, 0, 6, 3]);
    expect(where(down, 3)).toEqual([7, 0, 6, 2]);
    expect(model.nudge(start, 1, { col: -1 })).toBe(start);
    expect(where(model.nudge(start, 1, { width: 30 }), 1)[2]).toBe(24);
    expect(where(model.nudge(start, 1, { height: -9 }), 1)[3]).toBe(1);
  });
  it('makes room where a card is dropped, and leaves no two cards over each other', () => {
    const start = draft(card(1, 0, 0, 14, 5), card(2, 0, 14, 10, 5), card(3, 5, 0, 9, 6), card(4, 5, 9, 11, 6), card(5, 5, 20, 4, 6));
    const out = model.place(start, { id: 1, row: 3, col: 4, size_x: 14, size_y: 5 });
    expect(where(out, 1)).toEqual([3, 4, 14, 5]);
    for (const a of out.dashcards) for (const b of out.dashcards) if (a.id < b.id) expect(a.col < b.col + b.size_x && b.col < a.col + a.size_x && a.row < b.row + b.size_y && b.row < a.row + a.size_y, `${a.id} and ${b.id}`).toBe(false);
  });
  it('makes no step when the grid reports what is there already', () => {
    const start = draft(card(1, 0, 0, 6, 3));
    expect(model.setPlaces(start, [{ id: 1, row: 0, col: 0, size_x: 6, size_y: 3 }])).toBe(start);
  });
  it('duplicates without taking the identity along', () => {
    const made = model.duplicateCard(draft(card(1, 0, 0, 6, 3, { entity_id: 'x' })), 1);
    expect(made.draft.dashcards[1]).toMatchObject({ id: -1, card_id: 10, col: 6 });
    expect(made.draft.dashcards[1]).not.toHaveProperty('entity_id');
  });
});
describe('tabs', () => {
  it('come in twos: the first takes the cards that are there', () => {
    const made = model.addTab(draft(card(1, 0, 0, 6, 3)), 'New', 'First');
    expect(made.draft.tabs.map((tab) => tab.name)).toEqual(['First', 'New']);
    expect(made.draft.dashcards[0]!.dashboard_tab_id).toBe(made.draft.tabs[0]!.id);
    expect(model.cardsOn(made.draft.dashcards, made.id)).toEqual([]);
    const moved = model.moveCardToTab(made.draft, 1, made.id);
    expect(model.cardsOn(moved.dashcards, made.id)).toHaveLength(1);
    expect(model.removeTab(moved, made.id).dashcards).toEqual([]);
  });
});
describe('filters', () => {
  const parameter = { id: 'p', name: 'Category', slug: 'category', type: 'string/=' };
  it('are linked, and unlinked everywhere when removed', () => {
    let out = model.addParameter(draft(card(1, 0, 0, 6, 3)), parameter);
    out = model.setMapping(out, 1, 'p', ['dimension', ['field', 3, null]]);
    expect(out.dashcards[0]!.parameter_mappings).toEqual([{ parameter_id: 'p', card_id: 10, target: ['dimension', ['field', 3, null]] }]);
    expect(model.removeParameter(out, 'p').dashcards[0]!.parameter_mappings).toEqual([]);
    expect(model.setMapping(out, 1, 'p', null).dashcards[0]!.parameter_mappings).toEqual([]);
  });
  it('take their value from the address, else their default', () => {
    const withDefault = { ...parameter, default: ['a'] };
    expect(valuesOf([withDefault], {})).toEqual({ p: ['a'] });
    expect(valuesOf([withDefault], { category: ['b', 'c'] })).toEqual({ p: ['b', 'c'] });
    expect(valuesOf([withDefault], { category: '' })).toEqual({ p: null });
    expect(valuesOf([{ ...withDefault, required: true }], { category: '' })).toEqual({ p: ['a'] });
  });
  it('come back from the address they were written to', () => {
    const list = [{ ...parameter, default: ['a'] }, { id: 'd', name: 'Date', slug: 'date', type: 'date/all-options' }];
    for (const values of [{ p: ['a'], d: null }, { p: null, d: 'past7days~' }, { p: ['x', 'y'], d: '2024-05' }]) expect(valuesOf(list, searchOf(list, values, {}))).toEqual(values);
    expect(searchOf(list, { p: ['a'], d: null }, { tab: '3' })).toEqual({ tab: '3' });
  });
  it('reach only the cards they are linked to, and say when they are empty', () => {
    const mappings = [{ parameter_id: 'p', card_id: 1, target: ['dimension', ['field', 3, null]] }, { parameter_id: 'gone', card_id: 1, target: ['dimension', 1] }];
    expect(parametersFor(mappings, [parameter], { p: [] })).toEqual([{ id: 'p', type: 'string/=', target: ['dimension', ['field', 3, null]], value: null }]);
  });
});
describe('saving', () => {
  it('sends bare cards and counts what differs', () => {
    const start = draft(card(1, 0, 0, 6, 3, { card: question }), card(2, 3, 0, 6, 3));
    const after = model.removeCard(model.nudge(start, 1, { col: 2 }), 2);
    expect(model.countChanges(start, after)).toBe(2);
    expect(model.countChanges(start, start)).toBe(0);
    expect(model.payloadOf(after).dashcards[0]).not.toHaveProperty('card');
    expect(model.payloadOf(after).dashcards[0]).toMatchObject({ id: 1, col: 2, series: [] });
  });
});
