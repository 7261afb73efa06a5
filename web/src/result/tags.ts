import type { Parameter, ParameterValue, TemplateTag } from '../api/types';

/** A `{{…}}` of an SQL text. */
export interface FoundTag {
  name: string;
  kind: 'variable' | 'snippet' | 'card';
  /** Place of the braces in the text. */
  from: number;
  to: number;
  /** Inside `[[ ]]`: that part is left out while there is no value. */
  optional: boolean;
}
export interface FoundBlock {
  from: number;
  to: number;
}
export interface ParsedSql {
  tags: FoundTag[];
  blocks: FoundBlock[];
  /** Where brackets do not close, or a `{{}}` names nothing. */
  problems: { at: number; sentence: 'unclosed_tag' | 'unclosed_block' | 'empty_tag' | 'block_without_tag' }[];
}

/** Finds variables the way the server does: comments are text, except inside an optional block. */
export function parseSql(sql: string): ParsedSql {
  const tags: FoundTag[] = [];
  const blocks: FoundBlock[] = [];
  const problems: ParsedSql['problems'] = [];
  const open: { at: number; tags: number }[] = [];
  let at = 0;
  while (at < sql.length) {
    const two = sql.slice(at, at + 2);
    if (open.length === 0 && two === '--') {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end;
    } else if (open.length === 0 && two === '/*') {
      const end = sql.indexOf('*/', at + 2);
      at = end < 0 ? sql.length : end + 2;
    } else if (two === '[[') {
      open.push({ at, tags: tags.length });
      at += 2;
    } else if (two === ']]' && open.length > 0) {
      const begun = open.pop()!;
      blocks.push({ from: begun.at, to: at + 2 });
      if (begun.tags === tags.length) problems.push({ at: begun.at, sentence: 'block_without_tag' });
      at += 2;
    } else if (two === '{{') {
      // Of three braces the last two count.
      while (sql[at + 2] === '{') at += 1;
      const end = sql.indexOf('}}', at + 2);
      if (end < 0) {
        problems.push({ at, sentence: 'unclosed_tag' });
        break;
      }
      const inner = sql.slice(at + 2, end).trim();
      if (inner === '') problems.push({ at, sentence: 'empty_tag' });
      else tags.push({ name: inner, kind: /^snippet:/i.test(inner) ? 'snippet' : inner.startsWith('#') ? 'card' : 'variable', from: at, to: end + 2, optional: open.length > 0 });
      at = end + 2;
    } else at += 1;
  }
  for (const begun of open) problems.push({ at: begun.at, sentence: 'unclosed_block' });
  return { tags, blocks: blocks.sort((a, b) => a.from - b.from), problems };
}

export type TagMap = Record<string, TemplateTag>;
const title = (name: string): string => name.replace(/[_-]+/g, ' ').replace(/(^|\s)\S/g, (letter) => letter.toUpperCase()).trim();

export function newId(): string {
  return typeof crypto !== 'undefined' && 'randomUUID' in crypto ? crypto.randomUUID() : `${Date.now().toString(16)}-${Math.random().toString(16).slice(2, 10)}`;
}

/**
 * The tags of a text: known ones keep what was said about them, new ones are texts, gone ones are dropped.
 * When exactly one name went and one came, it was renamed. Gives the same object when nothing changed.
 */
export function syncTags(sql: string, before: TagMap, make_id: () => string = newId): TagMap {
  const found = parseSql(sql).tags;
  const names = [...new Set(found.map((tag) => tag.name))];
  const gone = Object.keys(before).filter((name) => !names.includes(name));
  const fresh = names.filter((name) => !(name in before));
  if (gone.length === 0 && fresh.length === 0 && names.every((name, index) => Object.keys(before)[index] === name)) return before;
  const renamed = gone.length === 1 && fresh.length === 1 ? before[gone[0]!] : undefined;
  const tags: TagMap = {};
  for (const name of names) {
    const kind = found.find((tag) => tag.name === name)!.kind;
    if (before[name]) tags[name] = before[name]!;
    else if (renamed && kind === 'variable' && renamed.type !== 'snippet' && renamed.type !== 'card')
      tags[name] = { ...renamed, name, 'display-name': renamed['display-name'] === title(renamed.name) ? title(name) : renamed['display-name'] };
    else if (kind === 'snippet') tags[name] = { id: make_id(), name, 'display-name': title(name), type: 'snippet', 'snippet-name': name.replace(/^snippet:\s*/i, '') };
    else if (kind === 'card') tags[name] = { id: make_id(), name, 'display-name': name, type: 'card', 'card-id': Number(/^#(\d+)/.exec(name)?.[1] ?? 0) };
    else tags[name] = { id: make_id(), name, 'display-name': title(name), type: 'text' };
  }
  return tags;
}

/** What a variable is asked for as. */
export function parameterType(tag: TemplateTag): string {
  switch (tag.type) {
    case 'number': return 'number/=';
    case 'date': return 'date/single';
    case 'boolean': return 'boolean/=';
    case 'dimension': return tag['widget-type'] && tag['widget-type'] !== 'none' ? tag['widget-type'] : 'category';
    default: return 'category';
  }
}
export function isAsked(tag: TemplateTag): boolean {
  return tag.type !== 'snippet' && tag.type !== 'card' && !(tag.type === 'dimension' && tag['widget-type'] === 'none');
}
export function tagTarget(tag: TemplateTag): unknown {
  return [tag.type === 'dimension' ? 'dimension' : 'variable', ['template-tag', tag.name]];
}
/** Parameters as a saved card keeps them. */
export function parametersOf(tags: TagMap): Parameter[] {
  return Object.values(tags).filter(isAsked).map((tag) => ({
    id: tag.id, name: tag['display-name'], slug: tag.name, type: parameterType(tag), target: tagTarget(tag),
    ...(tag.default !== undefined && tag.default !== null ? { default: tag.default } : {}), ...(tag.required ? { required: true } : {}),
  }));
}

export type TagValues = Record<string, unknown>;
export const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** The value in force: what was typed, else the default. An emptied field (null) means no value. */
export function valueOf(tag: TemplateTag, values: TagValues): unknown {
  return tag.name in values ? values[tag.name] : tag.default;
}
export function valuesToSend(tags: TagMap, values: TagValues): ParameterValue[] {
  return Object.values(tags).filter(isAsked).flatMap((tag): ParameterValue[] => {
    const typed = tag.name in values;
    const value = valueOf(tag, values);
    if (isEmpty(value) && !typed) return [];
    const plain = isEmpty(value) ? null : tag.type === 'dimension' && !Array.isArray(value) && /^(string|number|boolean|id|location|category)/.test(parameterType(tag)) ? [value] : value;
    return [{ id: tag.id, type: parameterType(tag), target: tagTarget(tag), value: plain }];
  });
}
/** Variables that must have a value and have none: required ones, and plain ones outside `[[ ]]`. */
export function missingValues(sql: string, tags: TagMap, values: TagValues): TemplateTag[] {
  const found = parseSql(sql).tags;
  return Object.values(tags).filter((tag) => {
    if (!isAsked(tag) || !isEmpty(valueOf(tag, values))) return false;
    if (tag.required) return true;
    return tag.type !== 'dimension' && found.some((one) => one.name === tag.name && !one.optional);
  });
}
