import GridLayout, { getCompactor, type LayoutItem } from 'react-grid-layout';
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { DashCard } from '@/api/types';
import { visualizationOf } from '@/viz/all';
import { say } from '@/query/words';
import { COLUMNS, virtualKind, type Size } from '../model';
import { readableCard, titleOf } from '../cards/DashCardView';
import styles from '../dashboard.module.css';

/** Cards may lie over each other while one is dragged; where it is dropped, the model makes room. */
const floating = getCompactor(null, true);

export const smallestOf = (card: DashCard): Size => {
  if (virtualKind(card)) return { width: 2, height: 1 };
  const shown = readableCard(card);
  const { smallest } = visualizationOf(shown?.display);
  return { width: Math.min(smallest.width, card.size_x), height: Math.min(smallest.height, card.size_y) };
};

/** The grid while editing: drag by the head, resize at the corner, or arrows (with Shift: size) on a focused card. */
export function EditGrid({ cards, onPlace, onNudge, onPick, chosen, children, onRemove }: {
  cards: DashCard[];
  onPlace: (place: { id: number; row: number; col: number; size_x: number; size_y: number }) => void;
  onNudge: (id: number, by: { col?: number; row?: number; width?: number; height?: number }) => void;
  onPick: (id: number | null) => void;
  chosen: number | null;
  onRemove: (id: number) => void;
  children: (card: DashCard) => { body: ReactNode; flat?: boolean; dim?: boolean };
}) {
  const box = useRef<HTMLDivElement>(null);
  const [width, set_width] = useState(0);
  useLayoutEffect(() => set_width(box.current?.clientWidth ?? 0), []);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => set_width(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const layout = useMemo(
    () => cards.map((card) => {
      const least = smallestOf(card);
      return { i: String(card.id), x: card.col, y: card.row, w: card.size_x, h: card.size_y, minW: least.width, minH: least.height };
    }),
    [cards],
  );
  // What is chosen (a card that was just added) comes into view.
  useEffect(() => {
    if (chosen !== null) box.current?.querySelector(`[data-card="${chosen}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const pitch = (width + 16) / COLUMNS;
  return (
    <div ref={box} className={styles.stripes} style={{ '--pitch': `${pitch}px`, '--gap-share': '16px' } as React.CSSProperties} onMouseDown={(event) => event.target === event.currentTarget && onPick(null)}>
      {width > 0 && (
        <GridLayout
          width={width} layout={layout} gridConfig={{ cols: COLUMNS, rowHeight: 32, margin: [16, 16], containerPadding: [0, 0] }}
          dragConfig={{ enabled: true, handle: '.card-drag', cancel: 'button, a, input, textarea, .card-tools' }} resizeConfig={{ enabled: true, handles: ['se'] }} compactor={floating}
          onDragStop={(_, __, item) => item && onPlace(placeOf(item))} onResizeStop={(_, __, item) => item && onPlace(placeOf(item))}
        >
          {cards.map((card) => {
            const { body, flat, dim } = children(card);
            const name = virtualKind(card) ? say('Text card') : titleOf(card);
            return (
              <div key={String(card.id)}>
                <div
                  className={styles.edit_card} data-card={card.id} tabIndex={0} role="group" data-chosen={card.id === chosen || undefined} data-flat={flat || undefined} data-dim={dim || undefined}
                  aria-label={say('{{name}}. Arrows move it, Shift and arrows change its size, Delete removes it.', { name })} aria-roledescription={say('card')}
                  onMouseDown={() => onPick(card.id)} onFocus={(event) => event.target === event.currentTarget && onPick(card.id)}
                  onKeyDown={(event) => {
                    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
                    const [x, y] = event.key === 'ArrowLeft' ? [-1, 0] : event.key === 'ArrowRight' ? [1, 0] : event.key === 'ArrowUp' ? [0, -1] : event.key === 'ArrowDown' ? [0, 1] : [0, 0];
                    if (event.key === 'Delete' || event.key === 'Backspace') onRemove(card.id);
                    else if (x === 0 && y === 0) return;
                    else onNudge(card.id, event.shiftKey ? { width: x, height: y } : { col: x, row: y });
                    event.preventDefault();
                    event.stopPropagation();
                  }}
                >
                  {body}
                </div>
              </div>
            );
          })}
        </GridLayout>
      )}
    </div>
  );
}
const placeOf = (item: LayoutItem) => ({ id: Number(item.i), row: item.y, col: item.x, size_x: item.w, size_y: item.h });
