/** Columns, the past quiet, the newest lit: the mark again. Sits beside a number that says it in words. */
export function Sparkline({ values, width = 108, height = 48 }: { values: number[]; width?: number; height?: number }) {
  if (values.length === 0) return null;
  const gap = 2;
  const column = (width - gap * (values.length - 1)) / values.length;
  const most = Math.max(...values, 0);
  const least = Math.min(...values, 0);
  const span = most - least || 1;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      {values.map((value, index) => {
        const size = Math.max(1, (Math.abs(value) / span) * height);
        const zero = (most / span) * height;
        return (
          <rect
            key={index}
            x={index * (column + gap)}
            width={column}
            y={value >= 0 ? zero - size : zero}
            height={size}
            fill={index === values.length - 1 ? 'var(--ember)' : 'var(--chart-quiet)'}
          />
        );
      })}
    </svg>
  );
}
