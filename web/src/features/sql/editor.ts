import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from '@codemirror/commands';
import { MariaSQL, MSSQL, MySQL, PostgreSQL, SQLite, StandardSQL, sql, type SQLDialect } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, Prec, RangeSet, StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, highlightActiveLine, gutterLineClass, GutterMarker, highlightActiveLineGutter, keymap, lineNumbers, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parseSql } from '../../result/tags';

export interface ShownError {
  from: number;
  to: number;
  message: string;
  fix: string | null;
  /** The word on the button. */
  fix_label: string;
}

const dialects: Record<string, SQLDialect> = { postgres: PostgreSQL, redshift: PostgreSQL, mysql: MySQL, mariadb: MariaSQL, sqlite: SQLite, sqlserver: MSSQL };

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--sql-key)', fontWeight: '500' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--sql-text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--sql-number)' },
  { tag: [tags.standard(tags.name), tags.function(tags.variableName), tags.typeName], color: 'var(--sql-call)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--sql-comment)', fontStyle: 'italic' },
  { tag: [tags.name, tags.propertyName], color: 'var(--sql-name)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', backgroundColor: 'var(--surface)', color: 'var(--sql-name)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-code)', lineHeight: '24px', fontVariantLigatures: 'none', fontFeatureSettings: '"liga" 0, "calt" 0' },
  '.cm-content': { padding: '12px 0', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 16px 0 12px' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none', paddingLeft: '12px' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '28px', padding: '0 8px 0 0', fontSize: '12px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklab, var(--hover) 60%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--brand-line) !important', opacity: '0.55' },
  '.cm-matchingBracket': { backgroundColor: 'var(--brand-tint)', outline: '1px solid var(--brand-line)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--amber-tint)' },
  '.cm-tag': { backgroundColor: 'var(--violet-tint)', color: 'var(--violet-text)', borderRadius: '3px', padding: '2px 1px' },
  '.cm-tag *': { color: 'var(--violet-text) !important', fontWeight: '400' },
  '.cm-optional-bracket': { color: 'var(--violet-text)', fontWeight: '600' },
  '.cm-error-gutter': { backgroundColor: 'var(--red-tint)', color: 'var(--red-text)', fontWeight: '600' },
  '.cm-error-line': { backgroundColor: 'var(--red-tint)' },
  '.cm-error-word, .cm-error-word *': { color: 'var(--red-text) !important', textDecoration: 'underline wavy var(--red)', textUnderlineOffset: '4px' },
  '.cm-error-note': { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '10px', padding: '2px 16px 8px 12px', backgroundColor: 'var(--red-tint)', borderBottom: '1px solid var(--red-line)', color: 'var(--red-text)', font: '500 13px/20px var(--font-ui)', whiteSpace: 'normal' },
  '.cm-error-note button': { height: '24px', padding: '0 10px', border: '1px solid var(--line-strong)', borderRadius: '4px', background: 'var(--surface)', color: 'var(--ink)', font: '500 12px/16px var(--font-ui)', cursor: 'pointer' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)', borderRadius: '8px', boxShadow: 'var(--shadow-pop)', color: 'var(--text)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-code)', fontSize: '13px', maxHeight: '260px', padding: '4px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '4px 8px', lineHeight: '20px', borderRadius: '4px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--brand-tint)', color: 'var(--brand-text)' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '12px' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-completionIcon': { opacity: '0.6', width: '1.2em' },
  '.cm-panels': { backgroundColor: 'var(--canvas)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-textfield': { backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line-control)', borderRadius: '6px', padding: '4px 8px', fontSize: '13px' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line-control)', borderRadius: '6px', padding: '4px 10px' },
  '.cm-placeholder': { color: 'var(--muted)' },
});

/** Variables stand out, and the brackets of optional parts. */
const variables = ViewPlugin.fromClass(class {
  decorations: DecorationSet;
  constructor(view: EditorView) {
    this.decorations = this.build(view);
  }
  update(update: ViewUpdate) {
    if (update.docChanged) this.decorations = this.build(update.view);
  }
  build(view: EditorView): DecorationSet {
    const parsed = parseSql(view.state.doc.toString());
    const tag = Decoration.mark({ class: 'cm-tag' });
    const bracket = Decoration.mark({ class: 'cm-optional-bracket' });
    const marks = [
      ...parsed.tags.map((one) => tag.range(one.from, one.to)),
      ...parsed.blocks.flatMap((block) => [bracket.range(block.from, block.from + 2), bracket.range(block.to - 2, block.to)]),
    ];
    return Decoration.set(marks, true);
  }
}, { decorations: (plugin) => plugin.decorations });

class ErrorNote extends WidgetType {
  constructor(readonly error: ShownError) {
    super();
  }
  override eq(other: ErrorNote) {
    return other.error.message === this.error.message && other.error.fix === this.error.fix && other.error.from === this.error.from;
  }
  toDOM(view: EditorView): HTMLElement {
    const note = document.createElement('div');
    note.className = 'cm-error-note';
    note.setAttribute('role', 'alert');
    const text = document.createElement('span');
    text.textContent = this.error.message;
    note.append(text);
    if (this.error.fix !== null) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = this.error.fix_label;
      button.onclick = () => {
        view.dispatch({ changes: { from: this.error.from, to: this.error.to, insert: this.error.fix! }, effects: set_error.of(null) });
        view.focus();
      };
      note.append(button);
    }
    return note;
  }
  override ignoreEvent() {
    return true;
  }
}
export const set_error = StateEffect.define<ShownError | null>();
const error_field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(set_error)) continue;
      const error = effect.value;
      if (!error) {
        next = Decoration.none;
        continue;
      }
      const doc = transaction.state.doc;
      const from = Math.min(error.from, doc.length);
      const to = Math.min(Math.max(error.to, from), doc.length);
      const line = doc.lineAt(from);
      next = Decoration.set([
        Decoration.line({ class: 'cm-error-line' }).range(line.from),
        ...(to > from ? [Decoration.mark({ class: 'cm-error-word' }).range(from, to)] : []),
        Decoration.widget({ widget: new ErrorNote(error), block: true, side: 1 }).range(line.to),
      ], true);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const error_gutter_marker = new (class extends GutterMarker {
  override elementClass = 'cm-error-gutter';
})();
/** The number of the line in error is red as well. */
const error_gutter = gutterLineClass.compute([error_field], (state) => {
  let at: number | null = null;
  state.field(error_field).between(0, state.doc.length, (from, _to, mark) => {
    if ((mark.spec as { class?: string }).class === 'cm-error-line') at = from;
  });
  return at === null ? RangeSet.empty : RangeSet.of([error_gutter_marker.range(at)]);
});

export interface EditorOptions {
  doc: string;
  onChange: (text: string) => void;
  onRun: () => void;
  onRunStatement: () => void;
  onSave: () => void;
  placeholder: Extension;
  label: string;
}

const language = new Compartment();
export interface LanguageOptions {
  engine: string;
  schema: Record<string, Record<string, string[]>>;
  usual: string | undefined;
  /** Names of the text's variables. */
  variables: () => string[];
  /** Asks the server for names, where the schema is not loaded as a whole. */
  ask: (prefix: string, signal: AbortSignal) => Promise<[string, string][]>;
}

function languageOf(options: LanguageOptions): Extension {
  const dialect = dialects[options.engine] ?? StandardSQL;
  const support = sql({ dialect, schema: options.schema, defaultSchema: options.usual, upperCaseKeywords: true });
  const known = new Set(Object.values(options.schema).flatMap((tables) => [...Object.keys(tables), ...Object.values(tables).flat()]).map((name) => name.toLowerCase()));
  const variable = (context: CompletionContext): CompletionResult | null => {
    const open = context.matchBefore(/\{\{\s*[\w.-]*/);
    if (!open) return null;
    const start = open.from + (/^\{\{\s*/.exec(open.text)?.[0].length ?? 2);
    const closed = context.state.sliceDoc(context.pos, context.pos + 4).trimStart().startsWith('}}');
    return { from: start, options: options.variables().map((name) => ({ label: name, type: 'variable', apply: closed ? name : `${name}}}` })), validFor: /^[\w.-]*$/ };
  };
  /** Plain column names anywhere: people type SELECT before FROM. */
  const columns = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[\p{L}_][\p{L}\p{N}_]*$/u);
    if (!word || word.text.length < 2 || context.matchBefore(/\.\s*[\w]*$/)) return null;
    const own = Object.values(options.schema).flatMap((tables) => Object.entries(tables).flatMap(([table, list]) => list.map((name) => ({ label: name, detail: table, type: 'property' }))));
    const seen = new Set<string>();
    const list = own.filter((one) => one.label.toLowerCase().includes(word.text.toLowerCase()) && !seen.has(`${one.label}/${one.detail}`) && seen.add(`${one.label}/${one.detail}`)).slice(0, 200);
    if (known.size === 0) {
      const controller = new AbortController();
      context.addEventListener('abort', () => controller.abort());
      try {
        const answer = await options.ask(word.text, controller.signal);
        list.push(...answer.map(([label, detail]) => ({ label, detail, type: detail === 'Table' ? 'type' : 'property' })));
      } catch {
        return null;
      }
    }
    return list.length === 0 ? null : { from: word.from, options: list, validFor: /^[\p{L}\p{N}_]*$/u };
  };
  return [support, support.language.data.of({ autocomplete: variable }), support.language.data.of({ autocomplete: columns })];
}
export function setLanguage(view: EditorView, options: LanguageOptions): void {
  view.dispatch({ effects: language.reconfigure(languageOf(options)) });
}

export function createEditor(parent: HTMLElement, options: EditorOptions): EditorView {
  const run = (action: () => void) => () => {
    action();
    return true;
  };
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: options.doc,
      extensions: [
        Prec.highest(keymap.of([
          { key: 'Mod-Enter', run: run(() => options.onRun()) }, { key: 'Mod-Shift-Enter', run: run(() => options.onRunStatement()) },
          { key: 'Mod-s', run: run(() => options.onSave()), preventDefault: true }, { key: 'Mod-/', run: toggleComment },
        ])),
        lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion({ activateOnTyping: true, maxRenderedOptions: 100, icons: false }), highlightSelectionMatches(), search({ top: true }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, { key: 'Tab', run: acceptCompletion }, { key: 'Ctrl-Space', run: startCompletion }, indentWithTab]),
        language.of([]), syntaxHighlighting(colours), variables, error_field, error_gutter, look, EditorView.lineWrapping, options.placeholder,
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
}
