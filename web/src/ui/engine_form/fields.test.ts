import { describe, expect, it } from 'vitest';
import { details_to_send, missing_fields, split_sections, start_values, visible_fields, type FormField } from './fields';

const fields: FormField[] = [
  { name: 'host', type: 'string', required: true },
  { name: 'port', type: 'integer', default: 5432 },
  { name: 'ssl', type: 'boolean', default: false },
  { name: 'mode', type: 'select', required: true, 'visible-if': { ssl: true } },
  { name: 'tunnel', type: 'string', 'visible-if': { mode: ['a', 'b'] } },
  { name: 'secret', type: 'password' },
  { name: 'advanced', type: 'section' },
  { name: 'options', type: 'string' },
];

describe('a form described by the server', () => {
  it('starts with defaults unless something is stored', () => {
    expect(start_values(fields, { port: 1 })).toEqual({ port: 1, ssl: false });
  });

  it('shows a field only while its condition holds', () => {
    const names = (values: Record<string, unknown>) => visible_fields(fields, values).map((field) => field.name);
    expect(names({})).not.toContain('mode');
    expect(names({ ssl: true })).toContain('mode');
    expect(names({ ssl: true, mode: 'b' })).toContain('tunnel');
    expect(names({ ssl: true, mode: 'c' })).not.toContain('tunnel');
  });

  it('misses required fields only while they are shown', () => {
    expect(missing_fields(fields, {})).toEqual(['host']);
    expect(missing_fields(fields, { host: ' ', ssl: true })).toEqual(['host', 'mode']);
    expect(missing_fields(fields, { host: 'x' })).toEqual([]);
  });

  it('folds away what follows the first section', () => {
    const { main, more } = split_sections(fields);
    expect(main).toHaveLength(6);
    expect(more.map((field) => field.name)).toEqual(['options']);
  });

  it('sends numbers as numbers, keeps spaces in secrets, and leaves empty text out', () => {
    expect(details_to_send(fields, { host: ' db ', port: '5433', ssl: false, secret: ' x ', options: '', other: 1 })).toEqual({
      host: 'db',
      port: 5433,
      ssl: false,
      secret: ' x ',
    });
  });
});
