export interface Rule {
  /** Key of the sentence in strings.ts. */
  name: 'rule_length' | 'rule_digit' | 'rule_lower' | 'rule_upper' | 'rule_special';
  count: number;
  met: boolean;
}

const counters: Record<string, { name: Rule['name']; of: (text: string) => number }> = {
  total: { name: 'rule_length', of: (text) => [...text].length },
  digit: { name: 'rule_digit', of: (text) => (text.match(/\d/g) ?? []).length },
  lower: { name: 'rule_lower', of: (text) => (text.match(/\p{Ll}/gu) ?? []).length },
  upper: { name: 'rule_upper', of: (text) => (text.match(/\p{Lu}/gu) ?? []).length },
  special: { name: 'rule_special', of: (text) => (text.match(/[^\p{L}\d]/gu) ?? []).length },
};

/** The server's demands ({total: 6, digit: 1}) held against what was typed so far. */
export function password_rules(complexity: Record<string, number> | undefined, password: string): Rule[] {
  return Object.entries(complexity ?? { total: 6, digit: 1 })
    .filter(([kind, count]) => kind in counters && count > 0)
    .map(([kind, count]) => ({ name: counters[kind].name, count, met: counters[kind].of(password) >= count }));
}

export function is_email(text: string): boolean {
  return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text.trim());
}
