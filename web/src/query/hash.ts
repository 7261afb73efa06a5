import { decode_card_hash, encode_card_hash } from "../lib/paths";
import type { DatasetQuery } from "./types";

/** A card that is not saved, as the address of the question page holds it (after the #). */
export interface AdhocCard {
  dataset_query: DatasetQuery;
  display?: string;
  visualization_settings?: Record<string, unknown>;
  name?: string;
  /** The saved question it was started from. */
  original_card_id?: number;
  [key: string]: unknown;
}

export const encodeCard = (card: AdhocCard): string => encode_card_hash(card);
/** null for anything that is no card: the address is typed by people. Takes the text with or without its #. */
export function decodeCard(hash: string): AdhocCard | null {
  let card: unknown;
  try {
    card = decode_card_hash(hash.replace(/-/g, "+").replace(/_/g, "/"));
  } catch {
    return null;
  }
  return card !== null && typeof card === "object" && "dataset_query" in card ? (card as AdhocCard) : null;
}
/** The address of the question page for a card. */
export const questionAddress = (card: AdhocCard): string => `/question#${encodeCard(card)}`;
/** The address of the builder for a card. */
export const builderAddress = (card: AdhocCard): string => `/question/notebook#${encodeCard(card)}`;
