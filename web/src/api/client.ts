/** What the server said when it said no: `message` is a sentence for the person, `fields` blames single inputs. */
export class ApiError extends Error {
  readonly status: number;
  readonly fields: Record<string, string>;
  /** The body as it came, for pages that know more about a certain failure. */
  readonly body: unknown;

  constructor(status: number, message: string, fields: Record<string, string> = {}, body: unknown = undefined) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** Appended to the address; arrays become repeated keys, null and undefined are left out. */
  query?: Record<string, unknown>;
}

type SignedOutListener = () => void;
let signed_out: SignedOutListener | undefined;

/** The app registers here what happens when a session has ended while a page was open. */
export function on_signed_out(listener: SignedOutListener): void {
  signed_out = listener;
}

export function address(path: string, query?: Record<string, unknown>): string {
  if (!query) return path;
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

function text_of(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Reads a failure body in the order the server's clients agreed on. Exported for tests. */
export function failure(status: number, text: string): ApiError {
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Short plain text is a sentence already.
  }
  if (body === null || typeof body !== 'object') {
    const sentence = text_of(typeof body === 'string' ? body : text);
    const is_page = sentence?.trimStart().startsWith('<') ?? false;
    return new ApiError(status, sentence && !is_page ? sentence : default_message(status), {}, body);
  }
  const object = body as Record<string, unknown>;
  const fields: Record<string, string> = {};
  const errors = object.errors;
  if (errors && typeof errors === 'object') {
    for (const [name, value] of Object.entries(errors)) {
      fields[name] = typeof value === 'string' ? value : JSON.stringify(value);
    }
  }
  const via = Array.isArray(object.via) ? (object.via[0] as { message?: unknown } | undefined) : undefined;
  const message =
    text_of(object.message) ??
    text_of(object.error) ??
    text_of(object['error-message']) ??
    text_of(via?.message) ??
    Object.values(fields)[0] ??
    default_message(status);
  return new ApiError(status, message, fields, body);
}

function default_message(status: number): string {
  if (status === 0) return 'The server cannot be reached.';
  if (status === 401) return 'You are signed out.';
  if (status === 403) return 'You may not see or change this.';
  if (status === 404) return 'This was not found.';
  return `The server answered with status ${status}.`;
}

async function send(method: string, path: string, body: unknown, options: RequestOptions = {}): Promise<Response> {
  let response: Response;
  const file = body instanceof Blob;
  const content_type = body === undefined ? undefined : file ? 'application/octet-stream' : 'application/json';
  try {
    response = await fetch(address(path, options.query), {
      method,
      signal: options.signal,
      credentials: 'same-origin',
      headers: content_type === undefined ? { Accept: 'application/json' } : { Accept: 'application/json', 'Content-Type': content_type },
      body: body === undefined ? undefined : file ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, default_message(0));
  }
  if (!response.ok) {
    const problem = failure(response.status, await response.text());
    if (response.status === 401 && !path.startsWith('/api/session') && !path.startsWith('/api/user/current')) signed_out?.();
    throw problem;
  }
  return response;
}

async function json<T>(method: string, path: string, body: unknown, options?: RequestOptions): Promise<T> {
  const response = await send(method, path, body, options);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    return text as T;
  }
}

/** JSON over HTTP. Every call takes an AbortSignal; a failure is an ApiError, an aborted call a DOMException. */
export const api = {
  get: <T>(path: string, options?: RequestOptions) => json<T>('GET', path, undefined, options),
  post: <T>(path: string, body: unknown = {}, options?: RequestOptions) => json<T>('POST', path, body, options),
  put: <T>(path: string, body: unknown = {}, options?: RequestOptions) => json<T>('PUT', path, body, options),
  delete: <T = void>(path: string, body?: unknown, options?: RequestOptions) => json<T>('DELETE', path, body, options),
  /** The bytes of a file as they are, answered with JSON. */
  post_file: <T>(path: string, file: Blob, options?: RequestOptions) => json<T>('POST', path, file, options),
  /** A file: POSTs and hands back the bytes with the name the server gave them. */
  async file(path: string, body: unknown, options?: RequestOptions): Promise<{ blob: Blob; name: string }> {
    const response = await send('POST', path, body, options);
    const disposition = response.headers.get('Content-Disposition') ?? '';
    const name = /filename="?([^";]+)"?/.exec(disposition)?.[1] ?? 'result';
    return { blob: await response.blob(), name };
  },
};

/** Hands a file to the browser's downloads. */
export function save_file(file: { blob: Blob; name: string }): void {
  const url = URL.createObjectURL(file.blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function is_abort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
