// Draws the everyday charts (lines, areas, upright bars over named places) as SVG without the drawing library, from the
// same options. A dashboard of such charts never fetches the library; whatever is not known here is left to it.

type Json = Record<string, unknown>;
type Handler = (event: never) => void;

interface AxisStyle { show?: boolean; color?: string; fontSize?: number; fontFamily?: string; margin?: number; rotate?: number; hideOverlap?: boolean; interval?: unknown; formatter?: (value: never, index: number) => string }
interface Item { value: number | null; symbolSize?: number; itemStyle?: Json; label?: Json }
interface Extent { min: number; max: number; interval: number }

const namespace = 'http://www.w3.org/2000/svg';
let gradients = 0;

/** Whether `draw` knows everything this option asks for. */
export function fits(option: Json): boolean {
  const x = option['xAxis'] as Json | undefined;
  const y = option['yAxis'] as Json[] | undefined;
  const series = option['series'] as Json[] | undefined;
  if (!x || !Array.isArray(y) || !Array.isArray(series) || x['type'] !== 'category' || x['name']) return false;
  const labels = (x['axisLabel'] ?? {}) as AxisStyle;
  if (labels.show !== false && typeof labels.interval !== 'function' && labels.interval !== 0) return false;
  if (y.some((axis) => axis['type'] !== 'value' || axis['name'] || typeof axis['min'] !== 'number' || typeof axis['max'] !== 'number')) return false;
  return series.every((one) => {
    if (one['type'] !== 'line' && one['type'] !== 'bar') return false;
    return !one['smooth'] && !one['step'] && !one['markLine'] && !(one['label'] as Json | undefined)?.['show'];
  });
}

/** The part of the library's chart that the page uses. */
export class LightChart {
  private readonly svg: SVGSVGElement;
  private readonly handlers = new Map<string, Set<Handler>>();
  private width: number;
  private height: number;
  private option: Json | null = null;
  private gone = false;

  constructor(element: HTMLElement, size: { width: number; height: number }) {
    this.width = size.width;
    this.height = size.height;
    this.svg = document.createElementNS(namespace, 'svg');
    this.svg.style.display = 'block';
    element.append(this.svg);
    this.svg.addEventListener('click', (event) => {
      const mark = (event.target as Element).closest('[data-place]');
      if (mark) this.tell('click', { componentType: 'series', seriesIndex: Number(mark.getAttribute('data-series')), dataIndex: Number(mark.getAttribute('data-place')), event: { event } });
      const frame = this.svg.getBoundingClientRect();
      this.tell('zr:click', { offsetX: event.clientX - frame.left, offsetY: event.clientY - frame.top, event });
    });
  }

  resize({ width, height }: { width: number; height: number; silent?: boolean }) {
    this.width = width;
    this.height = height;
  }
  setOption(option: Json, _options?: unknown) {
    this.option = option;
    this.draw();
  }
  dispose() {
    this.gone = true;
    this.handlers.clear();
    this.svg.remove();
  }
  isDisposed() {
    return this.gone;
  }
  on(name: string, handler: Handler) {
    const list = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, list.add(handler));
  }
  off(name: string, handler: Handler) {
    this.handlers.get(name)?.delete(handler);
  }
  getZr() {
    return { on: (name: string, handler: Handler) => this.on(`zr:${name}`, handler), off: (name: string, handler: Handler) => this.off(`zr:${name}`, handler) };
  }
  convertToPixel(finder: { xAxisIndex?: number; yAxisIndex?: number }, value: number): number {
    return finder.yAxisIndex === undefined ? this.along(value) : this.across(value, finder.yAxisIndex);
  }
  convertFromPixel(_finder: { xAxisIndex?: number }, pixel: number): number {
    const { left, width, count, banded } = this.plot();
    const share = (pixel - left) / width;
    return Math.max(0, Math.min(count - 1, banded ? Math.floor(share * count) : Math.round(share * (count - 1))));
  }

  private tell(name: string, event: unknown) {
    for (const handler of [...(this.handlers.get(name) ?? [])]) handler(event as never);
  }
  private plot() {
    const grid = this.option!['grid'] as { left: number; right: number; top: number; bottom: number };
    const x = this.option!['xAxis'] as Json;
    return { left: grid.left, top: grid.top, width: Math.max(1, this.width - grid.left - grid.right), height: Math.max(1, this.height - grid.top - grid.bottom), count: (x['data'] as unknown[]).length, banded: x['boundaryGap'] !== false };
  }
  private along(place: number): number {
    const { left, width, count, banded } = this.plot();
    if (banded) return left + ((place + 0.5) * width) / Math.max(1, count);
    return count < 2 ? left + width / 2 : left + (place * width) / (count - 1);
  }
  private across(value: number, axis: number): number {
    const { top, height } = this.plot();
    const { min, max } = (this.option!['yAxis'] as Extent[])[axis]!;
    return top + height - ((value - min) / (max - min || 1)) * height;
  }

  private draw() {
    const { svg, option } = this;
    if (!option) return;
    svg.replaceChildren();
    svg.setAttribute('width', String(this.width));
    svg.setAttribute('height', String(this.height));
    const labels: Element[] = [];
    this.drawAxes();
    this.drawSeries(labels);
    svg.append(...labels);
  }

  private drawAxes() {
    const { svg } = this;
    const { left, top, width, height, count } = this.plot();
    (this.option!['yAxis'] as (Json & Extent)[]).forEach((axis, index) => {
      const style = axis['axisLabel'] as AxisStyle;
      const split = axis['splitLine'] as { show?: boolean; lineStyle?: Json } | undefined;
      const steps = axis.interval > 0 ? Math.min(50, Math.round((axis.max - axis.min) / axis.interval)) : 0;
      for (let step = 0; step <= steps; step += 1) {
        const value = Number((axis.min + step * axis.interval).toPrecision(12));
        const y = this.across(value, index);
        if (split?.show) svg.append(make('line', { x1: left, x2: left + width, y1: crisp(y), y2: crisp(y), stroke: split.lineStyle?.['color'] }));
        if (style.show !== false) svg.append(text(style.formatter!(value as never, step), index === 0 ? left - (style.margin ?? 8) : left + width + (style.margin ?? 8), y, style, index === 0 ? 'end' : 'start', 'central'));
      }
    });
    const x = this.option!['xAxis'] as Json;
    const line = x['axisLine'] as { show?: boolean; lineStyle?: Json } | undefined;
    if (line?.show) {
      const { min, max } = (this.option!['yAxis'] as Extent[])[0]!;
      const y = crisp(min <= 0 && max >= 0 ? this.across(0, 0) : top + height);
      svg.append(make('line', { x1: left, x2: left + width, y1: y, y2: y, stroke: line.lineStyle?.['color'] }));
    }
    const style = x['axisLabel'] as AxisStyle;
    if (style.show === false) return;
    const wanted = typeof style.interval === 'function' ? (style.interval as (index: number, value: unknown) => boolean) : () => true;
    const data = x['data'] as unknown[];
    let free = -Infinity;
    for (let place = 0; place < count; place += 1) {
      if (!wanted(place, data[place])) continue;
      const words = style.formatter ? style.formatter(data[place] as never, place) : String(data[place]);
      if (!words) continue;
      const at = this.along(place);
      const below = top + height + (style.margin ?? 8);
      if (style.rotate) {
        const label = text(words, at, below, style, 'end', 'central');
        label.setAttribute('transform', `rotate(${-style.rotate} ${at} ${below})`);
        svg.append(label);
        continue;
      }
      const room = words.length * (style.fontSize ?? 11) * 0.56;
      if (style.hideOverlap && at - room / 2 < free) continue;
      free = at + room / 2 + 2;
      svg.append(text(words, at, below + (style.fontSize ?? 11) * 0.64, style, 'middle'));
    }
  }

  private drawSeries(labels: Element[]) {
    const series = this.option!['series'] as Json[];
    const { width, count } = this.plot();
    // Bars of one place stand side by side; those of one stack share a column.
    const column_of = (one: Json, index: number) => String(one['stack'] ?? `own ${index}`);
    const columns = [...new Set(series.flatMap((one, index) => (one['type'] === 'bar' ? [column_of(one, index)] : [])))];
    const first_bar = series.find((one) => one['type'] === 'bar');
    const share = (of: unknown) => Number.parseFloat(String(of ?? 0)) / 100;
    const band = width / Math.max(1, count);
    const gap = share(first_bar?.['barGap']);
    const bar_width = Math.min(Number(first_bar?.['barMaxWidth'] ?? 56), (band * (1 - share(first_bar?.['barCategoryGap']))) / Math.max(1, columns.length + (columns.length - 1) * gap));
    const all_bars = bar_width * (columns.length + Math.max(0, columns.length - 1) * gap);
    const up = new Map<string, number>();

    series.forEach((one, index) => {
      const axis = Number(one['yAxisIndex'] ?? 0);
      const extent = (this.option!['yAxis'] as Extent[])[axis]!;
      const floor = Math.max(extent.min, Math.min(extent.max, 0));
      const items = (one['data'] as unknown[]).map(itemOf);
      const ends = items.map(({ value }, place): { from: number; to: number } | null => {
        if (value === null) return null;
        if (!one['stack']) return { from: floor, to: value };
        const key = `${String(one['stack'])} ${axis} ${place} ${value < 0 ? 'down' : 'up'}`;
        const from = up.get(key) ?? 0;
        up.set(key, from + value);
        return { from, to: from + value };
      });
      const group = make('g', {});
      this.svg.append(group);
      if (one['type'] === 'bar') {
        const offset = columns.indexOf(column_of(one, index)) * bar_width * (1 + gap) - all_bars / 2;
        items.forEach((item, place) => {
          const end = ends[place];
          if (!end) return;
          const style = { ...(one['itemStyle'] as Json | undefined), ...item.itemStyle };
          const [high, low] = [this.across(end.to, axis), this.across(end.from, axis)].sort((a, b) => a - b) as [number, number];
          // Thin bars would be all edge.
          const inset = Math.min(Number(style['borderWidth'] ?? 0), bar_width / 6, low - high) / 2;
          group.append(make('rect', {
            x: round(this.along(place) + offset + inset), y: round(high + inset), width: round(Math.max(0, bar_width - 2 * inset)), height: round(Math.max(0, low - high - 2 * inset)),
            fill: style['color'], stroke: inset > 0 ? style['borderColor'] : undefined, 'stroke-width': inset > 0 ? inset * 2 : undefined,
            'stroke-dasharray': Array.isArray(style['borderType']) ? style['borderType'].join(' ') : undefined, 'data-series': index, 'data-place': place,
          }));
        });
        return;
      }
      const runs: { x: number; y: number; base: number }[][] = [[]];
      ends.forEach((end, place) => {
        if (end) runs[runs.length - 1]!.push({ x: this.along(place), y: this.across(end.to, axis), base: this.across(end.from, axis) });
        else if (!one['connectNulls'] && runs[runs.length - 1]!.length > 0) runs.push([]);
      });
      const area = one['areaStyle'] as Json | undefined;
      const line = (one['lineStyle'] ?? {}) as Json;
      for (const run of runs) {
        if (run.length === 0) continue;
        const path = run.map((point) => `${round(point.x)},${round(point.y)}`);
        if (area && run.length > 1) {
          const back = [...run].reverse().map((point) => `${round(point.x)},${round(point.base)}`);
          group.append(make('path', { d: `M${path.join('L')}L${back.join('L')}Z`, fill: this.paint(area['color'], group), 'fill-opacity': area['opacity'] ?? 0.7 }));
        }
        if (run.length > 1) group.append(make('path', { d: `M${path.join('L')}`, fill: 'none', stroke: line['color'], 'stroke-width': line['width'], 'stroke-linejoin': 'round', 'stroke-dasharray': Array.isArray(line['type']) ? line['type'].join(' ') : undefined }));
      }
      let last: { x: number; y: number } | null = null;
      items.forEach((item, place) => {
        const end = ends[place];
        if (!end) return;
        const at = { x: this.along(place), y: this.across(end.to, axis) };
        last = at;
        const size = item.symbolSize ?? Number(one['symbolSize'] ?? 4);
        if (one['showSymbol'] !== false && one['symbol'] !== 'none' && size > 0) {
          const style = { ...(one['itemStyle'] as Json | undefined), ...item.itemStyle };
          group.append(make('circle', { cx: round(at.x), cy: round(at.y), r: size / 2, fill: style['color'], stroke: style['borderColor'], 'stroke-width': style['borderWidth'], 'data-series': index, 'data-place': place }));
        }
        if (item.label?.['show']) labels.push(pointLabel(item.label, at, size));
      });
      const end_label = one['endLabel'] as Json | undefined;
      if (last && end_label?.['show']) labels.push(...endLabels(end_label, last));
    });
  }

  /** A colour, or a gradient between two heights of the chart. */
  private paint(color: unknown, group: Element): unknown {
    if (typeof color !== 'object' || color === null) return color;
    const { x, y, x2, y2, colorStops } = color as { x: number; y: number; x2: number; y2: number; colorStops: { offset: number; color: string }[] };
    const id = `light-${(gradients += 1)}`;
    const gradient = make('linearGradient', { id, gradientUnits: 'userSpaceOnUse', x1: x, y1: y, x2, y2 });
    gradient.append(...colorStops.map((stop) => make('stop', { offset: stop.offset, 'stop-color': stop.color })));
    group.append(gradient);
    return `url(#${id})`;
  }
}

function itemOf(raw: unknown): Item {
  if (typeof raw === 'number') return { value: raw };
  if (typeof raw !== 'object' || raw === null) return { value: null };
  const item = raw as { value?: unknown; symbolSize?: number; itemStyle?: Json; label?: Json };
  return { ...item, value: typeof item.value === 'number' ? item.value : null };
}

function pointLabel(label: Json, at: { x: number; y: number }, size: number): Element {
  const [, dy] = (label['offset'] ?? [0, 0]) as [number, number];
  const away = size / 2 + Number(label['distance'] ?? 5);
  const font = Number(label['fontSize'] ?? 11);
  const below = label['position'] === 'bottom';
  const drawn = text(String(label['formatter']), at.x, at.y + dy + (below ? away + font * 0.55 : -away + 2), label as AxisStyle, label['align'] === 'right' ? 'end' : 'middle');
  for (const [name, value] of [['font-weight', label['fontWeight']], ['stroke', label['textBorderColor']], ['stroke-width', label['textBorderWidth']], ['paint-order', 'stroke'], ['stroke-linejoin', 'round']] as const) if (value !== undefined) drawn.setAttribute(name, String(value));
  return drawn;
}

/** `{name|This year}\n{value|$271k so far}` beside the end of a line. */
function endLabels(label: Json, at: { x: number; y: number }): Element[] {
  const lines = [...String(label['formatter']).matchAll(/\{(\w+)\|([^}]*)\}/g)];
  const rich = (label['rich'] ?? {}) as Record<string, Json>;
  const [dx, dy] = (label['offset'] ?? [0, 0]) as [number, number];
  return lines.map((line, index) => {
    const style = rich[line[1]!] ?? {};
    const drawn = text(line[2]!, at.x + dx + Number(label['distance'] ?? 5), at.y + dy + (index - (lines.length - 1) / 2) * Number(style['lineHeight'] ?? 15), style as AxisStyle, 'start', 'central');
    if (style['fontWeight']) drawn.setAttribute('font-weight', String(style['fontWeight']));
    return drawn;
  });
}

function make(name: string, attributes: Json): Element {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) element.setAttribute(key, String(value));
  return element;
}
function text(words: string, x: number, y: number, style: AxisStyle, anchor: 'start' | 'middle' | 'end', baseline?: string): Element {
  const element = make('text', { x: round(x), y: round(y), fill: style.color, 'font-size': style.fontSize, 'font-family': style.fontFamily, 'text-anchor': anchor, 'dominant-baseline': baseline });
  element.textContent = words;
  return element;
}
const round = (value: number) => Math.round(value * 100) / 100;
const crisp = (value: number) => Math.round(value - 0.5) + 0.5;
