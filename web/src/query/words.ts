import i18next from "i18next";

/**
 * A sentence in the reader's language. The English sentence is the key, `{{name}}` stands for a value.
 * Works before the translations are loaded (and in tests) by filling in the English sentence.
 */
export function say(sentence: string, values: Record<string, string | number> = {}): string {
  if (i18next.isInitialized) {
    return String(
      i18next.t(sentence, {
        ...values,
        defaultValue: sentence,
        keySeparator: false,
        nsSeparator: false,
        interpolation: { escapeValue: false },
      }),
    );
  }
  return sentence.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

/** A name in the middle of a sentence: small in English; German nouns stay as they are. */
export const inside = (name: string): string => (i18next.language === 'de' ? name : name.toLowerCase());
