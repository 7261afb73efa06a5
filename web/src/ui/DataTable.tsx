import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './DataTable.module.css';
import './strings';

export interface TableColumn<T> {
  key: string;
  title: ReactNode;
  /** For a header without words. */
  label?: string;
  render: (row: T) => ReactNode;
  /** With it the column sorts. */
  value?: (row: T) => string | number | null | undefined;
  align?: 'start' | 'end';
  width?: number | string;
  /** Left out on a phone. */
  wide_only?: boolean;
}

/** A plain admin list: a true table, sortable heads, one line per row. Long lists are paged by the caller. */
export function DataTable<T>({
  columns,
  rows,
  row_key,
  empty,
  label,
  onRow,
}: {
  columns: TableColumn<T>[];
  rows: T[];
  row_key: (row: T) => string | number;
  empty?: ReactNode;
  label: string;
  onRow?: (row: T) => void;
}) {
  const { t } = useTranslation('ui');
  const [sort, set_sort] = useState<{ key: string; down: boolean }>();
  const sorted = useMemo(() => {
    const column = columns.find((one) => one.key === sort?.key);
    if (!column?.value) return rows;
    const read = column.value;
    const factor = sort!.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const left = read(a);
      const right = read(b);
      if (left === right) return 0;
      if (left === null || left === undefined) return 1;
      if (right === null || right === undefined) return -1;
      return factor * (typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right)));
    });
  }, [rows, columns, sort]);

  return (
    <div className={styles.frame}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => {
              const here = sort?.key === column.key;
              return (
                <th
                  key={column.key}
                  scope="col"
                  className={column.wide_only ? styles.wide_only : undefined}
                  style={{ textAlign: column.align ?? 'start', width: column.width }}
                  aria-sort={here ? (sort.down ? 'descending' : 'ascending') : undefined}
                >
                  {column.value ? (
                    <button type="button" className={styles.sort} onClick={() => set_sort({ key: column.key, down: here ? !sort.down : false })}>
                      {column.title}
                      {here && (sort.down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
                    </button>
                  ) : column.label ? (
                    <span className="visually-hidden">{column.label}</span>
                  ) : (
                    column.title
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={row_key(row)} onClick={onRow && (() => onRow(row))} data-clickable={onRow ? true : undefined}>
              {columns.map((column) => (
                <td key={column.key} className={column.wide_only ? styles.wide_only : undefined} style={{ textAlign: column.align ?? 'start' }} data-numeric={column.align === 'end' || undefined}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <div className={styles.empty}>{empty ?? t('rows_none')}</div>}
    </div>
  );
}
