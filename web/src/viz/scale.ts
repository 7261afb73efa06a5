/** Round steps for an axis: 1, 2, 2.5 or 5 times a power of ten. */
export function niceStep(span: number, count: number): number {
  if (!(span > 0) || !Number.isFinite(span)) return 1;
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const fraction = raw / power;
  const step = fraction <= 1 ? 1 : fraction <= 2 ? 2 : fraction <= 2.5 ? 2.5 : fraction <= 5 ? 5 : 10;
  return step * power;
}

export interface Scale {
  min: number;
  max: number;
  step: number;
  ticks: number[];
}

/** An axis that holds `low` to `high` with about `count` steps. Whole numbers get whole steps with `whole`. */
export function niceScale(low: number, high: number, count: number, whole = false): Scale {
  let min = Number.isFinite(low) ? low : 0;
  let max = Number.isFinite(high) ? high : 1;
  if (min === max) {
    if (max === 0) max = 1;
    else if (max > 0) min = Math.min(0, min);
    else max = 0;
  }
  let step = niceStep(max - min, count);
  if (whole) step = Math.max(1, Math.ceil(step));
  const first = Math.floor(min / step + 1e-9) * step;
  const last = Math.ceil(max / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let index = 0; index <= Math.round((last - first) / step); index += 1) ticks.push(Number((first + index * step).toPrecision(12)));
  return { min: ticks[0]!, max: ticks[ticks.length - 1]!, step, ticks };
}

/** Every how many places a label fits, in steps that read well for the unit. */
export function labelEvery(places: number, width: number, label_width: number, unit?: string): number {
  const room = Math.max(1, Math.floor(width / Math.max(1, label_width)));
  const least = Math.max(1, Math.ceil(places / room));
  const steps = unit === 'month' ? [1, 2, 3, 6, 12, 24, 60, 120] : unit === 'quarter' ? [1, 2, 4, 8, 20, 40] : unit === 'hour' ? [1, 2, 3, 6, 12, 24, 48, 168] : unit === 'day' ? [1, 2, 7, 14, 28, 91, 182, 364] : [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000];
  return steps.find((step) => step >= least) ?? least;
}

/** Width of a text without a canvas: good enough to lay out, and the same everywhere. */
export function roughWidth(text: string, font_size: number, weight = 400): number {
  let units = 0;
  for (const letter of text) {
    if (/[iIl.,:;'|!]/.test(letter)) units += 0.29;
    else if (/[fjrt()\s-]/.test(letter)) units += 0.38;
    else if (/[mwMW%@]/.test(letter)) units += 0.88;
    else if (/[A-Z]/.test(letter)) units += 0.68;
    else if (/\d|\$/.test(letter)) units += 0.63;
    else units += 0.57;
  }
  return units * font_size * (weight >= 600 ? 1.05 : 1);
}

/** Cuts a text with "…" so that it takes at most `width` pixels. */
export function shorten(text: string, width: number, font_size: number, measure: (text: string, font_size: number) => number): string {
  if (measure(text, font_size) <= width) return text;
  let length = Math.max(1, Math.floor((text.length * width) / measure(text, font_size)));
  while (length > 1 && measure(`${text.slice(0, length)}…`, font_size) > width) length -= 1;
  return `${text.slice(0, length).trimEnd()}…`;
}
