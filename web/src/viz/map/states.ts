/** Where each state's hexagon stands: `column` in half steps, so that odd rows lie between even ones. */
export const states: { code: string; name: string; column: number; row: number }[] = [
  { code: 'AK', name: 'Alaska', column: 0, row: 0 }, { code: 'ME', name: 'Maine', column: 20, row: 0 },
  { code: 'VT', name: 'Vermont', column: 19, row: 1 }, { code: 'NH', name: 'New Hampshire', column: 21, row: 1 },
  { code: 'WA', name: 'Washington', column: 2, row: 2 }, { code: 'MT', name: 'Montana', column: 4, row: 2 }, { code: 'ND', name: 'North Dakota', column: 6, row: 2 },
  { code: 'MN', name: 'Minnesota', column: 8, row: 2 }, { code: 'WI', name: 'Wisconsin', column: 10, row: 2 }, { code: 'MI', name: 'Michigan', column: 14, row: 2 },
  { code: 'NY', name: 'New York', column: 16, row: 2 }, { code: 'MA', name: 'Massachusetts', column: 18, row: 2 }, { code: 'RI', name: 'Rhode Island', column: 20, row: 2 },
  { code: 'ID', name: 'Idaho', column: 3, row: 3 }, { code: 'WY', name: 'Wyoming', column: 5, row: 3 }, { code: 'SD', name: 'South Dakota', column: 7, row: 3 },
  { code: 'IA', name: 'Iowa', column: 9, row: 3 }, { code: 'IL', name: 'Illinois', column: 11, row: 3 }, { code: 'IN', name: 'Indiana', column: 13, row: 3 },
  { code: 'OH', name: 'Ohio', column: 15, row: 3 }, { code: 'PA', name: 'Pennsylvania', column: 17, row: 3 }, { code: 'NJ', name: 'New Jersey', column: 19, row: 3 }, { code: 'CT', name: 'Connecticut', column: 21, row: 3 },
  { code: 'OR', name: 'Oregon', column: 2, row: 4 }, { code: 'NV', name: 'Nevada', column: 4, row: 4 }, { code: 'CO', name: 'Colorado', column: 6, row: 4 },
  { code: 'NE', name: 'Nebraska', column: 8, row: 4 }, { code: 'MO', name: 'Missouri', column: 10, row: 4 }, { code: 'KY', name: 'Kentucky', column: 12, row: 4 },
  { code: 'WV', name: 'West Virginia', column: 14, row: 4 }, { code: 'MD', name: 'Maryland', column: 16, row: 4 }, { code: 'DE', name: 'Delaware', column: 18, row: 4 },
  { code: 'CA', name: 'California', column: 3, row: 5 }, { code: 'UT', name: 'Utah', column: 5, row: 5 }, { code: 'NM', name: 'New Mexico', column: 7, row: 5 },
  { code: 'KS', name: 'Kansas', column: 9, row: 5 }, { code: 'AR', name: 'Arkansas', column: 11, row: 5 }, { code: 'TN', name: 'Tennessee', column: 13, row: 5 },
  { code: 'VA', name: 'Virginia', column: 15, row: 5 }, { code: 'NC', name: 'North Carolina', column: 17, row: 5 }, { code: 'DC', name: 'District of Columbia', column: 19, row: 5 },
  { code: 'AZ', name: 'Arizona', column: 4, row: 6 }, { code: 'OK', name: 'Oklahoma', column: 6, row: 6 }, { code: 'LA', name: 'Louisiana', column: 8, row: 6 },
  { code: 'MS', name: 'Mississippi', column: 10, row: 6 }, { code: 'AL', name: 'Alabama', column: 12, row: 6 }, { code: 'SC', name: 'South Carolina', column: 14, row: 6 },
  { code: 'HI', name: 'Hawaii', column: 1, row: 7 }, { code: 'TX', name: 'Texas', column: 7, row: 7 }, { code: 'GA', name: 'Georgia', column: 13, row: 7 }, { code: 'FL', name: 'Florida', column: 15, row: 7 },
];
const by_word = new Map(states.flatMap((state) => [[state.code.toLowerCase(), state.code], [state.name.toLowerCase(), state.code], [`us-${state.code.toLowerCase()}`, state.code]] as [string, string][]));
/** "Texas", "tx", "US-TX" -> "TX"; undefined for what is no state. */
export function stateCode(value: unknown): string | undefined {
  return typeof value === 'string' ? by_word.get(value.trim().toLowerCase()) : undefined;
}
