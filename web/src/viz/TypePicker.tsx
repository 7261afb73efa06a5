import { say } from '../query/words';
import { sensible } from './choose';
import styles from './SettingsPanel.module.css';
import type { Column, Row, VisualizationDefinition } from './types';

/** All visualizations as a grid: what makes sense for the result first, the others below. */
export function TypePicker({ display, columns, rows, onPick }: { display: string; columns: Column[]; rows: Row[]; onPick: (display: string) => void }) {
  const { fitting, others } = sensible(columns, rows);
  const tile = (one: VisualizationDefinition, odd: boolean) => (
    <button key={one.id} type="button" className={styles.type} data-odd={odd || undefined} aria-pressed={display === one.id} onClick={() => onPick(one.id)}>
      <one.icon size={22} stroke={1.6} aria-hidden />
      {one.title()}
    </button>
  );
  return (
    <div>
      <div className={styles.types} role="group" aria-label={say('Fits this result')}>{fitting.map((one) => tile(one, false))}</div>
      {others.length > 0 && (
        <>
          <div className={styles.types_title}>{say('Others')}</div>
          <div className={styles.types} role="group" aria-label={say('Others')}>{others.map((one) => tile(one, true))}</div>
        </>
      )}
    </div>
  );
}
