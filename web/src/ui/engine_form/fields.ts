// A form described by the server: which fields are there now, their start values, what is missing.

export interface FormField {
  name: string;
  'display-name'?: string;
  type?: string;
  required?: boolean;
  default?: unknown;
  placeholder?: string | number;
  'helper-text'?: string;
  options?: { name: string; value: unknown }[];
  'visible-if'?: Record<string, unknown>;
}

export type FormValues = Record<string, unknown>;

export function start_values(fields: FormField[], stored: FormValues = {}): FormValues {
  const values: FormValues = { ...stored };
  for (const field of fields) {
    if (!(field.name in values) && field.default !== undefined && field.default !== null) values[field.name] = field.default;
  }
  return values;
}

/** Fields whose condition holds; a condition may ask for one value or one of a list. */
export function visible_fields<T extends FormField>(fields: T[], values: FormValues): T[] {
  return fields.filter((field) => {
    if (field.type === 'hidden' || field.type === 'info') return false;
    return Object.entries(field['visible-if'] ?? {}).every(([name, wanted]) => {
      const value = values[name] ?? false;
      return Array.isArray(wanted) ? wanted.includes(value) : value === wanted;
    });
  });
}

/** The fields before the first "section" are the main ones; what follows is folded away. */
export function split_sections<T extends FormField>(fields: T[]): { main: T[]; more: T[] } {
  const cut = fields.findIndex((field) => field.type === 'section');
  if (cut < 0) return { main: fields, more: [] };
  return { main: fields.slice(0, cut), more: fields.slice(cut + 1).filter((field) => field.type !== 'section') };
}

export function is_empty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** Names of required, visible fields without a value. */
export function missing_fields(fields: FormField[], values: FormValues): string[] {
  return visible_fields(fields, values)
    .filter((field) => field.required && field.type !== 'section' && is_empty(values[field.name]))
    .map((field) => field.name);
}

/** What is sent: only fields of this engine, numbers as numbers, empty text left out. */
export function details_to_send(fields: FormField[], values: FormValues): FormValues {
  const details: FormValues = {};
  for (const field of fields) {
    if (field.type === 'section' || field.type === 'info') continue;
    const value = values[field.name];
    if (is_empty(value)) continue;
    details[field.name] = field.type === 'integer' ? Number(value) : typeof value === 'string' && field.type !== 'password' ? value.trim() : value;
  }
  return details;
}
