// A row of basalt columns in the dark, one of them lit.
const columns = [190, 150, 230, 180, 290, 245, 350, 295, 430, 370, 510, 440, 560, 480, 610, 540, 640, 590, 680, 620, 700, 650];
const lit = 8;
const width = 72;
const pitch = 82;

export function SignInArt() {
  const height = 900;
  const total = columns.length * pitch + 12;
  return (
    <svg width={total} height={height} viewBox={`0 0 ${total} ${height}`} focusable="false">
      {columns.map((tall, index) => {
        const x = 24 + index * pitch;
        const y = height - tall;
        const half = width / 2;
        const shade = index % 2;
        const face = index === lit ? ['#FFB184', '#DF6B35', '#B9501F'] : [shade ? '#5F7085' : '#566579', shade ? '#3D4A5A' : '#35414F', shade ? '#293644' : '#232D38'];
        return (
          <g key={index}>
            <path fill={face[0]} d={`M${x + half} ${y}L${x + width} ${y + 18}V${y + 36}L${x + half} ${y + 54}L${x} ${y + 36}V${y + 18}Z`} />
            <path fill={face[1]} d={`M${x} ${y + 36}L${x + half} ${y + 54}V${height}H${x}Z`} />
            <path fill={face[2]} d={`M${x + half} ${y + 54}L${x + width} ${y + 36}V${height}H${x + half}Z`} />
          </g>
        );
      })}
    </svg>
  );
}
