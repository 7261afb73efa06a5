export type ColumnState = 'done' | 'now' | 'later';

export interface ColumnShape {
  height: number;
  state: ColumnState;
}

/**
 * A row of basalt columns as progress: done = stone, now = lit, to come = outline.
 * `outline_only` draws them all as outlines, the lit one in ember: the empty state.
 */
export function Columns({
  columns,
  width = 40,
  gap = 9,
  outline_only = false,
  stroke = 1.25,
  label,
}: {
  columns: ColumnShape[];
  width?: number;
  gap?: number;
  outline_only?: boolean;
  stroke?: number;
  label?: string;
}) {
  const quarter = width / 4;
  const tallest = Math.max(...columns.map((column) => column.height));
  const total = columns.length * width + (columns.length - 1) * gap;
  return (
    <svg
      width={total + 2}
      height={tallest + 2}
      viewBox={`-1 -1 ${total + 2} ${tallest + 2}`}
      style={{ maxWidth: '100%', height: 'auto' }}
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {columns.map((column, index) => {
        const x = index * (width + gap);
        const y = tallest - column.height;
        const half = width / 2;
        const foot = tallest;
        const top = `M${x + half} ${y}L${x + width} ${y + quarter}V${y + 2 * quarter}L${x + half} ${y + 3 * quarter}L${x} ${y + 2 * quarter}V${y + quarter}Z`;
        const left = `M${x} ${y + 2 * quarter}L${x + half} ${y + 3 * quarter}V${foot}L${x} ${foot - quarter}Z`;
        const right = `M${x + half} ${y + 3 * quarter}L${x + width} ${y + 2 * quarter}V${foot - quarter}L${x + half} ${foot}Z`;
        if (outline_only || column.state === 'later') {
          const colour = column.state === 'now' ? 'var(--ember)' : 'var(--column-outline, var(--line-strong))';
          return (
            <g key={index} fill="none" stroke={colour} strokeWidth={stroke} strokeLinejoin="round">
              <path d={top} />
              <path d={left} />
              <path d={right} />
            </g>
          );
        }
        const face = column.state === 'now' ? 'lit' : 'stone';
        return (
          <g key={index}>
            <path d={top} fill={`var(--${face}-top)`} />
            <path d={left} fill={`var(--${face}-left)`} />
            <path d={right} fill={`var(--${face}-right)`} />
          </g>
        );
      })}
    </svg>
  );
}
