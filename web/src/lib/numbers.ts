/** 1042118 -> "1,042,118". */
export function count(value: number | null | undefined, locale = 'en-US'): string {
  return value === null || value === undefined ? '–' : new Intl.NumberFormat(locale).format(value);
}

/** 38400000 -> "38.4 MB" (powers of ten, as disks are sold). */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
