import { expect, it } from 'vitest';
import { words_fit } from './words_fit';

it('finds every word anywhere, whatever the case', () => {
  expect(words_fit('ord CLEAN', 'Orders, cleaned')).toBe(true);
  expect(words_fit('ord', 'Refunds', null, 'by order')).toBe(true);
  expect(words_fit('ord stock', 'Orders')).toBe(false);
  expect(words_fit('', 'anything')).toBe(true);
});
