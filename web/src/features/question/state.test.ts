import { describe, expect, it } from 'vitest';
import type { Card } from '../../api/types';
import { addAggregation, addBreakout, addFilter } from '../../query/edit';
import { readQuery, writeQuery, tableQuery } from '../../query/read';
import { addressOf, asksItself, draftOf, drilled, isChanged, runKey, sameData, shownAs, withQuery, type Draft } from './state';

const query = writeQuery(tableQuery(1, 2));
const card = { id: 12, name: 'Orders', display: 'line', dataset_query: query, visualization_settings: { 'graph.show_values': true, 'graph.metrics': ['sum'] }, updated_at: 'now' } as unknown as Card;
const draft = (more: Partial<Draft> = {}): Draft => ({ ...draftOf('', card)!, ...more });

describe('the draft', () => {
  it('is the saved card until the address says otherwise', () => {
    expect(draftOf('', card)?.display).toBe('line');
    expect(draftOf('', null)).toBeNull();
    const hash = addressOf(draft({ display: 'bar' }), null).split('#')[1]!;
    expect(draftOf(hash, card)).toMatchObject({ display: 'bar', original_card_id: 12 });
    expect(draftOf('%%%', card)?.display).toBe('line');
  });
  it('stays on the card\'s page while it is changed', () => {
    expect(addressOf(draft(), '/question/12-orders')).toMatch(/^\/question\/12-orders#/);
  });
  it('counts as changed by query, display or settings, not by the order of keys', () => {
    expect(isChanged(draft(), card)).toBe(false);
    expect(isChanged(draft({ visualization_settings: { 'graph.metrics': ['sum'], 'graph.show_values': true } }), card)).toBe(false);
    expect(isChanged(draft({ display: 'bar' }), card)).toBe(true);
    expect(isChanged(draft({ visualization_settings: {} }), card)).toBe(true);
    expect(isChanged(draft(), null)).toBe(true);
  });
});

describe('a new query', () => {
  const base = readQuery(query)!;
  it('keeps the display when only a filter is added', () => {
    expect(withQuery(draft(), addFilter(base, 0, ['=', ['field', 3, null], 1])).display).toBe('line');
  });
  it('looks for its own display when it is summarized anew', () => {
    const next = withQuery(draft(), addBreakout(addAggregation(base, 0, ['count']), 0, ['field', 3, null]));
    expect(next.display).toBeUndefined();
    expect(next.visualization_settings).toEqual({ 'graph.show_values': true });
    const columns = [{ name: 'a', display_name: 'A', base_type: 'type/Text', source: 'breakout' }, { name: 'count', display_name: 'Count', base_type: 'type/Integer', source: 'aggregation' }];
    expect(shownAs(next, columns, [['x', 1], ['y', 2]]).display).toBe('bar');
  });
  it('starts a question of its own when drilled into', () => {
    expect(drilled(draft(), base)).toMatchObject({ visualization_settings: {}, original_card_id: 12 });
  });
});

describe('a question about a saved question', () => {
  it('is never saved over the one it reads', () => {
    expect(asksItself(draft({ dataset_query: { database: 1, type: 'query', query: { 'source-table': 'card__12' } } }), card)).toBe(true);
    expect(asksItself(draft({ dataset_query: { database: 1, type: 'query', query: { 'source-table': 'card__121' } } }), card)).toBe(false);
    expect(asksItself(draft(), null)).toBe(false);
  });
});

describe('what runs', () => {
  it('is the saved card while its data is the same', () => {
    expect(runKey(draft(), card, false, null)).toMatch(/^card\/12/);
    expect(runKey(draft(), card, true, null)).toMatch(/^query/);
    expect(sameData(draft({ display: 'bar' }), card)).toBe(true);
  });
});
