import { IconAbc, IconCalendar, IconChevronRight, IconDatabase, IconHash, IconKey, IconLink, IconSearch, IconTable, IconToggleLeft, IconVariable } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Field, Table } from '../../api/types';
import { count } from '../../lib/numbers';
import { kindOf } from '../../query/kinds';
import { say } from '../../query/words';
import { TextInput } from '../../ui/fields';
import { ListSkeleton } from '../../ui/States';
import { matching, quoted, schemaGroups } from './schema';
import styles from './sql.module.css';

function FieldIcon({ field }: { field: Field }) {
  const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
  if (field.semantic_type === 'type/PK') return <IconKey {...look} />;
  if (field.semantic_type === 'type/FK') return <IconLink {...look} />;
  switch (kindOf(field)) {
    case 'number': return <IconHash {...look} />;
    case 'date': case 'datetime': case 'time': return <IconCalendar {...look} />;
    case 'text': return <IconAbc {...look} />;
    case 'boolean': return <IconToggleLeft {...look} />;
    default: return <IconVariable {...look} />;
  }
}

interface SchemaDrawerProps {
  tables: Table[] | undefined;
  loading: boolean;
  engine: string;
  /** Puts a name where the cursor is. */
  onInsert: (text: string) => void;
}

/** Tables and columns of the database; pressing a column writes its name into the text. */
export function SchemaDrawer({ tables, loading, engine, onInsert }: SchemaDrawerProps) {
  const [words, setWords] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const groups = useMemo(() => matching(schemaGroups(tables), words), [tables, words]);
  const single = groups.length === 1;
  const searching = words.trim() !== '';
  const toggle = (key: string) => setOpen((before) => {
    const next = new Set(before);
    if (!next.delete(key)) next.add(key);
    return next;
  });
  return (
    <aside className={styles.schema} aria-label={say('Tables and columns')}>
      <div className={styles.schema_search}><TextInput aria-label={say('Find a table or column')} placeholder={say('Find a table or column')} value={words} onChange={(event) => setWords(event.currentTarget.value)} leftSection={<IconSearch size={16} aria-hidden />} /></div>
      <div className={styles.schema_list}>
        {loading && !tables && <ListSkeleton rows={8} height={30} />}
        {!loading && groups.length === 0 && <div className={styles.help}>{searching ? say('Nothing is called “{{words}}”.', { words: words.trim() }) : say('This database has no tables you may see.')}</div>}
        {groups.map((group) => {
          const group_open = single || searching || open.has(`schema/${group.name}`);
          return (
            <div key={group.name}>
              {!(single && group.name === '') && (
                <button type="button" className={styles.node} aria-expanded={group_open} onClick={() => toggle(`schema/${group.name}`)}>
                  <IconChevronRight size={14} className={styles.twist} data-open={group_open || undefined} aria-hidden />
                  <IconDatabase size={16} stroke={1.6} aria-hidden />
                  <span className={styles.node_name}>{group.name || say('Tables')}</span>
                  <span className={styles.node_side}>{group.tables.length === 1 ? say('1 table') : say('{{n}} tables', { n: group.tables.length })}</span>
                </button>
              )}
              {group_open && group.tables.map((table) => {
                const key = `table/${table.id}`;
                const wanted = words.trim().toLowerCase();
                const by_column = searching && !table.name.toLowerCase().includes(wanted);
                const is_open = open.has(key) || by_column;
                const fields = (table.fields ?? []).filter((field) => !by_column || field.name.toLowerCase().includes(wanted));
                return (
                  <div key={key}>
                    <button type="button" className={styles.node} style={{ paddingInlineStart: 24 }} aria-expanded={is_open} title={table.description ?? table.display_name} onClick={() => toggle(key)} onDoubleClick={() => onInsert(quoted(table.name, engine))}>
                      <IconChevronRight size={14} className={styles.twist} data-open={is_open || undefined} aria-hidden />
                      <IconTable size={16} stroke={1.6} aria-hidden />
                      <span className={styles.node_name}>{table.name}</span>
                      {table.estimated_row_count != null && <span className={styles.node_side}>{count(table.estimated_row_count)}</span>}
                    </button>
                    {is_open && (
                      <>
                        {!by_column && <button type="button" className={styles.node} style={{ paddingInlineStart: 62, color: 'var(--brand-text)' }} onClick={() => onInsert(quoted(table.name, engine))}>{say('Write the table’s name')}</button>}
                        {fields.map((field) => (
                          <button key={field.id} type="button" className={styles.node} style={{ paddingInlineStart: 54 }} title={field.description ?? say('Write “{{name}}” into the text', { name: field.name })} onClick={() => onInsert(quoted(field.name, engine))}>
                            <FieldIcon field={field} />
                            <span className={styles.node_name}>{field.name}</span>
                            <span className={styles.node_side}>{(field.database_type ?? field.base_type.replace(/^type\//, '')).toLowerCase()}</span>
                          </button>
                        ))}
                      </>
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </aside>
  );
}
