import { describe, expect, it } from 'vitest';
import { missingValues, parametersOf, parseSql, syncTags, valuesToSend, type TagMap } from './tags';

const ids = () => {
  let next = 0;
  return () => `id${next++}`;
};

describe('variables of an SQL text', () => {
  it('are found outside comments, and known to be optional inside brackets', () => {
    const { tags, blocks, problems } = parseSql("SELECT 1 -- {{no}}\nWHERE a = {{ a }} [[AND b = {{b}}]] /* {{c}} */ '{{d}}'");
    expect(tags.map((tag) => [tag.name, tag.optional])).toEqual([['a', false], ['b', true], ['d', false]]);
    expect(blocks).toHaveLength(1);
    expect(problems).toEqual([]);
  });
  it('inside a block a comment is text', () => {
    expect(parseSql('WHERE d = [[ {{d}} --]] CURRENT_DATE').tags.map((tag) => tag.name)).toEqual(['d']);
  });
  it('know snippets and questions, and take the last two of three braces', () => {
    expect(parseSql('{{snippet: Active}} {{#42-orders}} {{{x}}').tags.map((tag) => [tag.kind, tag.name])).toEqual([['snippet', 'snippet: Active'], ['card', '#42-orders'], ['variable', 'x']]);
  });
  it('say where brackets do not close', () => {
    expect(parseSql('a {{b').problems[0]).toEqual({ at: 2, sentence: 'unclosed_tag' });
    expect(parseSql('[[ a {{b}}').problems[0]?.sentence).toBe('unclosed_block');
    expect(parseSql('{{ }}').problems[0]?.sentence).toBe('empty_tag');
    expect(parseSql('[[ a ]]').problems[0]?.sentence).toBe('block_without_tag');
  });
});

describe('keeping what was said about them', () => {
  const before: TagMap = { since: { id: 'x', name: 'since', 'display-name': 'Since', type: 'date', required: true, default: '2026-01-01' } };
  it('keeps known ones and leaves an unchanged text alone', () => {
    expect(syncTags('{{since}}', before)).toBe(before);
    expect(syncTags('{{since}} {{city_name}}', before, ids())).toEqual({ ...before, city_name: { id: 'id0', name: 'city_name', 'display-name': 'City Name', type: 'text' } });
  });
  it('follows a rename while it is typed', () => {
    expect(syncTags('{{since_when}}', before, ids())['since_when']).toMatchObject({ id: 'x', type: 'date', 'display-name': 'Since When', default: '2026-01-01' });
  });
  it('drops what is gone', () => {
    expect(syncTags('SELECT 1', before)).toEqual({});
  });
  it('points at saved questions', () => {
    expect(syncTags('{{#42-orders}}', {}, ids())['#42-orders']).toMatchObject({ type: 'card', 'card-id': 42 });
  });
});

describe('values', () => {
  const tags: TagMap = {
    a: { id: '1', name: 'a', 'display-name': 'A', type: 'number' },
    b: { id: '2', name: 'b', 'display-name': 'B', type: 'dimension', 'widget-type': 'string/=', dimension: ['field', 3, null] },
    c: { id: '3', name: 'c', 'display-name': 'C', type: 'text', default: 'x' },
    'snippet: s': { id: '4', name: 'snippet: s', 'display-name': 's', type: 'snippet' },
  };
  it('are sent with their targets, defaults included, nothing for what was not asked', () => {
    expect(valuesToSend(tags, { a: 5, b: 'Lamp' })).toEqual([
      { id: '1', type: 'number/=', target: ['variable', ['template-tag', 'a']], value: 5 },
      { id: '2', type: 'string/=', target: ['dimension', ['template-tag', 'b']], value: ['Lamp'] },
      { id: '3', type: 'category', target: ['variable', ['template-tag', 'c']], value: 'x' },
    ]);
    expect(valuesToSend(tags, { c: null })).toEqual([{ id: '3', type: 'category', target: ['variable', ['template-tag', 'c']], value: null }]);
  });
  it('are missing only where the query cannot run without', () => {
    expect(missingValues('{{a}} [[{{c}}]] {{b}}', tags, { c: null }).map((tag) => tag.name)).toEqual(['a']);
    expect(missingValues('[[{{a}}]] {{b}}', tags, {})).toEqual([]);
  });
  it('become parameters of the saved card', () => {
    expect(parametersOf(tags).map((parameter) => [parameter.slug, parameter.type, parameter.default])).toEqual([['a', 'number/=', undefined], ['b', 'string/=', undefined], ['c', 'category', 'x']]);
  });
});
