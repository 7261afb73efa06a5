import { describe, expect, it } from 'vitest';
import type { DashCard } from '@/api/types';
import { card_to_show } from './ItemPreview';

const dashcard = (id: number, display: string | null, row = 0): DashCard =>
  ({ id, card_id: display === null ? null : id, card: display === null ? null : { id, display }, row, col: 0, size_x: 4, size_y: 4, parameter_mappings: [], visualization_settings: {} }) as unknown as DashCard;

describe('the card a dashboard is previewed by', () => {
  it('is a chart rather than a number, a number rather than a table', () => {
    expect(card_to_show([dashcard(1, 'table'), dashcard(2, 'scalar'), dashcard(3, 'line', 5)])?.id).toBe(3);
    expect(card_to_show([dashcard(1, 'table'), dashcard(2, 'scalar')])?.id).toBe(2);
  });

  it('is the topmost of its rank', () => {
    expect(card_to_show([dashcard(1, 'bar', 9), dashcard(2, 'pie', 2)])?.id).toBe(2);
  });

  it('is never a text card or a card one may not read', () => {
    expect(card_to_show([dashcard(1, null), { ...dashcard(2, 'bar'), card: { id: 2 } } as DashCard])).toBeUndefined();
  });
});
