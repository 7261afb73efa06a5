// A connection string somebody pasted, as the fields of the form: "mysql://ann:secret@db.example.com:3306/shop?ssl=true",
// the same with "jdbc:" before it, or "host=… dbname=…".

import type { FormField, FormValues } from './fields';

const address = /^(?:jdbc:)?([a-z][a-z0-9+]*):(\/\/.+)$/i;
const engines: Record<string, string> = { postgres: 'postgres', postgresql: 'postgres', mysql: 'mysql', mariadb: 'mysql', clickhouse: 'clickhouse', ch: 'clickhouse', trino: 'trino' };

/** undefined: this is no connection string of such a database. */
export function details_of_connection_string(text: string, engine: string, fields: FormField[]): FormValues | undefined {
  const found = of_address(text.trim(), engine) ?? of_words(text.trim());
  if (!found) return undefined;
  const known = new Map(fields.map((field) => [field.name, field]));
  const details: FormValues = {};
  for (const [name, value] of Object.entries(found)) {
    const field = known.get(name);
    if (!field || value === undefined || value === '') continue;
    details[name] = field.type === 'integer' ? Number(value) : value;
  }
  return 'host' in details ? details : undefined;
}

function of_address(text: string, engine: string): FormValues | undefined {
  const match = address.exec(text);
  if (!match || engines[match[1]!.toLowerCase()] !== engine) return undefined;
  let url: URL;
  try {
    url = new URL(`http:${match[2]}`);
  } catch {
    return undefined;
  }
  const options = new URLSearchParams(url.search);
  const take = (...names: string[]): string | undefined => {
    let value: string | undefined;
    for (const name of names) {
      value ??= options.get(name) ?? undefined;
      options.delete(name);
    }
    return value;
  };
  const mode = take('sslmode', 'sslMode', 'ssl-mode')?.toLowerCase();
  const ssl = take('ssl', 'useSSL', 'useSsl')?.toLowerCase();
  const off = mode === 'disable' || mode === 'disabled' || ssl === 'false';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    // An address of http forgets its own usual port.
    port: /:(\d+)$/.exec(match[2]!.slice(2).split(/[/?]/)[0]!.split('@').pop()!)?.[1],
    dbname: decode(url.pathname.slice(1)) || take('dbname', 'database'),
    user: decode(url.username) || take('user', 'username'),
    password: decode(url.password) || take('password'),
    ...(mode || ssl ? { ssl: !off } : {}),
    ...(mode && !off ? { 'ssl-mode': mode.replace('verify_ca', 'verify-ca').replace('verify_identity', 'verify-full').replace('required', 'require') } : {}),
    'additional-options': options.toString() ? decode(options.toString()) : undefined,
  };
}

function of_words(text: string): FormValues | undefined {
  const words = [...text.matchAll(/(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|\S*)/g)];
  if (words.length < 2) return undefined;
  const values = Object.fromEntries(words.map((word) => [word[1]!.toLowerCase(), word[2]!.startsWith("'") ? word[2]!.slice(1, -1).replace(/\\(.)/g, '$1') : word[2]!]));
  if (!values.host || !(values.dbname || values.user)) return undefined;
  const mode = values.sslmode;
  return {
    host: values.host,
    port: values.port,
    dbname: values.dbname,
    user: values.user,
    password: values.password,
    ...(mode ? { ssl: mode !== 'disable' } : {}),
    ...(mode && mode !== 'disable' ? { 'ssl-mode': mode } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
