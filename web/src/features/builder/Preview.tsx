import { IconEye, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { dataset } from '@/api/cards';
import type { DatasetQuery } from '@/api/types';
import { IconButton } from '@/ui/Button';
import { CopyButton } from '@/ui/States';
import { lastStage, setLimit, upTo, type StepKind } from '@/query/edit';
import { bucketName } from '@/query/filters';
import { isKey, isNumber, kindOf } from '@/query/kinds';
import { writeQuery } from '@/query/read';
import type { Query } from '@/query/types';
import { say } from '@/query/words';
import styles from './builder.module.css';

const FIRST = 10;
function text(value: unknown, column: { base_type: string; unit?: string | null; semantic_type?: string | null }): string {
  if (value === null || value === undefined) return '';
  const kind = kindOf(column);
  if (typeof value === 'number') return isKey(column) || column.unit ? String(value) : value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  if (typeof value === 'string' && (kind === 'date' || kind === 'datetime')) return bucketName(value, column.unit && column.unit !== 'default' ? column.unit : kind === 'date' ? 'day' : 'minute');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The first rows up to one step. */
export function Preview({ query, stage, step, onClose }: { query: Query; stage: number; step: StepKind; onClose: () => void }) {
  const cut = upTo(query, stage, step);
  const last = lastStage(cut);
  const limit = cut.stages[last]!.limit;
  const asked = writeQuery(setLimit(cut, last, limit === null ? FIRST : Math.min(FIRST, limit))) as unknown as DatasetQuery;
  const result = useQuery({ queryKey: ['builder', 'preview', JSON.stringify(asked)], queryFn: ({ signal }) => dataset.run(asked, { signal }), staleTime: 60_000, retry: false, placeholderData: (before) => before });
  const data = result.data?.status === 'completed' ? result.data.data : null;
  const problem = result.data?.status === 'failed' ? (result.data.error ?? say('The database refused this.')) : result.error ? result.error.message : null;
  return (
    <div className={styles.preview} role="region" aria-label={say('First rows up to here')}>
      <div className={styles.preview_head}>
        <IconEye size={16} stroke={1.6} aria-hidden />
        <span style={{ flex: 1 }}>{say('First rows up to here')}</span>
        {data && result.data && <span>{data.rows.length === 1 ? say('1 row, {{ms}} ms', { ms: result.data.running_time }) : say('{{n}} rows, {{ms}} ms', { n: data.rows.length, ms: result.data.running_time })}</span>}
        <IconButton size="small" label={say('Close the preview')} icon={<IconX size={16} aria-hidden />} onClick={onClose} />
      </div>
      {problem ? (
        <div className={styles.preview_state} role="alert">{problem} <CopyButton text={problem} /></div>
      ) : !data ? (
        <div className={styles.bars} role="status" aria-label={say('Loading the first rows')}>{[70, 85, 60, 80].map((width, i) => <span key={i} style={{ width: `${width}%` }} />)}</div>
      ) : data.rows.length === 0 ? (
        <div className={styles.preview_state}>{say('No rows up to here.')}</div>
      ) : (
        <div className={styles.preview_scroll} tabIndex={0}>
          <table>
            <thead>
              <tr>{data.cols.map((column) => <th key={column.name} scope="col" data-right={isNumber(column) && !isKey(column) ? true : undefined}>{column.display_name}</th>)}</tr>
            </thead>
            <tbody>
              {data.rows.slice(0, FIRST).map((row, i) => (
                <tr key={i}>{data.cols.map((column, j) => <td key={column.name} data-right={isNumber(column) && !isKey(column) ? true : undefined}>{text(row[j], column)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
