/** True when every typed word occurs in at least one of the texts, whatever the case. */
export function words_fit(words: string, ...texts: (string | null | undefined)[]): boolean {
  const all = texts.filter(Boolean).join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}
