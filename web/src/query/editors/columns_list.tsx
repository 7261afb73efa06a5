import { IconAbc, IconCalendar, IconClock, IconHash, IconKey, IconMapPin, IconSum, IconTag, IconToggleLeft, IconVariable } from '@tabler/icons-react';
import type { Column, ColumnGroup } from '../types';
import { isCategory, isCoordinate, isKey, isPlace, kindOf } from '../kinds';
import type { ListGroup } from './ListPanel';

/** The icon of a column says what it holds. */
export function ColumnIcon({ column, size = 16 }: { column: Column; size?: number }) {
  const look = { size, stroke: 1.6, 'aria-hidden': true } as const;
  if (column.origin === 'aggregation') return <IconSum {...look} />;
  if (isKey(column)) return <IconKey {...look} />;
  if (isPlace(column) || isCoordinate(column)) return <IconMapPin {...look} />;
  switch (kindOf(column)) {
    case 'date': case 'datetime': return <IconCalendar {...look} />;
    case 'time': return <IconClock {...look} />;
    case 'number': return <IconHash {...look} />;
    case 'boolean': return <IconToggleLeft {...look} />;
    case 'text': return isCategory(column) ? <IconTag {...look} /> : <IconAbc {...look} />;
    default: return <IconVariable {...look} />;
  }
}

/** Groups of columns as a list to pick from. */
export function columnItems(groups: ColumnGroup[], pick: (column: Column) => void, options: { fits?: (column: Column) => boolean; chosen?: (column: Column) => boolean; side?: (column: Column) => string | undefined } = {}): ListGroup[] {
  return groups.map((group) => ({
    id: group.id, name: group.name,
    items: group.columns.filter(options.fits ?? (() => true)).map((column) => ({
      id: `${group.id}/${JSON.stringify(column.ref)}`, title: column.displayName, words: column.longName, icon: <ColumnIcon column={column} />,
      side: options.side?.(column), chosen: options.chosen?.(column), onPick: () => pick(column),
    })),
  }));
}
