import { IconCheck, IconDatabase, IconFileDatabase, IconStack2, IconTable, type Icon } from '@tabler/icons-react';
import { useId } from 'react';
import styles from './EngineTiles.module.css';

const drawn: Record<string, Icon> = { sqlite: IconFileDatabase, clickhouse: IconTable, trino: IconStack2, presto: IconStack2, csv: IconFileDatabase, duckdb: IconFileDatabase };

export function EngineIcon({ engine, size = 18 }: { engine: string; size?: number }) {
  const Drawn = drawn[engine] ?? IconDatabase;
  return <Drawn size={size} stroke={1.6} aria-hidden />;
}

/** The kinds of database this server can read, as tiles. */
export function EngineTiles({ engines, value, onChange, label }: { engines: { id: string; name: string }[]; value: string; onChange: (id: string) => void; label: string }) {
  const name = useId();
  return (
    <div className={styles.tiles} role="radiogroup" aria-label={label}>
      {engines.map((engine) => (
        <label key={engine.id} className={styles.tile} data-chosen={engine.id === value || undefined}>
          <input type="radio" name={name} value={engine.id} checked={engine.id === value} onChange={() => onChange(engine.id)} className="visually-hidden" />
          <EngineIcon engine={engine.id} />
          {engine.id === value && <IconCheck size={18} stroke={2} className={styles.check} aria-hidden />}
          <span>{engine.name}</span>
        </label>
      ))}
    </div>
  );
}
