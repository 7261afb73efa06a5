import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

/** Words of one feature: nested objects of sentences. Plurals use the suffixes `_one` and `_other`. */
export interface Strings {
  [key: string]: string | Strings;
}

void i18next.use(initReactI18next).init({
  lng: 'en',
  fallbackLng: 'en',
  ns: ['common'],
  defaultNS: 'common',
  resources: {},
  interpolation: { escapeValue: false },
  initAsync: false,
  showSupportNotice: false,
} as Parameters<typeof i18next.init>[0]);

/**
 * Registers a feature's English words under its own namespace.
 * Called once at module load by `features/<name>/strings.ts`, so that a lazy page brings its own words.
 */
export function add_strings(namespace: string, english: Strings): void {
  i18next.addResourceBundle('en', namespace, english, true, true);
}

/** Languages the app speaks; each but English is one file of texts, fetched when it is wanted. */
const languages: Record<string, () => Promise<Texts>> = {
  de: () => import('@/locales/de').then((module) => module.default),
};
export interface Texts {
  /** By namespace, as add_strings has them. */
  words: Record<string, Strings>;
  /** By English sentence, as say() has them. */
  sentences: Record<string, string>;
}
const kept = 'basalt-language';

/** The language kept from the last visit, or the browser's own. */
export function remembered_language(): string {
  return localStorage.getItem(kept) ?? navigator.language.slice(0, 2);
}

/** The language spoken for a locale (“de_AT” → “de”): English where there is no other. */
export const language_of = (code: string): string => (code.slice(0, 2) in languages ? code.slice(0, 2) : 'en');

/** Speaks `code` (“de”, “pt_BR”) from now on, English where it is unknown. Texts on the screen change with the next rendering. */
export async function speak(code: string): Promise<void> {
  const language = language_of(code);
  const load = languages[language];
  if (load && !i18next.hasResourceBundle(language, 'common')) {
    const { words, sentences } = await load();
    for (const [namespace, strings] of Object.entries(words)) i18next.addResourceBundle(language, namespace, strings, true, true);
    i18next.addResourceBundle(language, 'common', sentences); // not deep: sentences have dots
  }
  localStorage.setItem(kept, language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

/** Where dates are written: “23 November”, “23. November”. */
export const date_locale = (): string => (i18next.language === 'de' ? 'de-DE' : 'en-GB');

export { i18next };
