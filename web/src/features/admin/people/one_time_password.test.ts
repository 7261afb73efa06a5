import { describe, expect, it } from 'vitest';
import { one_time_password } from './one_time_password';

describe('the password handed over once', () => {
  it('has four blocks, digits, small and capital letters', () => {
    for (let round = 0; round < 200; round++) {
      const text = one_time_password();
      expect(text).toMatch(/^[a-zA-Z2-9]{4}(-[a-zA-Z2-9]{4}){3}$/);
      expect(text).toMatch(/\d/);
      expect(text).toMatch(/[a-z]/);
      expect(text).toMatch(/[A-Z]/);
    }
  });

  it('holds no letters that look alike', () => {
    expect(Array.from({ length: 100 }, () => one_time_password()).join('')).not.toMatch(/[il1o0IO]/);
  });

  it('passes over bytes that would make some letters likelier', () => {
    let round = 0;
    const text = one_time_password((bytes) => {
      bytes.fill(255);
      // 0 = a, 25 = C, 50 = 5: the only bytes that may count.
      if (round++ > 0) bytes.forEach((_, index) => (bytes[index] = [0, 25, 50][index % 3]));
      return bytes;
    });
    expect(new Set(text.replace(/-/g, '')).size).toBe(3);
  });
});
