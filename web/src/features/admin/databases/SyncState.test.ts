import { expect, it } from 'vitest';
import { sync_share } from './SyncState';

it('counts four phases of equal weight', () => {
  expect(sync_share(null)).toBeUndefined();
  expect(sync_share({ phase: 'tables', done: 0, total: 0 })).toBe(0);
  expect(sync_share({ phase: 'fields', done: 5, total: 10 })).toBeCloseTo(0.375);
  expect(sync_share({ phase: 'fingerprints', done: 11, total: 10 })).toBe(1);
});
