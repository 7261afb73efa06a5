import type { TemporalUnit } from "./types";

/** What a column is, as far as operators and charts care. */
export type Kind = "text" | "number" | "date" | "datetime" | "time" | "boolean" | "other";
interface Typed {
  baseType?: string;
  base_type?: string;
  effectiveType?: string | null;
  effective_type?: string | null;
  semanticType?: string | null;
  semantic_type?: string | null;
}

const NUMBERS = new Set([
  "type/Number", "type/Integer", "type/BigInteger", "type/Float", "type/Decimal", "type/SmallInteger", "type/Currency",
]);
const TEXTS = new Set([
  "type/Text", "type/TextLike", "type/MongoBSONID", "type/UUID", "type/IPAddress", "type/Enum", "type/PostgresEnum",
  "type/Char", "type/Name", "type/URL", "type/Email", "type/OracleCLOB",
]);

/** The type that counts: after coercion, where there is one. */
export const typeOf = (column: Typed): string =>
  column.effectiveType ?? column.effective_type ?? column.baseType ?? column.base_type ?? "type/*";
export const semanticOf = (column: Typed): string | null => column.semanticType ?? column.semantic_type ?? null;

/** What kind of values a type holds. Unknown types are "other": only tests for emptiness fit them. */
export function kindOfType(type: string): Kind {
  if (NUMBERS.has(type)) return "number";
  if (type === "type/Boolean") return "boolean";
  if (type === "type/Date") return "date";
  if (type.startsWith("type/DateTime") || type === "type/Instant" || type === "type/Temporal") return "datetime";
  if (type.startsWith("type/Time")) return "time";
  if (TEXTS.has(type)) return "text";
  return "other";
}
export const kindOf = (column: Typed): Kind => kindOfType(typeOf(column));
export const isNumber = (column: Typed): boolean => kindOf(column) === "number";
export const isDate = (column: Typed): boolean => kindOf(column) === "date" || kindOf(column) === "datetime";
export const isTime = (column: Typed): boolean => kindOf(column) === "time";
export const isText = (column: Typed): boolean => kindOf(column) === "text";
export const isBoolean = (column: Typed): boolean => kindOf(column) === "boolean";
export const isPrimaryKey = (column: Typed): boolean => semanticOf(column) === "type/PK";
export const isForeignKey = (column: Typed): boolean => semanticOf(column) === "type/FK";
export const isKey = (column: Typed): boolean => isPrimaryKey(column) || isForeignKey(column);
export const isCoordinate = (column: Typed): boolean =>
  semanticOf(column) === "type/Latitude" || semanticOf(column) === "type/Longitude" || semanticOf(column) === "type/Coordinate";
const PLACES = ["type/City", "type/State", "type/Country", "type/ZipCode"];
export const isPlace = (column: Typed): boolean => PLACES.includes(semanticOf(column) ?? "");
export const isCategory = (column: Typed): boolean => semanticOf(column) === "type/Category" || isPlace(column);
/** A number one would add up: not a key, not a place on a map. */
export const isMeasure = (column: Typed): boolean => isNumber(column) && !isKey(column) && !isCoordinate(column);

/** The buckets a column can be grouped by, coarse ones where people look first. Empty for what is no date. */
export function unitsFor(column: Typed): TemporalUnit[] {
  const kind = kindOf(column);
  const dates: TemporalUnit[] = ["day", "week", "month", "quarter", "year"];
  const parts: TemporalUnit[] = ["day-of-week", "day-of-month", "day-of-year", "week-of-year", "month-of-year", "quarter-of-year"];
  if (kind === "date") return [...dates, ...parts];
  if (kind === "datetime") return ["minute", "hour", ...dates, "minute-of-hour", "hour-of-day", ...parts];
  if (kind === "time") return ["minute", "hour", "minute-of-hour", "hour-of-day"];
  return [];
}
const EXTRACTIONS = new Set(["second-of-minute", "minute-of-hour", "hour-of-day", "day-of-week", "day-of-month", "day-of-year", "week-of-year", "month-of-year", "quarter-of-year", "year-of-era"]);
export const isExtraction = (unit: string | null | undefined): boolean => unit != null && EXTRACTIONS.has(unit);
