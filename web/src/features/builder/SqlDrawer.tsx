import { IconTerminal2, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { dataset } from '@/api/cards';
import type { DatasetQuery } from '@/api/types';
import { Button, IconButton } from '@/ui/Button';
import { CopyButton } from '@/ui/States';
import { writeQuery } from '@/query/read';
import type { Query } from '@/query/types';
import { say } from '@/query/words';
import { broken, sqlLines, sqlPieces } from './sql_lines';
import styles from './builder.module.css';

/** The SQL the question becomes; the bar beside a line has the colour of the step that wrote it. */
export function SqlDrawer({ query, engine, onClose, onTurn }: { query: Query; engine: string | null; onClose: () => void; onTurn: (sql: string) => void }) {
  const asked = writeQuery(query) as unknown as DatasetQuery;
  const answer = useQuery({ queryKey: ['builder', 'native', JSON.stringify(asked)], queryFn: ({ signal }) => dataset.native(asked, { signal }), staleTime: 60_000, retry: false, placeholderData: (before) => before });
  const stage = query.stages[query.stages.length - 1]!;
  const sql = answer.data?.query ?? null;
  return (
    <aside className={styles.drawer} aria-label={say('SQL for this question')}>
      <div className={styles.drawer_head}>
        <h2>{say('SQL for this question')}</h2>
        {sql && <CopyButton text={broken(sql)} />}
        <IconButton label={say('Close the SQL')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={styles.sql} tabIndex={0} role="region" aria-label="SQL">
        {answer.error ? (
          <p className={styles.wrong} role="alert">{answer.error.message}</p>
        ) : sql === null ? (
          <div className={styles.bars} role="status" aria-label={say('Loading the SQL')}>{[50, 70, 40, 60].map((width, i) => <span key={i} style={{ width: `${width}%` }} />)}</div>
        ) : (
          sqlLines(sql, stage.aggregations.length + stage.breakouts.length > 0).map((line, index) => (
            <div key={index} className={`${styles.line} ${styles[line.step]}`}>
              <span aria-hidden>{index + 1}</span>
              <span aria-hidden />
              <code>{sqlPieces(line.text).map((piece, i) => <span key={i} className={styles[`sql_${piece.kind}`]}>{piece.text}</span>)}{'\n'}</code>
            </div>
          ))
        )}
      </div>
      <div className={styles.drawer_foot}>
        <p>{engine ? say('The bar beside a line has the colour of the step that wrote it. This is what {{engine}} is sent; values are bound, never pasted.', { engine }) : say('The bar beside a line has the colour of the step that wrote it.')}</p>
        <Button icon={<IconTerminal2 size={16} aria-hidden />} disabled={sql === null} onClick={() => sql !== null && onTurn(broken(sql))}>{say('Turn into an SQL question')}</Button>
      </div>
    </aside>
  );
}
