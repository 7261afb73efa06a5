import { useCallback, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type { ECharts } from './engine';
import { fits, LightChart } from './light';
import styles from './Visualization.module.css';
import { say } from '../query/words';
import { ChartSkeleton } from '../ui/States';
import type { ChartDescription, Mark, Size, Tip } from './types';

interface Hover {
  place: number;
  /** The pie slice or bar under the pointer. */
  series?: number;
}
interface ChartProps {
  description: ChartDescription;
  size: Size;
  label: string;
  interactive: boolean;
  onMark?: (mark: Mark, at: { x: number; y: number }, target: HTMLElement | null) => void;
  onRange?: (range: { column: import('./types').Column; from: unknown; to: unknown }) => void;
}

const heavy = 4000;
const calm = () => typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Puts a chart description on the page. Hover, keyboard and tooltip are ours; the library only draws. */
export function Chart({ description, size, label, interactive, onMark, onRange }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const latest = useRef({ description, onMark, onRange });
  latest.current = { description, onMark, onRange };
  const [ready, setReady] = useState(0);
  const [hover, setHover] = useState<Hover | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const renderer = description.weight > heavy ? 'canvas' : fits(description.option) ? 'light' : 'svg';

  useEffect(() => {
    let gone = false;
    const element = box.current;
    if (!element) return;
    if (renderer === 'light') {
      chart.current = new LightChart(element, { width: element.clientWidth, height: element.clientHeight }) as unknown as ECharts;
      setReady((count) => count + 1);
    } else void import('./engine').then(({ init }) => {
      if (gone) return;
      chart.current = init(element, null, { renderer, width: element.clientWidth, height: element.clientHeight });
      setReady((count) => count + 1);
    });
    return () => {
      gone = true;
      chart.current?.dispose();
      chart.current = null;
    };
  }, [renderer]);

  useEffect(() => {
    const instance = chart.current;
    if (!instance || ready === 0) return;
    instance.resize({ width: size.width, height: size.height, silent: true });
    instance.setOption({ ...description.option, animation: !calm() }, { notMerge: true });
    setHover((before) => (before && before.place < description.places ? before : null));
  }, [description, size.width, size.height, ready]);

  /** Pixels inside the box of a place, and of a value of one of its series. */
  const pixel = useCallback((place: number, series?: { value: number; axis: number }): { x: number; y: number } | null => {
    const instance = chart.current;
    const current = latest.current.description;
    if (!instance || current.along === 'none') return null;
    try {
      const along = instance.convertToPixel(current.along === 'x' ? { xAxisIndex: 0 } : { yAxisIndex: 0 }, current.axis_value(place)) as unknown as number;
      const across = series ? (instance.convertToPixel(current.along === 'x' ? { yAxisIndex: series.axis } : { xAxisIndex: 0 }, series.value) as unknown as number) : 0;
      if (!Number.isFinite(along)) return null;
      return current.along === 'x' ? { x: along, y: across } : { x: across, y: along };
    } catch {
      return null;
    }
  }, []);

  const grid = description.option['grid'] as { left: number; right: number; top: number; bottom: number } | undefined;

  const placeAt = useCallback((x: number, y: number): number | null => {
    const instance = chart.current;
    const current = latest.current.description;
    if (!instance || current.along === 'none' || current.places === 0) return null;
    const raw = instance.convertFromPixel(current.along === 'x' ? { xAxisIndex: 0 } : { yAxisIndex: 0 }, current.along === 'x' ? x : y) as unknown as number;
    if (!Number.isFinite(raw)) return null;
    let best = 0;
    let least = Infinity;
    if (current.axis_value(0) === 0 && current.axis_value(current.places - 1) === current.places - 1) best = Math.max(0, Math.min(current.places - 1, Math.round(raw)));
    else
      for (let place = 0; place < current.places; place += 1) {
        const gap = Math.abs(current.axis_value(place) - raw);
        if (gap < least) [least, best] = [gap, place];
      }
    return best;
  }, []);

  /** The series whose mark is nearest to a point of the box. */
  const nearest = useCallback((place: number, x: number, y: number): number | null => {
    const current = latest.current.description;
    let best: number | null = null;
    let least = Infinity;
    for (const item of current.values_at(place)) {
      const at = pixel(place, item);
      if (!at) continue;
      const gap = current.along === 'x' ? Math.abs(at.y - y) : Math.abs(at.x - x);
      if (gap < least) [least, best] = [gap, item.series];
    }
    return best;
  }, [pixel]);

  const press = useCallback((place: number, series: number) => {
    const current = latest.current.description;
    const mark = current.mark(series, place);
    const element = box.current;
    if (!mark || !element || !latest.current.onMark) return;
    const frame = element.getBoundingClientRect();
    const item = current.values_at(place).find((one) => one.series === series);
    const at = pixel(place, item) ?? { x: frame.width / 2, y: frame.height / 2 };
    setHover(null);
    latest.current.onMark(mark, { x: frame.left + at.x, y: frame.top + at.y }, element.parentElement);
  }, [pixel]);

  // The library tells which bar or slice lies under the pointer; between marks the nearest place counts.
  useEffect(() => {
    const instance = chart.current;
    if (!instance || ready === 0 || !interactive) return;
    let marked: { event: unknown; series: number; place: number } | null = null;
    const zr = instance.getZr();
    const onItem = (params: { seriesIndex?: number; dataIndex?: number; componentType?: string; event?: { event?: unknown } }) => {
      if (params.componentType !== 'series' || params.dataIndex === undefined || params.seriesIndex === undefined) return;
      marked = { event: params.event?.event, series: params.seriesIndex, place: params.dataIndex };
    };
    const onClick = (event: { offsetX: number; offsetY: number; event?: unknown }) => {
      if (dragged.current) return;
      const current = latest.current.description;
      if (marked && marked.event === event.event) {
        const hit = marked;
        marked = null;
        if (current.along === 'none') {
          const mark = current.mark(hit.series, hit.place);
          const source = event.event as MouseEvent | undefined;
          if (mark && source) setHover(null);
          if (mark && source) latest.current.onMark?.(mark, { x: source.clientX, y: source.clientY }, box.current?.parentElement ?? null);
        } else press(hit.place, hit.series);
        return;
      }
      if (current.along === 'none') return;
      const place = inside(event.offsetX, event.offsetY) ? placeAt(event.offsetX, event.offsetY) : null;
      const series = place === null ? null : nearest(place, event.offsetX, event.offsetY);
      if (place !== null && series !== null) press(place, series);
    };
    const onOver = (params: { seriesIndex?: number; dataIndex?: number; componentType?: string }) => {
      if (latest.current.description.along === 'none' && params.componentType === 'series' && params.dataIndex !== undefined) setHover({ place: params.dataIndex, series: params.seriesIndex });
    };
    const onOut = () => {
      if (latest.current.description.along === 'none') setHover(null);
    };
    instance.on('click', onItem as never);
    instance.on('mouseover', onOver as never);
    instance.on('mouseout', onOut);
    zr.on('click', onClick as never);
    return () => {
      if (instance.isDisposed()) return;
      instance.off('click', onItem as never);
      instance.off('mouseover', onOver as never);
      instance.off('mouseout', onOut);
      zr.off('click', onClick as never);
    };
  });

  function inside(x: number, y: number): boolean {
    if (!grid) return false;
    return x >= grid.left - 8 && x <= size.width - grid.right + 8 && y >= grid.top - 8 && y <= size.height - grid.bottom + 8;
  }

  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);
  const dragged = useRef(false);
  function onMove(event: React.PointerEvent<HTMLDivElement>) {
    const frame = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - frame.left;
    const y = event.clientY - frame.top;
    setPointer({ x, y });
    if (description.along === 'none') return;
    const place = inside(x, y) ? placeAt(x, y) : null;
    setHover((before) => (place === null ? null : before?.place === place ? before : { place }));
    if (drag && place !== null && place !== drag.to) {
      dragged.current = true;
      setDrag({ ...drag, to: place });
    }
  }
  function onDown(event: React.PointerEvent<HTMLDivElement>) {
    dragged.current = false;
    if (!onRange || !description.range || event.button !== 0 || event.pointerType === 'touch') return;
    const frame = event.currentTarget.getBoundingClientRect();
    const place = inside(event.clientX - frame.left, event.clientY - frame.top) ? placeAt(event.clientX - frame.left, event.clientY - frame.top) : null;
    if (place !== null) setDrag({ from: place, to: place });
  }
  function onUp() {
    if (drag && drag.from !== drag.to && description.range) onRange?.(description.range(drag.from, drag.to));
    setDrag(null);
  }
  function onKey(event: React.KeyboardEvent) {
    if (description.places === 0) return;
    const at = hover?.place ?? -1;
    const last = description.places - 1;
    const forward = event.key === 'ArrowRight' || event.key === 'ArrowDown';
    const back = event.key === 'ArrowLeft' || event.key === 'ArrowUp';
    if (forward || back || event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      const place = event.key === 'Home' ? 0 : event.key === 'End' ? last : forward ? Math.min(last, at + 1) : Math.max(0, at < 0 ? last : at - 1);
      setPointer(null);
      setHover({ place, series: description.along === 'none' ? 0 : undefined });
    } else if ((event.key === 'Enter' || event.key === ' ') && at >= 0) {
      event.preventDefault();
      const first = description.values_at(at)[0];
      if (first) press(at, first.series);
    } else if (event.key === 'Escape' && hover) {
      event.stopPropagation();
      setHover(null);
    }
  }

  const tip = hover ? description.tip(hover.place, hover.series) : null;
  const at = hover && !drag ? pixel(hover.place) : null;
  const points = hover && at && description.along === 'x' ? description.values_at(hover.place).flatMap((item) => {
    const spot = pixel(hover.place, item);
    return spot && isLine(description, item.series) ? [{ ...spot, series: item.series }] : [];
  }) : [];
  const step = description.places > 1 && at ? Math.abs((pixel(1)?.x ?? 0) - (pixel(0)?.x ?? 0)) : 0;
  const has_bars = ((description.option['series'] as { type: string }[] | undefined) ?? []).some((one) => one.type === 'bar');
  const band = drag && description.along === 'x' ? [pixel(drag.from)?.x ?? 0, pixel(drag.to)?.x ?? 0].sort((a, b) => a - b) : null;

  return (
    <div
      className={styles.chart} role="group" aria-roledescription={say('chart')} aria-label={`${label ? `${label}. ` : ''}${description.summary}`}
      tabIndex={interactive ? 0 : undefined} onKeyDown={interactive ? onKey : undefined} onBlur={() => setHover(null)}
      onPointerMove={interactive ? onMove : undefined} onPointerLeave={() => { setHover(null); setDrag(null); setPointer(null); }}
      onPointerDown={interactive ? onDown : undefined} onPointerUp={interactive ? onUp : undefined} data-pressable={onMark ? true : undefined}
    >
      {ready === 0 && size.height > 60 && <div className={styles.coming}><ChartSkeleton height={Math.max(20, size.height - 28)} /></div>}
      <div ref={box} className={styles.drawing} aria-hidden="true" style={{ width: size.width, height: size.height }} />
      {at && grid && description.along === 'x' && !has_bars && <div className={styles.cross} style={{ left: Math.round(at.x), top: grid.top, bottom: grid.bottom }} />}
      {at && grid && description.along === 'x' && has_bars && step > 0 && <div className={styles.band} style={{ left: at.x - step / 2, width: step, top: grid.top, bottom: grid.bottom }} />}
      {at && grid && description.along === 'y' && <div className={styles.band} style={{ top: at.y - Math.max(8, (size.height - grid.top - grid.bottom) / description.places / 2), height: Math.max(16, (size.height - grid.top - grid.bottom) / description.places), left: 0, right: 0 }} />}
      {band && grid && <div className={styles.range} style={{ left: band[0], width: (band[1] ?? 0) - (band[0] ?? 0), top: grid.top, bottom: grid.bottom }} />}
      {points.map((point) => <div key={point.series} className={styles.dot} style={{ left: point.x, top: point.y, background: lineColor(description, point.series) }} />)}
      {tip && interactive && !drag && <TipBox tip={tip} element={box.current} at={at && !pointer ? at : { x: description.along === 'x' && at ? at.x : (pointer?.x ?? size.width / 2), y: pointer?.y ?? size.height / 3 }} />}
      <div className="visually-hidden" aria-live="polite">{tip && !pointer ? `${tip.title}: ${tip.lines.map((line) => `${line.label} ${line.value}`).join(', ')}` : ''}</div>
    </div>
  );
}

function isLine(description: ChartDescription, series: number): boolean {
  return (description.option['series'] as { type: string }[])[series]?.type === 'line';
}
function lineColor(description: ChartDescription, series: number): string {
  return (description.option['series'] as { lineStyle?: { color?: string } }[])[series]?.lineStyle?.color ?? 'var(--brand)';
}

/** Beside the pointer, never over it, never outside the window. */
export function TipBox({ tip, element, at }: { tip: Tip; element: HTMLElement | null; at: { x: number; y: number } }) {
  const ref = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ width: 180, height: 80 });
  useEffect(() => {
    const found = ref.current?.getBoundingClientRect();
    if (found && (Math.abs(found.width - room.width) > 1 || Math.abs(found.height - room.height) > 1)) setRoom({ width: found.width, height: found.height });
  });
  if (!element) return null;
  const frame = element.getBoundingClientRect();
  const x = frame.left + at.x;
  const y = frame.top + at.y;
  const left = x + 14 + room.width > window.innerWidth - 8 ? x - 14 - room.width : x + 14;
  const top = Math.max(8, Math.min(window.innerHeight - room.height - 8, y - room.height / 2));
  return createPortal(
    <div ref={ref} className={styles.tip} style={{ left: Math.max(8, left), top }} role="presentation">
      <div className={styles.tip_title}>{tip.title}</div>
      {tip.lines.map((line, index) => (
        <div key={index} className={styles.tip_line} data-quiet={line.quiet || undefined}>
          <span className={styles.tip_label}>
            {line.color && <span className={styles.tip_mark} data-dashed={line.dashed || undefined} style={{ color: line.color }} />}
            {line.label}
          </span>
          <span className={styles.tip_value} data-tone={line.tone}>{line.value}</span>
        </div>
      ))}
    </div>,
    document.body,
  );
}
