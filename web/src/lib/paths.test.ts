import { describe, expect, it } from 'vitest';
import { decode_card_hash, encode_card_hash, id_of_slug, item_path, paths, slug } from './paths';
import { parse_search, write_search } from './navigate';

describe('addresses', () => {
  it('carry the id and words of the name', () => {
    expect(paths.card({ id: 27, name: 'Umsätze, by month!' })).toBe('/question/27-umsatze-by-month');
    expect(paths.collection({ id: 5 })).toBe('/collection/5');
    expect(paths.collection({ id: null })).toBe('/collection/root');
    expect(paths.collection({ id: 'trash' })).toBe('/trash');
    expect(slug('日本')).toBe('');
    expect(paths.dashboard({ id: 3, name: '日本' })).toBe('/dashboard/3');
  });

  it('give the id back, whatever the words', () => {
    expect(id_of_slug('27-sales')).toBe(27);
    expect(id_of_slug('27')).toBe(27);
    expect(id_of_slug('27sales')).toBeUndefined();
    expect(id_of_slug('root')).toBeUndefined();
    expect(id_of_slug(undefined)).toBeUndefined();
  });

  it('keep a query of any letters in the hash', () => {
    const card = { dataset_query: { database: 1, native: { query: "select '€ 日本' -- \u{1F600}" } } };
    expect(decode_card_hash(`#${encode_card_hash(card)}`)).toEqual(card);
    expect(decode_card_hash(encodeURIComponent(encode_card_hash(card)))).toEqual(card);
    expect(decode_card_hash('#not base64!')).toBeUndefined();
    expect(decode_card_hash('')).toBeUndefined();
  });

  it('go back to a page of this server only when signing in', () => {
    expect(paths.sign_in('/')).toBe('/auth/login');
    expect(paths.sign_in('/dashboard/3?tab=2')).toBe('/auth/login?redirect=%2Fdashboard%2F3%3Ftab%3D2');
  });

  it('lead from an item to its page', () => {
    expect(item_path({ model: 'metric', id: 3, name: 'Rate' })).toBe('/question/3-rate');
    expect(item_path({ model: 'dashboard', id: 3 })).toBe('/dashboard/3');
    expect(decode_card_hash(item_path({ model: 'table', id: 9, database_id: 2 }).split('#')[1])).toMatchObject({ dataset_query: { database: 2, query: { 'source-table': 9 } } });
  });
});

describe('search parameters', () => {
  it('are plain text, lists are repeated', () => {
    expect(parse_search('?state=CA&state=NY&date=past12months&tab=2')).toEqual({ state: ['CA', 'NY'], date: 'past12months', tab: '2' });
    expect(write_search({ state: ['CA', 'NY'], tab: 2, gone: undefined, no: null })).toBe('?state=CA&state=NY&tab=2');
    expect(write_search({})).toBe('');
  });

  it('survive a round trip with odd letters', () => {
    const search = { a: 'x&y=z', b: ['1', ' '], c: '€' };
    expect(parse_search(write_search(search))).toEqual(search);
  });
});
