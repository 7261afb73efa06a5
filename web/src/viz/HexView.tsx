import { useRef, useState } from 'react';
import { say } from '../query/words';
import { TipBox } from './Chart';
import styles from './Visualization.module.css';
import type { HexDescription, Mark, Size, Tokens } from './types';

interface HexProps {
  description: HexDescription;
  size: Size;
  inset: number;
  tokens: Tokens;
  measure_name: string;
  /** The card's own title, where one stands above: the ramp then joins its line. */
  title?: string | null;
  onMark?: (mark: Mark, at: { x: number; y: number }, target: HTMLElement | null) => void;
}

/** States of the USA as columns of basalt seen from above: no tiles, always labelled. */
export function HexView({ description, size, inset, tokens, measure_name, title, onMark }: HexProps) {
  const box = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<string | null>(null);
  // Beside the title where both have room, clear of the card's tools; else on a line of its own.
  const tools = 76;
  const ramp_width = tokens.sequential.length * 12 + (description.low.length + description.high.length) * 6.2 + 12;
  const beside_title = Boolean(title) && 2 * inset + title!.length * 6.9 + 12 + ramp_width + tools <= size.width;
  const head = beside_title ? 0 : 20;
  // 12 hexagons across in half steps of 22, 8 rows that overlap by a quarter.
  const width = Math.max(12, Math.min((size.width - 2 * inset) / 11.5, ((size.height - head - 8) / (7 * 0.75 + 1)) * 0.866, 64));
  const height = width / 0.866;
  const total = width * 11.5;
  const left = (size.width - total) / 2;
  const top = head + Math.max(0, (size.height - head - height * 6.25) / 2);
  const center = (column: number, row: number) => ({ x: left + (column / 2) * width + width / 2, y: top + row * height * 0.75 + height / 2 });
  const path = (x: number, y: number) => {
    const [w, h] = [width / 2, height / 2];
    return `M${x},${y - h}L${x + w},${y - h / 2}L${x + w},${y + h / 2}L${x},${y + h}L${x - w},${y + h / 2}L${x - w},${y - h / 2}Z`;
  };
  const light_text = (step: number | null) => step !== null && (tokens.dark ? step < 4 : step >= 4);
  const hovered = description.cells.find((cell) => cell.code === hover);
  return (
    <div className={styles.hexes} ref={box} role="group" aria-label={description.summary}>
      <div className={styles.ramp} style={beside_title ? { insetInlineEnd: inset + tools, top: -28 } : { insetInlineEnd: inset }}>
        {description.low}
        <span aria-hidden="true">{tokens.sequential.map((color) => <i key={color} style={{ background: color, width: beside_title ? 12 : 16 }} />)}</span>
        {description.high}
      </div>
      <svg width={size.width} height={size.height} onPointerLeave={() => setHover(null)}>
        {description.cells.map((cell) => {
          const at = center(cell.column, cell.row);
          const pressable = Boolean(cell.mark && onMark);
          const press = (target: Element) => {
            const frame = box.current?.getBoundingClientRect();
            if (cell.mark && frame) onMark?.(cell.mark, { x: frame.left + at.x + width / 2, y: frame.top + at.y }, target as unknown as HTMLElement);
          };
          return (
            <g
              key={cell.code} className={styles.hex_group} data-pressable={pressable || undefined} data-on={hover === cell.code || undefined} role={pressable ? 'button' : 'img'} aria-label={`${cell.name}: ${cell.text}`}
              tabIndex={pressable ? 0 : undefined} onPointerEnter={() => setHover(cell.code)} onFocus={() => setHover(cell.code)} onBlur={() => setHover(null)}
              onClick={(event) => press(event.currentTarget)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' || event.key === ' ') {
                  event.preventDefault();
                  press(event.currentTarget);
                }
              }}
            >
              <path className={styles.hex} d={path(at.x, at.y)} fill={cell.step === null ? 'var(--sunken)' : tokens.sequential[cell.step]} />
              {width >= 20 && <text className={styles.hex_label} x={at.x} y={at.y + 3.5} fill={cell.step === null ? 'var(--muted)' : light_text(cell.step) ? (tokens.dark ? '#F3F5F8' : '#FFFFFF') : '#1B2430'} style={{ fontSize: Math.min(12, Math.max(8, width * 0.34)) }}>{cell.code}</text>}
            </g>
          );
        })}
      </svg>
      {hovered && <TipBox tip={{ title: hovered.name, lines: [{ label: measure_name, value: hovered.text }] }} element={box.current} at={{ x: center(hovered.column, hovered.row).x + width / 2, y: center(hovered.column, hovered.row).y }} />}
      {description.unplaced > 0 && <div className="visually-hidden">{say('{{count}} rows name no state.', { count: String(description.unplaced) })}</div>}
    </div>
  );
}
