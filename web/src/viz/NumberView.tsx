import { IconArrowDownRight, IconArrowRight, IconArrowUpRight } from '@tabler/icons-react';
import { Sparkline } from '../ui/Sparkline';
import styles from './Visualization.module.css';
import type { Mark, NumberDescription, Size } from './types';

interface NumberProps {
  description: NumberDescription;
  size: Size;
  inset: number;
  /** On a page of its own the number is large. */
  large: boolean;
  /** The card's own title says what the number is. */
  hide_caption?: boolean;
  onMark?: (mark: Mark, at: { x: number; y: number }, target: HTMLElement | null) => void;
}

export function NumberView({ description, size, inset, large, hide_caption, onMark }: NumberProps) {
  const { trends, spark } = description;
  const has_spark = spark.filter((column) => column.value !== null).length > 1;
  const spark_width = Math.min(large ? 216 : 108, Math.max(60, size.width * 0.4));
  const beside = has_spark && size.width >= 220;
  const room = size.width - 2 * inset - (beside ? spark_width + 12 : 0);
  const most = large ? Math.min(64, size.height / 4) : Math.min(28, Math.max(18, size.height * 0.5));
  const font = Math.max(14, Math.min(most, (room / Math.max(3, description.text.length)) * 1.72));
  // Where there is no room beside it, as on a phone, the columns stand below the number.
  const below = has_spark && !beside && size.width >= 100 && size.height >= 84;
  const low = size.height < 56;
  // Under the title of a card the columns begin on the title's line, beside it.
  const lift = hide_caption && !large && beside && !low ? 28 : 0;
  const value = <span className={styles.number_value} style={{ fontSize: font, lineHeight: `${Math.round(font * 1.16)}px` }} title={description.full}>{description.text}</span>;
  const caption = description.caption && !hide_caption && !low ? <span className={styles.number_caption}>{description.caption}</span> : null;
  return (
    <div className={styles.number} style={{ paddingInline: inset, alignItems: large ? 'center' : 'stretch', ...(lift > 0 ? { overflow: 'visible', gap: 10 } : {}) }} role="group" aria-label={description.summary}>
      <div style={large ? { display: 'flex', flexDirection: 'column', gap: 8, maxWidth: '100%' } : { display: 'contents' }}>
      <div className={styles.number_top} style={large ? { gap: 48, alignItems: 'flex-end' } : undefined}>
        <div style={{ display: 'flex', flexDirection: 'column', minWidth: 0 }}>
          {caption}
          {onMark && description.mark ? (
            <button
              type="button" className={styles.value_button}
              onClick={(event) => {
                const frame = event.currentTarget.getBoundingClientRect();
                onMark(description.mark!, { x: frame.right, y: frame.top + frame.height / 2 }, event.currentTarget);
              }}
            >
              {value}
            </button>
          ) : value}
        </div>
        {beside && !low && (
          <span style={{ flex: 'none', marginTop: -lift }}>
            <Sparkline values={spark.map((column) => column.value ?? 0)} width={spark_width} height={large ? 96 : Math.min(48, Math.max(24, size.height * 0.5))} />
          </span>
        )}
      </div>
      {below && <Sparkline values={spark.map((column) => column.value ?? 0)} width={size.width - 2 * inset} height={Math.min(28, size.height - 66)} />}
      {trends.length > 0 && size.height >= 72 && (
        <div className={styles.trend}>
          {trends.map((trend, index) => (
            <span key={index} style={{ display: 'inline-flex', gap: 8 }}>
              <b data-tone={trend.tone}>
                {trend.direction === 'up' ? <IconArrowUpRight size={14} stroke={2.2} aria-hidden /> : trend.direction === 'down' ? <IconArrowDownRight size={14} stroke={2.2} aria-hidden /> : <IconArrowRight size={14} stroke={2.2} aria-hidden />}
                {trend.text}
              </b>
              <span>{trend.against}</span>
            </span>
          ))}
        </div>
      )}
      </div>
    </div>
  );
}
