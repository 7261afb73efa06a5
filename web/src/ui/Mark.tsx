// The mark: three upright hexagonal columns, the last and tallest lit. Drawn for its size: 64 from 32 px up,
// 24 for 20-28 px, 16 flat.
const shapes = {
  64: [
    ['top', 'M14 26L22 30V34L14 38L6 34V30Z'],
    ['left', 'M6 34L14 38V62L6 58Z'],
    ['right', 'M14 38L22 34V58L14 62Z'],
    ['top', 'M32 38L40 42V46L32 50L24 46V42Z'],
    ['left', 'M24 46L32 50V62L24 58Z'],
    ['right', 'M32 50L40 46V58L32 62Z'],
    ['lit_top', 'M50 4L58 8V12L50 16L42 12V8Z'],
    ['lit_left', 'M42 12L50 16V62L42 58Z'],
    ['lit_right', 'M50 16L58 12V58L50 62Z'],
  ],
  24: [
    ['top', 'M4.5 8L8 9.75V11.5L4.5 13.25L1 11.5V9.75Z'],
    ['left', 'M1 11.5L4.5 13.25V23L1 21.25Z'],
    ['right', 'M4.5 13.25L8 11.5V21.25L4.5 23Z'],
    ['top', 'M12 12.5L15.5 14.25V16L12 17.75L8.5 16V14.25Z'],
    ['left', 'M8.5 16L12 17.75V23L8.5 21.25Z'],
    ['right', 'M12 17.75L15.5 16V21.25L12 23Z'],
    ['lit_top', 'M19.5 1L23 2.75V4.5L19.5 6.25L16 4.5V2.75Z'],
    ['lit_left', 'M16 4.5L19.5 6.25V23L16 21.25Z'],
    ['lit_right', 'M19.5 6.25L23 4.5V21.25L19.5 23Z'],
  ],
  16: [
    ['flat', 'M3 6L5 7V14L3 15L1 14V7Z'],
    ['flat', 'M8 9L10 10V14L8 15L6 14V10Z'],
    ['lit_left', 'M13 1L15 2V14L13 15L11 14V2Z'],
  ],
} as const;

const on_light = { top: '#6B7A8D', left: '#3A4757', right: '#1B2430', flat: '#1B2430', lit_top: '#FFB184', lit_left: '#DF6B35', lit_right: '#B9501F' };
const on_dark = { top: '#D3DBE4', left: '#95A3B4', right: '#68778A', flat: '#A9B5C3', lit_top: '#FFB184', lit_left: '#DF6B35', lit_right: '#B9501F' };

export function Mark({ size = 24, ground }: { size?: number; ground: 'light' | 'dark' }) {
  const drawn = size >= 32 ? 64 : size >= 20 ? 24 : 16;
  const fill = ground === 'dark' ? on_dark : on_light;
  return (
    <svg width={size} height={size} viewBox={`0 0 ${drawn} ${drawn}`} aria-hidden="true" focusable="false">
      {shapes[drawn].map(([face, path], index) => (
        <path key={index} d={path} fill={fill[face]} />
      ))}
    </svg>
  );
}

/** The mark with the name beside it. */
export function Wordmark({ size = 24, ground }: { size?: number; ground: 'light' | 'dark' }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: size >= 28 ? 12 : 8 }}>
      <Mark size={size} ground={ground} />
      <span
        style={{
          font: `600 ${size >= 28 ? 21 : 18}px/1 var(--font-ui)`,
          letterSpacing: '-0.025em',
          color: ground === 'dark' ? '#E6EAF0' : '#1B2430',
        }}
      >
        Basalt
      </span>
    </span>
  );
}
