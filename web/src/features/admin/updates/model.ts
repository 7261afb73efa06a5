import { when_inside } from '@/lib/time';
import type { Backup, ParkedValue, PlanOperation, UpdateNode, UpdatePlan, Updates, UpdateWork } from '@/api/types';

/** A document as lines of path and value, in reading order. */
export interface Line {
  path: string;
  value: string;
}

const most_lines = 60;

function scalar(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Text that holds a JSON object or list comes as that; all else stays. */
export function read_document(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Objects and lists taken apart: `notes.text`, `columns[2].name`. One value alone has no path. */
export function lines_of(value: unknown): Line[] {
  const out: Line[] = [];
  function walk(part: unknown, path: string) {
    if (out.length > most_lines) return;
    if (Array.isArray(part)) {
      if (part.length === 0) out.push({ path, value: '[ ]' });
      part.forEach((one, index) => walk(one, `${path}[${index}]`));
    } else if (part !== null && typeof part === 'object') {
      const entries = Object.entries(part);
      if (entries.length === 0) out.push({ path, value: '{ }' });
      for (const [key, one] of entries) walk(one, path === '' ? key : `${path}.${key}`);
    } else {
      out.push({ path, value: scalar(part) });
    }
  }
  walk(read_document(value), '');
  return out;
}

/** Only what the patch touches, as it stands in the document. */
export function at_paths_of(patch: unknown, document: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return document ?? null;
  const out: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(patch)) {
    const inside = document !== null && typeof document === 'object' && !Array.isArray(document) ? (document as Record<string, unknown>)[key] : undefined;
    out[key] = at_paths_of(one, inside);
  }
  return out;
}

export interface Compared {
  hidden: boolean;
  parked: Line[];
  now: Line[];
  /** Lines left out on either side. */
  more: number;
}

/** The parked value and what stands at its place now, side by side. */
export function compare(parked: ParkedValue): Compared {
  const value = (parked.value ?? {}) as Record<string, unknown>;
  if ('hidden' in value) return { hidden: true, parked: [], now: [], more: 0 };
  const kept = 'patch' in value ? value.patch : 'row' in value ? value.row : 'text' in value ? value.text : value.value;
  const current = read_document(parked.current);
  const left = lines_of(kept);
  const right = parked.kind === 'row' || parked.current === null ? [] : lines_of('patch' in value ? at_paths_of(value.patch, current) : current);
  const more = Math.max(0, left.length - most_lines, right.length - most_lines);
  return { hidden: false, parked: left.slice(0, most_lines), now: right.slice(0, most_lines), more };
}

/** One line that says what is parked, for a list. */
export function summary(parked: ParkedValue): string {
  const { hidden, parked: lines } = compare(parked);
  if (hidden) return '•••';
  return lines
    .slice(0, 3)
    .map((line) => (line.path === '' ? line.value : `${line.path}: ${line.value}`))
    .join(', ')
    .slice(0, 120);
}

export function operation_of(operation: string | PlanOperation): PlanOperation {
  return typeof operation === 'string' ? { text: operation } : operation;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `add_card_audience` as people read it. */
export function words_of(name: string): string {
  return capital(name.replaceAll('_', ' '));
}

/** What people call a table of the store: its words where there are some, else its name. */
export function table_words(t: (key: string) => string, table: string): string {
  const key = `table_${table}`;
  const words = t(key);
  return words === key ? words_of(table) : words;
}

/** What people call a column, inside a sentence. */
export function column_words(t: (key: string) => string, column: string): string {
  const key = `column_${column}`;
  const words = t(key);
  return words === key ? column.replaceAll('_', ' ') : words;
}

/** A node that is not heard is quiet, an older one amber. */
export function node_tone(node: UpdateNode, schema: number): 'plain' | 'amber' | 'green' {
  return !node.live ? 'plain' : node.target < schema ? 'amber' : 'green';
}

export interface PlanFigures {
  rows: number;
  parks: number;
  operations: number;
  later: number;
}

export function figures_of(plan: UpdatePlan): PlanFigures {
  const operations = plan.steps.flatMap((step) => step.operations.map(operation_of));
  return {
    rows: plan.steps.reduce((sum, step) => sum + (step.rows ?? 0), 0),
    parks: plan.steps.reduce((sum, step) => sum + (step.will_park ?? 0), 0),
    operations: operations.length,
    later: operations.filter((one) => one.phase === 'finalise').length,
  };
}

/** Live nodes that do not know the schema yet: while one serves, nothing is finalised. */
export function older_nodes(data: Pick<Updates, 'nodes' | 'schema'>): UpdateNode[] {
  return (data.nodes ?? []).filter((node) => node.live && node.target < data.schema);
}

export function backups_checked(backups: Backup[]): { all: number; unchecked: number } {
  return { all: backups.length, unchecked: backups.filter((backup) => !backup.verified_at).length };
}

/** Times as file names have them ("20261123T060437") in the form of all others. */
export function file_moment(at: string): string {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})$/.exec(at);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z` : at;
}

/** A sentence of the server with its times as people say them. */
export function readable(sentence: string, now = new Date()): string {
  return sentence.replace(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, (moment) => when_inside(moment, now));
}

/** The sentence of a feed that failed. */
export const feed_failure = (feed: string): string => feed.replace(/^failed:\s*/, '');

/** Is it a newer version, number by number? */
export function is_newer(version: string, than: string): boolean {
  const numbers = (text: string) => text.replace(/^v/, '').split(/[.+-]/).slice(0, 3).map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(version), numbers(than)];
  for (let index = 0; index < 3; index++) if ((a[index] ?? 0) !== (b[index] ?? 0)) return (a[index] ?? 0) > (b[index] ?? 0);
  return false;
}

// ---- A restore as the page sees it: it runs, the server starts anew, it is back.

export type RestorePhase =
  | { at: 'restoring'; missed: number }
  | { at: 'restarting'; since: number; was_away: boolean; healthy: number }
  | { at: 'back' }
  | { at: 'failed'; error: string };

export type Seen =
  | { saw: 'work'; work: Pick<UpdateWork, 'kind' | 'state' | 'error'> | null }
  | { saw: 'signed_out' }
  | { saw: 'away' }
  | { saw: 'health'; ok: boolean; failed?: string };

export const restore_begins: RestorePhase = { at: 'restoring', missed: 0 };

/** What follows from what was seen at `now` (ms). Pure, so that each way it can go is tested. */
export function after(phase: RestorePhase, seen: Seen, now: number): RestorePhase {
  if (phase.at === 'restoring') {
    const restarting = (was_away: boolean): RestorePhase => ({ at: 'restarting', since: now, was_away, healthy: 0 });
    if (seen.saw === 'signed_out') return restarting(false);
    if (seen.saw === 'away') return phase.missed >= 2 ? restarting(true) : { at: 'restoring', missed: phase.missed + 1 };
    if (seen.saw !== 'work') return phase;
    // A server that knows of no restore is not the one that began it.
    if (!seen.work || seen.work.kind !== 'restore') return restarting(true);
    if (seen.work.state === 'failed') return { at: 'failed', error: seen.work.error ?? '' };
    return seen.work.state === 'done' ? restarting(false) : { at: 'restoring', missed: 0 };
  }
  if (phase.at === 'restarting') {
    if (seen.saw === 'away') return { ...phase, was_away: true, healthy: 0 };
    if (seen.saw !== 'health') return phase;
    if (seen.failed) return { at: 'failed', error: seen.failed };
    if (!seen.ok) return { ...phase, was_away: true, healthy: 0 };
    // The process that ends still says that it is healthy for a moment.
    const counts = phase.was_away || now - phase.since > 6000;
    const healthy = counts ? phase.healthy + 1 : 0;
    return healthy >= 2 ? { at: 'back' } : { ...phase, healthy };
  }
  return phase;
}

const exchange_phases = ['staged', 'measured', 'starting', 'ready', 'judged', 'observing'];

/** How far one version's way into another's place is; the way back has no steps. */
export function steps_of(phase: string): { share: number | null; step: number; steps: number } {
  const at = exchange_phases.indexOf(phase);
  if (at < 0) return { share: null, step: 0, steps: 0 };
  return { share: 0.1 + (0.9 * at) / exchange_phases.length, step: at + 1, steps: exchange_phases.length };
}
