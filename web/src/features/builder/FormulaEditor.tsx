import { TextInput } from '@mantine/core';
import { IconAbc, IconMathFunction, IconRulerMeasure } from '@tabler/icons-react';
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { Button } from '@/ui/Button';
import { callAt, complete, type Completion } from '@/query/formula/complete';
import { parseFormula, usageOf, type FormulaContext } from '@/query/formula/parse';
import { printFormula } from '@/query/formula/print';
import { FormulaError } from '@/query/formula/tokens';
import type { Expression } from '@/query/types';
import { say } from '@/query/words';
import { useFirstFocus } from '@/query/editors/useFirstFocus';
import lists from '@/query/editors/editors.module.css';
import styles from './builder.module.css';

/** Pieces of a formula to colour; a formula that is not finished is coloured too. */
function pieces(text: string): { text: string; kind: string }[] {
  return [...text.matchAll(/\[[^\]]*\]?|"[^"]*"?|'[^']*'?|\d+(?:\.\d+)?|[\p{L}_][\p{L}\p{N}_]*(?=\s*\()|[\s\S]/gu)].map((match) => ({
    text: match[0],
    kind: match[0].startsWith('[') ? 'f_column' : /^["']/.test(match[0]) ? 'f_text' : /^\d/.test(match[0]) ? 'f_number' : match[0].length > 1 ? 'f_call' : '',
  }));
}

/** Writes a custom column, filter or summary as a formula: completion, the place of a mistake, a hint for the call. */
export function FormulaEditor({ context, start, name: start_name, named, onDone, onCancel, confirm }: {
  context: FormulaContext;
  start: Expression | null;
  name?: string;
  /** Must it have a name? */
  named: boolean;
  onDone: (expression: Expression, name: string) => void;
  onCancel: () => void;
  confirm: string;
}) {
  const [text, set_text] = useState(() => (start === null ? '' : printFormula(start, context)));
  const [name, set_name] = useState(start_name ?? '');
  const [cursor, set_cursor] = useState(0);
  const [at, set_at] = useState(0);
  const [hidden, set_hidden] = useState(true);
  const [tried, set_tried] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const root = useRef<HTMLFormElement>(null);
  useFirstFocus(root);
  const id = useId();
  const parsed = useMemo(() => {
    try {
      return { expression: parseFormula(text, context).expression, error: null };
    } catch (error) {
      if (error instanceof FormulaError) return { expression: undefined, error };
      throw error;
    }
  }, [text, context]);
  const found = useMemo(() => complete(text, cursor, context), [text, cursor, context]);
  const options = hidden ? [] : found.options.slice(0, 12);
  const here = Math.min(at, options.length - 1);
  const call = callAt(text, cursor);
  // A mistake at the end is only "not finished yet" while one types there.
  const typing = parsed.error !== null && !tried && parsed.error.end >= text.trimEnd().length - 1 && !/[\])"']\s*$/.test(text);
  const error = parsed.error && text !== '' && !typing ? parsed.error : tried ? parsed.error : null;

  function move(position: number) {
    set_cursor(position);
    requestAnimationFrame(() => area.current?.setSelectionRange(position, position));
  }
  function use(option: Completion) {
    const next = text.slice(0, found.from) + option.insert + text.slice(found.to);
    set_text(next);
    move(found.from + option.insert.length);
    set_at(0);
    set_hidden(option.kind !== 'function');
    area.current?.focus();
  }
  function done() {
    set_tried(true);
    if (parsed.expression === undefined || (named && name.trim() === '')) return;
    onDone(parsed.expression, name.trim());
  }
  function on_key(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (options.length > 0 && event.key === 'ArrowDown') set_at((here + 1) % options.length);
    else if (options.length > 0 && event.key === 'ArrowUp') set_at((here - 1 + options.length) % options.length);
    else if (options.length > 0 && (event.key === 'Enter' || event.key === 'Tab') && !event.ctrlKey && !event.metaKey) use(options[here]!);
    else if (options.length > 0 && event.key === 'Escape') {
      event.stopPropagation();
      set_hidden(true);
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) done();
    else if (event.key === ' ' && event.ctrlKey) set_hidden(false);
    else return;
    event.preventDefault();
  }
  const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
  return (
    <form
      ref={root}
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        done();
      }}
    >
      <div className={lists.body}>
        <div className={styles.area} data-wrong={error ? true : undefined}>
          <div className={styles.under} aria-hidden>
            <Marked text={text} error={error} />
          </div>
          <textarea
            ref={area} value={text} rows={4} spellCheck={false} aria-label={say('Formula')} aria-invalid={error ? true : undefined} aria-describedby={`${id}-state`} data-autofocus
            aria-autocomplete="list" aria-controls={options.length > 0 ? `${id}-list` : undefined} aria-activedescendant={options.length > 0 ? `${id}-${here}` : undefined}
            placeholder={context.for === 'filter' ? '[Total] > 100 AND [Quantity] < 5' : context.for === 'aggregation' ? 'Sum([Total]) / Count' : '[Total] - [Tax]'}
            onChange={(event) => {
              set_text(event.currentTarget.value);
              set_cursor(event.currentTarget.selectionStart);
              set_at(0);
              set_hidden(false);
              set_tried(false);
            }}
            onSelect={(event) => set_cursor(event.currentTarget.selectionStart)}
            onKeyDown={on_key}
          />
        </div>
        {options.length > 0 && (
          <div className={styles.hints} role="listbox" id={`${id}-list`} aria-label={say('Suggestions')}>
            {options.map((option, index) => (
              <div key={`${option.kind}/${option.label}`} id={`${id}-${index}`} role="option" aria-selected={index === here} data-on={index === here || undefined} className={lists.item} onMouseDown={(event) => { event.preventDefault(); use(option); }}>
                {option.kind === 'function' ? <IconMathFunction {...look} /> : option.kind === 'metric' ? <IconRulerMeasure {...look} /> : <IconAbc {...look} />}
                <span className={lists.grow}>{option.label}</span>
                <span className={lists.side}>{option.kind === 'function' ? option.help : option.detail}</span>
              </div>
            ))}
          </div>
        )}
        <div id={`${id}-state`} aria-live="polite">
          {error ? <div className={styles.wrong}>{error.message}</div> : call ? <div className={styles.usage}><code>{usageOf(call.known)}</code> {say(call.known.help)}</div> : <div className={styles.usage}>{say('Columns stand in square brackets. Ctrl + Space shows what fits.')}</div>}
        </div>
        {named && <TextInput label={say('Name')} value={name} onChange={(event) => set_name(event.currentTarget.value)} placeholder={say('Name of the column')} error={tried && name.trim() === '' ? say('Give it a name.') : undefined} maxLength={120} />}
      </div>
      <div className={lists.foot}>
        <Button onClick={onCancel}>{say('Cancel')}</Button>
        <Button type="submit" kind="primary">{confirm}</Button>
      </div>
    </form>
  );
}

function Marked({ text, error }: { text: string; error: FormulaError | null }) {
  let offset = 0;
  const out = pieces(text).map((piece, index) => {
    const start = offset;
    offset += piece.text.length;
    const inside = error && error.end > error.start && start < error.end && offset > error.start;
    return inside ? <mark key={index} className={styles[piece.kind]}>{piece.text}</mark> : <span key={index} className={styles[piece.kind]}>{piece.text}</span>;
  });
  return <>{out}{'\n'}</>;
}
