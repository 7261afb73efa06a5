// Every text of the app is there in every language, with the same places for values.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { i18next, type Strings, type Texts } from '@/lib/i18n';
import de from './de';

const root = join(__dirname, '..');
const sources = (readdirSync(root, { recursive: true }) as string[]).filter((file) => /\.tsx?$/.test(file) && !/\.test\./.test(file) && !file.startsWith('locales'));

const sentences = new Set<string>();
for (const file of sources) {
  const text = readFileSync(join(root, file), 'utf8');
  for (const found of text.matchAll(/\bsay\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\$]|\\.)*)`)/g))
    sentences.add((found[1] ?? found[2] ?? found[3]!).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)));
}
await Promise.all(Object.values(import.meta.glob('../**/strings.ts')).map((load) => load()));

function flat(strings: Strings, prefix = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(strings)) {
    if (typeof value === 'string') out.set(prefix + key, value);
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) out.set(inner, text);
  }
  return out;
}
const marks = (text: string) => [...text.matchAll(/\{\{\s*\w+\s*\}\}|<\/?\w+>/g)].map((found) => found[0].replace(/\s/g, '')).sort();

describe.each<[string, Texts]>([['de', de]])('%s', (_, { words, sentences: translated }) => {
  it('has every sentence', () => {
    expect(sentences.size).toBeGreaterThan(500);
    expect([...sentences].filter((sentence) => translated[sentence] === undefined)).toEqual([]);
  });

  it('keeps the places for values in sentences', () => {
    expect(Object.entries(translated).filter(([english, text]) => marks(english).join() !== marks(text).join())).toEqual([]);
  });

  const namespaces = Object.keys(i18next.getDataByLanguage('en') ?? {}).filter((name) => name !== 'common');
  it.each(namespaces)('has every text of %s', (namespace) => {
    const english = flat(i18next.getResourceBundle('en', namespace) as Strings);
    const other = flat(words[namespace] ?? {});
    expect([...english.keys()].filter((key) => !other.has(key))).toEqual([]);
    expect([...other.keys()].filter((key) => !english.has(key))).toEqual([]);
    // A singular may do without its number.
    expect([...english].filter(([key, text]) => !key.endsWith('_one') && marks(text).join() !== marks(other.get(key)!).join()).map(([key]) => key)).toEqual([]);
  });
});
