import { Fragment, type ReactNode } from 'react';

/*
 * Markdown to elements. Nothing is ever handed to the browser as HTML, so a text cannot carry scripts; links and
 * pictures only lead to addresses that are safe to follow.
 */

/** An address that may be followed: http, https, mailto, or inside the app. null for all others. */
export function safeAddress(address: string): string | null {
  const text = address.trim();
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\s]/.test(text)) return null;
  if (/^(https?:|mailto:)/i.test(text)) return text;
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith('//')) return null;
  return /^[/#?]/.test(text) ? text : /^[\w-]+(\.[\w-]+)+([/?#]|$)/.test(text) ? `https://${text}` : null;
}

const INLINE = /(`+)([\s\S]+?)\1|!\[([^\]]*)\]\(\s*([^)\s]+)\s*(?:"[^"]*")?\)|\[([^\]]+)\]\(\s*([^)\s]+)\s*(?:"[^"]*")?\)|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|~~([\s\S]+?)~~|\*([^*\s][\s\S]*?)\*|(?<![\w])_([^_\s][\s\S]*?)_(?![\w])|(https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])|\\([\\`*_{}[\]()#+\-.!~|>])|( {2,}\n|\\\n)/g;

export function inline(text: string): ReactNode[] {
  const out: ReactNode[] = [];
  let last = 0;
  let key = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > last) out.push(text.slice(last, match.index));
    last = match.index + match[0].length;
    const [whole, , code, image, image_at, link, link_at, strong, strong2, struck, em, em2, bare, escaped, hard] = match;
    const id = key++;
    const place = safeAddress(link_at ?? bare ?? image_at ?? '');
    if (code !== undefined) out.push(<code key={id}>{code}</code>);
    else if (image !== undefined) out.push(place && /^https?:|^\//.test(place) ? <img key={id} src={place} alt={image} loading="lazy" referrerPolicy="no-referrer" /> : image);
    else if (link !== undefined) out.push(place ? <a key={id} href={place} {...outside(place)}>{inline(link)}</a> : <Fragment key={id}>{inline(link)}</Fragment>);
    else if (strong ?? strong2) out.push(<strong key={id}>{inline((strong ?? strong2)!)}</strong>);
    else if (struck !== undefined) out.push(<s key={id}>{inline(struck)}</s>);
    else if (em ?? em2) out.push(<em key={id}>{inline((em ?? em2)!)}</em>);
    else if (bare !== undefined) out.push(place ? <a key={id} href={place} {...outside(place)}>{bare}</a> : bare);
    else if (escaped !== undefined) out.push(escaped);
    else if (hard !== undefined) out.push(<br key={id} />);
    else out.push(whole);
  }
  if (last < text.length) out.push(text.slice(last));
  return out;
}
const outside = (place: string) => (/^https?:/i.test(place) ? { target: '_blank', rel: 'noopener noreferrer nofollow' } : {});

/** Blocks: headings, lists, quotes, code, tables, rules, paragraphs. */
export function blocks(text: string, key = ''): ReactNode[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const out: ReactNode[] = [];
  let at = 0;
  const id = () => `${key}${at}`;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line.trim() === '') {
      at++;
      continue;
    }
    const fence = /^\s*(```|~~~)/.exec(line);
    if (fence) {
      const start = id();
      const body: string[] = [];
      for (at++; at < lines.length && !lines[at]!.trim().startsWith(fence[1]!); at++) body.push(lines[at]!);
      at++;
      out.push(<pre key={start} tabIndex={0}><code>{body.join('\n')}</code></pre>);
      continue;
    }
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line);
    if (heading) {
      // The page's title is level 1, a card's heading level 2: texts start below.
      const Level = `h${Math.min(6, heading[1]!.length + 2)}` as 'h3';
      out.push(<Level key={id()} data-level={heading[1]!.length}>{inline(heading[2]!)}</Level>);
      at++;
      continue;
    }
    if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.push(<hr key={id()} />);
      at++;
      continue;
    }
    if (/^\s*>/.test(line)) {
      const start = id();
      const body: string[] = [];
      while (at < lines.length && /^\s*>/.test(lines[at]!)) body.push(lines[at++]!.replace(/^\s*>\s?/, ''));
      out.push(<blockquote key={start}>{blocks(body.join('\n'), `${start}.`)}</blockquote>);
      continue;
    }
    if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      const start = id();
      const [list, next] = readList(lines, at, `${start}.`);
      at = next;
      out.push(<Fragment key={start}>{list}</Fragment>);
      continue;
    }
    if (line.includes('|') && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] ?? '')) {
      const start = id();
      const cells = (row: string) => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
      const align = cells(lines[at + 1]!).map((cell) => (/^:-+:$/.test(cell) ? 'center' : /-+:$/.test(cell) ? 'end' : 'start') as 'start');
      const head = cells(line);
      const body: string[][] = [];
      for (at += 2; at < lines.length && lines[at]!.includes('|'); at++) body.push(cells(lines[at]!));
      out.push(
        <table key={start}>
          <thead><tr>{head.map((cell, i) => <th key={i} style={{ textAlign: align[i] }}>{inline(cell)}</th>)}</tr></thead>
          <tbody>{body.map((row, i) => <tr key={i}>{head.map((_, j) => <td key={j} style={{ textAlign: align[j] }}>{inline(row[j] ?? '')}</td>)}</tr>)}</tbody>
        </table>,
      );
      continue;
    }
    const start = id();
    const body = [line];
    for (at++; at < lines.length && lines[at]!.trim() !== '' && !/^\s{0,3}(#{1,6}\s|>|```|~~~|([-*+]|\d+[.)])\s)/.test(lines[at]!); at++) body.push(lines[at]!);
    out.push(<p key={start}>{inline(body.join('\n'))}</p>);
  }
  return out;
}
function readList(lines: string[], from: number, key: string): [ReactNode, number] {
  const indent = /^\s*/.exec(lines[from]!)![0].length;
  const ordered = /^\s*\d+[.)]/.test(lines[from]!);
  const items: { text: string; nested: ReactNode }[] = [];
  let at = from;
  while (at < lines.length) {
    const line = lines[at]!;
    const item = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/.exec(line);
    const depth = /^\s*/.exec(line)![0].length;
    if (item && depth > indent && items.length > 0) {
      const [nested, next] = readList(lines, at, `${key}${at}.`);
      const last = items[items.length - 1]!;
      last.nested = <>{last.nested}{nested}</>;
      at = next;
    } else if (item && depth === indent && /^\d/.test(item[2]!) === ordered) {
      items.push({ text: item[3]!, nested: null });
      at++;
    } else if (!item && line.trim() !== '' && depth > indent && items.length > 0) {
      items[items.length - 1]!.text += `\n${line.trim()}`;
      at++;
    } else break;
  }
  const body = items.map((item, i) => {
    const task = /^\[([ xX])\]\s+(.*)$/s.exec(item.text);
    return <li key={`${key}${i}`} data-task={task ? true : undefined}>{task ? <><input type="checkbox" checked={task[1] !== ' '} readOnly disabled /> {inline(task[2]!)}</> : inline(item.text)}{item.nested}</li>;
  });
  return [ordered ? <ol key={key}>{body}</ol> : <ul key={key}>{body}</ul>, at];
}

export function Markdown({ text, className }: { text: string; className?: string }) {
  return <div className={className}>{blocks(text)}</div>;
}
