import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Markdown, safeAddress } from './markdown';

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />).replace(/^<div>|<\/div>$/g, '');

describe('texts', () => {
  it.each([
    ['# Title', '<h3 data-level="1">Title</h3>'], ['**bold** and *it* and `code`', '<p><strong>bold</strong> and <em>it</em> and <code>code</code></p>'],
    ['- a\n- b\n  - c', '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>'], ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'], ['> quote', '<blockquote><p>quote</p></blockquote>'],
    ['a\n\nb', '<p>a</p><p>b</p>'], ['---', '<hr/>'], ['```\nx < y\n```', '<pre tabindex="0"><code>x &lt; y</code></pre>'], ['snake_case_name', '<p>snake_case_name</p>'], ['\\*not\\*', '<p>*not*</p>'],
    ['[in](/dashboard/3)', '<p><a href="/dashboard/3">in</a></p>'],
    ['[out](https://x.org/a)', '<p><a href="https://x.org/a" target="_blank" rel="noopener noreferrer nofollow">out</a></p>'],
  ])('%j', (text, wanted) => expect(html(text)).toBe(wanted));
  it('make tables', () => expect(html('| a | b |\n|---|--:|\n| 1 | 2 |')).toContain('<td style="text-align:end">2</td>'));
});
describe('what a text may not do', () => {
  it('is to carry HTML', () => expect(html('<script>alert(1)</script><img src=x onerror=alert(1)>')).not.toMatch(/<script|<img/));
  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', '//evil.org', 'java\nscript:x', ' javascript:x', 'file:///etc/passwd'])('is to lead to %j', (address) => {
    expect(safeAddress(address)).toBeNull();
    expect(html(`[x](${address})`)).not.toContain('href');
  });
  it('is to load pictures from odd places', () => expect(html('![x](javascript:alert(1))')).not.toContain('<img'));
});
it('keeps addresses that are safe', () => {
  expect(safeAddress('https://a.org')).toBe('https://a.org');
  expect(safeAddress('/question/1')).toBe('/question/1');
  expect(safeAddress('example.org/x')).toBe('https://example.org/x');
});
