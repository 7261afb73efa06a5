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

export { i18next };
