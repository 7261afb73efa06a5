import { afterEach, describe, expect, it, vi } from 'vitest';
import { address, api, ApiError, failure, on_signed_out } from './client';

describe('a failure the server tells about', () => {
  it('takes the message before everything else', () => {
    expect(failure(400, JSON.stringify({ message: 'No such host.', errors: { host: 'Check it.' } }))).toMatchObject({ message: 'No such host.', fields: { host: 'Check it.' } });
  });

  it('takes the first blamed field when there is no message', () => {
    const error = failure(400, JSON.stringify({ errors: { email: 'Email address already in use.' } }));
    expect(error.message).toBe('Email address already in use.');
    expect(error.fields.email).toBe('Email address already in use.');
  });

  it('reads the error of a chain', () => {
    expect(failure(500, JSON.stringify({ via: [{ message: 'Deep down.' }] })).message).toBe('Deep down.');
  });

  it('takes short text as a sentence, but never shows a page of HTML', () => {
    expect(failure(403, "You don't have permissions to do that.").message).toBe("You don't have permissions to do that.");
    expect(failure(502, '<html><body>Bad gateway</body></html>').message).toBe('The server answered with status 502.');
  });

  it('has words of its own for an empty answer', () => {
    expect(failure(404, '').message).toBe('This was not found.');
  });
});

describe('an address', () => {
  it('repeats lists and leaves out what is not set', () => {
    expect(address('/api/search', { models: ['card', 'dashboard'], q: 'a b', limit: undefined, offset: null, archived: false })).toBe('/api/search?models=card&models=dashboard&q=a+b&archived=false');
  });
});

describe('a request', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('gives undefined for an empty answer and parses JSON otherwise', async () => {
    vi.stubGlobal('fetch', vi.fn().mockResolvedValueOnce(new Response(null, { status: 204 })).mockResolvedValueOnce(new Response('{"a":1}', { status: 202 })));
    expect(await api.put('/api/setting/x', { value: 1 })).toBeUndefined();
    expect(await api.post('/api/dataset')).toEqual({ a: 1 });
  });

  it('tells the app once a session has ended, but not while signing in', async () => {
    const ended = vi.fn();
    on_signed_out(ended);
    vi.stubGlobal('fetch', vi.fn(async () => new Response('Unauthenticated', { status: 401 })));
    await expect(api.post('/api/session', {})).rejects.toBeInstanceOf(ApiError);
    expect(ended).not.toHaveBeenCalled();
    await expect(api.get('/api/card/1')).rejects.toMatchObject({ status: 401 });
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('says that the server cannot be reached, and passes on an abort', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValueOnce(new TypeError('network')).mockRejectedValueOnce(new DOMException('stop', 'AbortError')));
    await expect(api.get('/api/card')).rejects.toMatchObject({ status: 0, message: 'The server cannot be reached.' });
    await expect(api.get('/api/card')).rejects.toMatchObject({ name: 'AbortError' });
  });
});
