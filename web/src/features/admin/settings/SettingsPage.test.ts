import { expect, it } from 'vitest';
import { is_on, to_store } from './SettingsPage';

it('stores what was typed in the kind the setting has', () => {
  expect(to_store('  Fernhill ', 'old', null)).toBe('Fernhill');
  expect(to_store('', 'old', null)).toBeNull();
  expect(to_store('15', 20, null)).toBe(15);
  expect(to_store('15', null, 20)).toBe(15);
  expect(to_store('15', 'x', null)).toBe('15');
  expect(to_store('many', 20, null)).toBe('many');
});

it('shows a switch nobody touched as what holds without it', () => {
  expect(is_on({ value: null, default: true })).toBe(true);
  expect(is_on({ value: false, default: true })).toBe(false);
  expect(is_on({ value: 'true', default: null })).toBe(true);
  expect(is_on({ value: null, default: null })).toBe(false);
});
