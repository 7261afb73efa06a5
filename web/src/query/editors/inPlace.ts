/** For lists of choices inside a pop-over: drawn outside of it, a press on a choice would count as leaving the pop-over. */
export const inPlace = { withinPortal: false, shadow: 'md' } as const;
