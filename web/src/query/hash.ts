import type { DatasetQuery } from "./types";

/** A card that is not saved, as the address of the question page holds it (after the #). */
export interface AdhocCard {
  dataset_query: DatasetQuery;
  display?: string;
  visualization_settings?: Record<string, unknown>;
  name?: string;
  /** The saved question it was started from. */
  original_card_id?: number;
  /** Values that a dashboard's filters had. */
  parameters?: unknown[];
  [key: string]: unknown;
}

/** Base64 of the UTF-8 JSON, safe in an address. */
export function encodeCard(card: AdhocCard): string {
  const bytes = new TextEncoder().encode(JSON.stringify(card));
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}
/** null for anything that is no card: the address is typed by people. Takes the text with or without its #. */
export function decodeCard(hash: string): AdhocCard | null {
  const text = decodeURIComponentSafely(hash.replace(/^#/, "")).replace(/-/g, "+").replace(/_/g, "/").replace(/\s/g, "+");
  if (text === "") return null;
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const card: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return card !== null && typeof card === "object" && "dataset_query" in card ? (card as AdhocCard) : null;
  } catch {
    return null;
  }
}
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
/** The address of the question page for a card. */
export const questionAddress = (card: AdhocCard): string => `/question#${encodeCard(card)}`;
/** The address of the builder for a card. */
export const builderAddress = (card: AdhocCard): string => `/question/notebook#${encodeCard(card)}`;
