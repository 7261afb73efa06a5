import { describe, expect, it } from 'vitest';
import { is_email, password_rules } from './password_rules';

describe('password rules', () => {
  it('counts what the server asks for', () => {
    const rules = password_rules({ total: 8, digit: 2, special: 1 }, 'abc1!');
    expect(rules.map((rule) => [rule.name, rule.met])).toEqual([
      ['rule_length', false],
      ['rule_digit', false],
      ['rule_special', true],
    ]);
  });

  it('counts signs beyond the basic plane as one character each', () => {
    expect(password_rules({ total: 3 }, '😀😀')[0].met).toBe(false);
    expect(password_rules({ total: 2 }, '😀😀')[0].met).toBe(true);
  });

  it('leaves out demands it does not know and demands of zero', () => {
    expect(password_rules({ total: 6, digit: 0, moon: 3 }, '')).toHaveLength(1);
  });
});

describe('e-mail addresses', () => {
  it.each([
    ['a@b.co', true],
    ['a.b+c@d-e.example.org', true],
    ['a@b', false],
    ['a b@c.de', false],
    ['', false],
  ])('%s: %s', (text, fine) => expect(is_email(text)).toBe(fine));
});
