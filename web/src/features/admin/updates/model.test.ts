import { describe, expect, it } from 'vitest';
import type { ParkedValue, UpdatePlan } from '@/api/types';
import { after, compare, feed_failure, figures_of, file_moment, is_newer, lines_of, older_nodes, readable, restore_begins, summary, type RestorePhase, type Seen, steps_of } from './model';

const parked = (value: unknown, current: unknown, kind: 'value' | 'row' = 'value'): ParkedValue => ({
  id: 1, migration: 2, table: 'card', column: 'audience', row: 'u', state: 'parked', kind, title: 'Refunds', value, shown: null, current, parked_at: '2026-11-23T05:00:00Z', can_take: true, why_not: null,
});

describe('parked values', () => {
  it('takes documents apart into lines', () => {
    expect(lines_of({ notes: { text: 'a', tags: ['x', 'y'] }, on: true, none: null })).toEqual([
      { path: 'notes.text', value: 'a' },
      { path: 'notes.tags[0]', value: 'x' },
      { path: 'notes.tags[1]', value: 'y' },
      { path: 'on', value: 'yes' },
      { path: 'none', value: '–' },
    ]);
    expect(lines_of('plain')).toEqual([{ path: '', value: 'plain' }]);
    expect(lines_of('{"a":1}')).toEqual([{ path: 'a', value: '1' }]);
    expect(lines_of('{not json')).toEqual([{ path: '', value: '{not json' }]);
  });

  it('sets a patch beside only what it touches', () => {
    const { parked: left, now } = compare(parked({ patch: { notes: { format: 'rich' } } }, '{"notes":{"format":"plain","text":"long"},"other":1}'));
    expect(left).toEqual([{ path: 'notes.format', value: 'rich' }]);
    expect(now).toEqual([{ path: 'notes.format', value: 'plain' }]);
  });

  it('never shows what is hidden', () => {
    expect(compare(parked({ hidden: true }, { hidden: true }))).toEqual({ hidden: true, parked: [], now: [], more: 0 });
    expect(summary(parked({ hidden: true }, null))).toBe('•••');
  });

  it('bounds huge documents and says how much is left out', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index]));
    const compared = compare(parked({ value: many }, null));
    expect(compared.parked).toHaveLength(60);
    expect(compared.more).toBeGreaterThan(0);
  });
});

describe('the plan', () => {
  const plan: UpdatePlan = {
    from: 1, to: 3, blocked: null, bytes_needed: 1, bytes_free: 2, eta_seconds: 1,
    steps: [
      { migration: 2, name: 'a', direction: 'up', operations: ['add column'], rows: 10, will_park: 0 },
      { migration: 3, name: 'b', direction: 'up', operations: [{ text: 'reshape', phase: 'finalise' }], rows: 5, will_park: 2 },
    ],
  };
  it('adds up, whichever form operations have', () => {
    expect(figures_of(plan)).toEqual({ rows: 15, parks: 2, operations: 2, later: 1 });
  });
});

describe('nodes and versions', () => {
  const node = { id: '1', name: 'bi-1', binary: '0.1.0', heartbeat: '', self: false };
  it('counts only live nodes below the schema as older', () => {
    const nodes = [{ ...node, target: 1, live: true }, { ...node, target: 1, live: false }, { ...node, target: 4, live: true }];
    expect(older_nodes({ nodes, schema: 4 })).toHaveLength(1);
  });
  it('reads the times of file names', () => {
    expect(file_moment('20261123T060437')).toBe('2026-11-23T06:04:37Z');
    expect(file_moment('2026-11-23T06:04:37Z')).toBe('2026-11-23T06:04:37Z');
  });
  it('says times in sentences as people do', () => {
    const now = new Date(2026, 10, 23, 12);
    expect(readable(`Restored the backup of ${new Date(2026, 10, 23, 6, 27).toISOString()} (103 rows).`, now)).toBe('Restored the backup of today, 06:27 (103 rows).');
    expect(readable('Nothing to say.')).toBe('Nothing to say.');
  });
  it('takes the sentence out of a failed feed', () => {
    expect(feed_failure('failed: The file is not there.')).toBe('The file is not there.');
  });
  it('compares versions by number', () => {
    expect(is_newer('0.10.0', '0.9.9')).toBe(true);
    expect(is_newer('v0.2.0', '0.2.0')).toBe(false);
    expect(is_newer('0.1.9', '0.2.0')).toBe(false);
  });
});

describe('a restore', () => {
  const run = (seen: [Seen, number][], from: RestorePhase = restore_begins) => seen.reduce((phase, [one, now]) => after(phase, one, now), from);
  const work = (state: 'running' | 'done' | 'failed', error: string | null = null): Seen => ({ saw: 'work', work: { kind: 'restore', state, error } });
  const health = (ok: boolean): Seen => ({ saw: 'health', ok });

  it('goes on while it runs, and over one missed answer', () => {
    expect(run([[work('running'), 1], [{ saw: 'away' }, 2], [work('running'), 3]])).toEqual({ at: 'restoring', missed: 0 });
  });
  it('is back only after the server was gone and answered twice', () => {
    expect(run([[work('done'), 0], [health(true), 100], [health(true), 200]]).at).toBe('restarting');
    expect(run([[work('done'), 0], [health(true), 100], [{ saw: 'away' }, 200], [health(true), 300]]).at).toBe('restarting');
    expect(run([[work('done'), 0], [{ saw: 'away' }, 200], [health(true), 300], [health(true), 400]]).at).toBe('back');
  });
  it('is back after a restart too quick to be seen', () => {
    expect(run([[work('done'), 0], [health(true), 7000], [health(true), 8000]]).at).toBe('back');
  });
  it('takes a lost session and a server that knows of no restore for the restart', () => {
    expect(run([[{ saw: 'signed_out' }, 0]]).at).toBe('restarting');
    expect(run([[{ saw: 'work', work: null }, 0]]).at).toBe('restarting');
  });
  it('says why it failed', () => {
    expect(run([[work('failed', 'The backup is damaged.'), 0]])).toEqual({ at: 'failed', error: 'The backup is damaged.' });
    expect(run([[work('done'), 0], [{ saw: 'health', ok: false, failed: 'No space.' }, 1]])).toEqual({ at: 'failed', error: 'No space.' });
  });
});

describe('another version', () => {
  it('comes in six steps, and goes back without', () => {
    expect(steps_of('staged')).toEqual({ share: 0.1, step: 1, steps: 6 });
    expect(steps_of('observing').share).toBeCloseTo(0.85);
    expect(steps_of('rolling back')).toEqual({ share: null, step: 0, steps: 0 });
  });
});
