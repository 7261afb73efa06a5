import { describe, expect, it } from 'vitest';
import { Runner } from './runner';

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
function work() {
  let finish!: () => void;
  const promise = new Promise<string>((resolve) => (finish = () => resolve('done')));
  let started = false;
  return { run: () => { started = true; return promise; }, finish, get started() { return started; } };
}

describe('a runner', () => {
  it('starts no more than it may, and the next when one ends', async () => {
    const runner = new Runner(2);
    const [a, b, c] = [work(), work(), work()];
    const results = [runner.run(a.run), runner.run(b.run), runner.run(c.run)];
    expect([a.started, b.started, c.started]).toEqual([true, true, false]);
    a.finish();
    await settle();
    expect(c.started).toBe(true);
    b.finish();
    c.finish();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done']);
  });
  it('drops what is aborted while it waits', async () => {
    const runner = new Runner(1);
    const [a, b] = [work(), work()];
    const stop = new AbortController();
    void runner.run(a.run);
    const second = runner.run(b.run, stop.signal);
    stop.abort();
    await expect(second).rejects.toThrow();
    a.finish();
    await settle();
    expect(b.started).toBe(false);
  });
  it('goes on after a failure', async () => {
    const runner = new Runner(1);
    await expect(runner.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(runner.run(() => Promise.resolve(1))).resolves.toBe(1);
  });
});
