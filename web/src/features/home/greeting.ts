/** Which greeting fits the hour (0 to 23) on the person's own clock. */
export function greeting(hour: number): 'morning' | 'afternoon' | 'evening' {
  if (hour < 4) return 'evening';
  if (hour < 12) return 'morning';
  return hour < 18 ? 'afternoon' : 'evening';
}
