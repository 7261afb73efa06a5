import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/app/tokens.css', 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');

function values(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(selector));
  const body = block.slice(block.indexOf('{') + 1, block.indexOf('}'));
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [match[1], match[2].trim()]));
}

const light = values(':root');
const themes = { light, dark: { ...light, ...values('[data-theme="dark"]') } };

function luminance(hex: string): number {
  const channels = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r, g, b] = channels.map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const grounds = ['--canvas', '--surface', '--raised', '--sunken', '--hover'];
const words = ['--ink', '--text', '--muted'];
const hues = ['brand', 'ember', 'violet', 'green', 'amber', 'red'];
const steps = ['data', 'join', 'column', 'filter', 'summarize', 'sort', 'limit'];

describe.each(Object.entries(themes))('contrast in the %s theme', (_name, token) => {
  it('knows every token in both themes as a plain colour where it is one', () => {
    for (const name of [...grounds, ...words]) expect(token[name]).toMatch(/^#[0-9A-F]{6}$/i);
  });

  it.each(words.flatMap((word) => grounds.map((ground) => [word, ground])))('%s on %s reads (4.5)', (word, ground) => {
    expect(contrast(token[word], token[ground])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(hues)('words in %s read on surface, canvas and their tint (4.5)', (hue) => {
    for (const ground of ['--surface', '--canvas', `--${hue}-tint`]) expect(contrast(token[`--${hue}-text`], token[ground])).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ['--on-brand', '--brand'],
    ['--on-ember', '--ember'],
    ['--on-green', '--green-fill'],
    ['--bar-text', '--bar'],
    ['--bar-muted', '--bar'],
    ['--bar-muted', '--bar-field'],
    ['--dock-text', '--dock'],
    ['--menu-admin-text', '--menu-admin'],
    ['--chart-label', '--surface'],
  ])('%s on %s reads (4.5)', (word, ground) => {
    expect(contrast(token[word], token[ground])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(steps)('words of the builder step %s read on its tint (4.5)', (step) => {
    expect(contrast(token[`--step-${step}-text`], token[`--step-${step}-tint`])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(grounds)('control edges and the focus ring are seen on %s (3)', (ground) => {
    expect(contrast(token['--line-control'], token[ground])).toBeGreaterThanOrEqual(3);
    expect(contrast(token['--focus'], token[ground])).toBeGreaterThanOrEqual(3);
  });

  it.each([1, 2, 3, 4, 5])('white letters read on avatar %i (4.5)', (number) => {
    expect(contrast('#FFFFFF', token[`--avatar-${number}`])).toBeGreaterThanOrEqual(4.5);
  });
});
