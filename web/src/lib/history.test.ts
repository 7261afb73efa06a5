import { describe, expect, it } from 'vitest';
import { change_history, type History } from './history';

const start: History<number> = { past: [], present: 1, future: [] };
const run = (...actions: Parameters<typeof change_history<number>>[1][]) => actions.reduce(change_history<number>, start);

describe('a history', () => {
  it('goes back and forth', () => {
    const after = run({ type: 'set', value: 2 }, { type: 'set', value: 3 }, { type: 'undo' });
    expect(after).toEqual({ past: [1], present: 2, future: [3] });
    expect(change_history(after, { type: 'redo' }).present).toBe(3);
  });
  it('forgets the future when something new is done', () => {
    expect(run({ type: 'set', value: 2 }, { type: 'undo' }, { type: 'set', value: 9 }).future).toEqual([]);
  });
  it('takes typing back as one step, until something else is done', () => {
    const typed = run({ type: 'set', value: 2, merge: 'text' }, { type: 'set', value: 3, merge: 'text' }, { type: 'set', value: 4, merge: 'text' });
    expect(change_history(typed, { type: 'undo' }).present).toBe(1);
    expect(run({ type: 'set', value: 2, merge: 'text' }, { type: 'set', value: 3 }, { type: 'set', value: 4, merge: 'text' }).past).toEqual([1, 2, 3]);
  });
  it('stays where it is at both ends, and when nothing changes', () => {
    expect(run({ type: 'undo' })).toBe(start);
    expect(run({ type: 'redo' })).toBe(start);
    expect(run({ type: 'set', value: 1 })).toBe(start);
  });
});
