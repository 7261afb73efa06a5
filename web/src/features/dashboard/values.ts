import type { ParameterMapping as Mapping, ParameterValue } from '@/api/types';
import { isEmptyValue, valueFromAddress, valueToAddress, type Parameter } from '@/query/parameters';

export type Values = Record<string, unknown>;
export type Search = Record<string, string | string[] | undefined>;

/** Values of all filters: what the address says (an empty text says "none"), else the default. */
export function valuesOf(parameters: Parameter[], search: Search): Values {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const texts = search[parameter.slug];
      const spoken = valueFromAddress(parameter, texts === undefined ? undefined : Array.isArray(texts) ? texts : [texts]);
      const value = spoken === undefined ? (parameter.default ?? null) : spoken;
      // A required filter always has a value.
      return [parameter.id, isEmptyValue(value) && parameter.required ? (parameter.default ?? null) : value];
    }),
  );
}

/** The address for these values. A filter at its default need not be told; a cleared one with a default must be. */
export function searchOf(parameters: Parameter[], values: Values, others: Search): Search {
  const slugs = new Set(parameters.map((parameter) => parameter.slug));
  const out: Search = Object.fromEntries(Object.entries(others).filter(([key]) => !slugs.has(key)));
  for (const parameter of parameters) {
    const value = values[parameter.id];
    if (isEmptyValue(value)) {
      if (!isEmptyValue(parameter.default)) out[parameter.slug] = '';
      continue;
    }
    if (JSON.stringify(value) === JSON.stringify(parameter.default)) continue;
    const texts = valueToAddress(value);
    out[parameter.slug] = texts.length === 1 ? texts[0] : texts;
  }
  return out;
}

/** Filters that reach a card, with their values, in the form the server runs it with. An explicit null switches a default off. */
export function parametersFor(mappings: Mapping[], parameters: Parameter[], values: Values): ParameterValue[] {
  return mappings.flatMap((mapping): ParameterValue[] => {
    const parameter = parameters.find((item) => item.id === mapping.parameter_id);
    if (!parameter || !mapping.target) return [];
    const value = values[parameter.id] ?? null;
    return [{ id: parameter.id, type: parameter.type, target: mapping.target, value: isEmptyValue(value) ? null : value }];
  });
}
export const anyValue = (values: Values): boolean => Object.values(values).some((value) => !isEmptyValue(value));
