import { describe, expect, it } from 'vitest';
import { safe_return } from './SignInPage';

describe('going back after signing in', () => {
  it.each([
    ['/dashboard/3?tab=1', '/dashboard/3?tab=1'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/auth/login', '/'],
    [undefined, '/'],
  ])('%s leads to %s', (wanted, path) => expect(safe_return(wanted)).toBe(path));
});
