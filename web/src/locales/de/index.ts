// German.
import type { Texts } from '@/lib/i18n';
import admin from './admin';
import pages from './pages';
import sentences_a from './sentences_a';
import sentences_b from './sentences_b';

const texts: Texts = { words: { ...pages, ...admin }, sentences: { ...sentences_a, ...sentences_b } };
export default texts;
