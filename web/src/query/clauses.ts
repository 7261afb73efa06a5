import type { Clause, ColumnRef, FieldOptions, Ref, TemporalUnit, Binning } from "./types";

export function isClause(value: unknown): value is Clause {
  return Array.isArray(value) && typeof value[0] === "string";
}
/** A reference to a column, a custom column or an aggregation (never a literal). */
export function isRef(value: unknown): value is Ref {
  return isClause(value) && (value[0] === "field" || value[0] === "expression" || value[0] === "aggregation");
}
export function isColumnRef(value: unknown): value is ColumnRef {
  return isRef(value) && value[0] !== "aggregation";
}

export function optionsOf(ref: Ref): FieldOptions {
  return ref[0] === "aggregation" ? {} : ((ref[2] as FieldOptions | null | undefined) ?? {});
}
/** The same reference with some options changed; undefined takes an option away. */
export function withOptions<R extends ColumnRef>(ref: R, change: FieldOptions): R {
  const options: FieldOptions = { ...optionsOf(ref), ...change };
  for (const key of Object.keys(options)) if (options[key] === undefined) delete options[key];
  const empty = Object.keys(options).length === 0;
  if (ref[0] === "expression") return (empty ? ["expression", ref[1]] : ["expression", ref[1], options]) as R;
  return ["field", ref[1], empty ? null : options] as unknown as R;
}
export const unitOf = (ref: Ref): TemporalUnit | null => optionsOf(ref)["temporal-unit"] ?? null;
export const binningOf = (ref: Ref): Binning | null => optionsOf(ref).binning ?? null;
export const withUnit = <R extends ColumnRef>(ref: R, unit: TemporalUnit | null): R =>
  withOptions(ref, { "temporal-unit": unit ?? undefined });
export const withBinning = <R extends ColumnRef>(ref: R, binning: Binning | null): R =>
  withOptions(ref, { binning: binning ?? undefined });
/** Without bucket and bins: the column itself. */
export const bareRef = <R extends ColumnRef>(ref: R): R =>
  withOptions(ref, { "temporal-unit": undefined, binning: undefined, "original-temporal-unit": undefined, "inherited-temporal-unit": undefined });

/**
 * A text by which two references to the same column are equal. Types and bookkeeping do not count;
 * bucket and bins count only with `exact`.
 */
export function refKey(ref: Ref, exact = false): string {
  if (ref[0] === "aggregation") return `aggregation/${ref[1]}`;
  const options = optionsOf(ref);
  const parts = [ref[0], typeof ref[1], String(ref[1]), options["join-alias"] ?? "", options["source-field"] ?? ""];
  if (exact) parts.push(options["temporal-unit"] ?? "", JSON.stringify(options.binning ?? null));
  return parts.join("/");
}
export const sameColumn = (a: Ref, b: Ref): boolean => refKey(a) === refKey(b);
export const sameRef = (a: Ref, b: Ref): boolean => refKey(a, true) === refKey(b, true);

/** Every reference inside a value, outermost first. */
export function refsIn(value: unknown): Ref[] {
  if (isRef(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (value !== null && typeof value === "object") return Object.values(value).flatMap(refsIn);
  return [];
}
/** The value with every reference replaced. */
export function mapRefs<T>(value: T, change: (ref: Ref) => Ref): T {
  if (isRef(value)) return change(value) as unknown as T;
  if (Array.isArray(value)) return value.map((item) => mapRefs(item, change)) as unknown as T;
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapRefs(item, change)])) as T;
  return value;
}

/** Aggregation without its `aggregation-options` wrapper. */
export function bareAggregation(aggregation: Clause): Clause {
  return aggregation[0] === "aggregation-options" ? (aggregation[1] as Clause) : aggregation;
}
export function aggregationOptions(aggregation: Clause): { name?: string; "display-name"?: string } {
  return aggregation[0] === "aggregation-options" ? ((aggregation[2] as object | undefined) ?? {}) : {};
}
/** The aggregation under a name of the user's; an empty name takes the name away. */
export function namedAggregation(aggregation: Clause, displayName: string): Clause {
  const bare = bareAggregation(aggregation);
  const options: Record<string, unknown> = { ...aggregationOptions(aggregation) };
  if (displayName.trim() === "") delete options["display-name"];
  else options["display-name"] = displayName.trim();
  return Object.keys(options).length === 0 ? bare : ["aggregation-options", bare, options];
}
