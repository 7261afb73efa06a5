import { expect, it } from 'vitest';
import { greeting } from './greeting';

it.each([
  [0, 'evening'],
  [3, 'evening'],
  [4, 'morning'],
  [11, 'morning'],
  [12, 'afternoon'],
  [17, 'afternoon'],
  [18, 'evening'],
  [23, 'evening'],
] as const)('at %i it says %s', (hour, words) => expect(greeting(hour)).toBe(words));
