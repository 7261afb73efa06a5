import { IconChevronDown, IconDownload, IconSettings, IconTable } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Dataset } from '../api/types';
import { say } from '../query/words';
import { date_locale } from '../lib/i18n';
import { Button, IconButton } from '../ui/Button';
import { Menu } from '../ui/Overlays';
import { visualizationOf } from '../viz/all';
import styles from './result.module.css';
import { countRows, duration } from './words';

export type DownloadFormat = 'csv' | 'json' | 'xlsx';
interface ResultFooterProps {
  result: Dataset | null;
  display: string;
  view: 'chart' | 'table';
  onView: (view: 'chart' | 'table') => void;
  /** Open or close the list of visualizations; left out where there is none. */
  onTypes?: () => void;
  types_open?: boolean;
  onSettings?: () => void;
  settings_open?: boolean;
  onDownload?: (format: DownloadFormat) => void;
  formats: DownloadFormat[];
  download_ref?: React.Ref<HTMLButtonElement>;
  onRefresh?: () => void;
  /** More words at the end: "last result, 09:04". */
  note?: ReactNode;
  /** Tools of the phone. */
  narrow_tools?: ReactNode;
}
const format_names: Record<DownloadFormat, () => string> = { csv: () => say('CSV (for spreadsheets)'), json: () => say('JSON'), xlsx: () => say('Excel') };

/** 44 px under a result: chart or table, which kind, how many rows, how long it took, and the download. */
export function ResultFooter({ result, display, view, onView, onTypes, types_open, onSettings, settings_open, onDownload, formats, download_ref, onRefresh, note, narrow_tools }: ResultFooterProps) {
  const shown = visualizationOf(display);
  const chart = display !== 'table';
  const Icon = chart ? shown.icon : visualizationOf('bar').icon;
  const rows = result?.data.rows.length ?? 0;
  const cached = result?.cached ? new Date(result.cached) : null;
  return (
    <footer className={styles.footer}>
      <div className={styles.switch} role="group" aria-label={say('Show as')}>
        <button type="button" aria-pressed={view === 'chart' && chart} onClick={() => (chart ? onView('chart') : onTypes?.())}>
          <Icon size={16} stroke={1.6} aria-hidden />
          {say('Chart')}
        </button>
        <button type="button" aria-label={say('Table')} aria-pressed={view === 'table' || !chart} onClick={() => onView('table')}>
          <IconTable size={16} stroke={1.6} aria-hidden />
          <span className={styles.wide}>{say('Table')}</span>
        </button>
      </div>
      {onTypes && (
        <Button size="small" className={styles.wide} icon={<shown.icon size={16} stroke={1.6} aria-hidden />} icon_after={<IconChevronDown size={14} aria-hidden />} aria-expanded={types_open} onClick={onTypes}>
          {shown.title()}
        </Button>
      )}
      {onSettings && <IconButton size="small" className={styles.wide} label={say('Settings of the visualization')} active={settings_open} icon={<IconSettings size={18} stroke={1.6} aria-hidden />} onClick={onSettings} />}
      <span className={styles.grow} />
      {result && (
        <>
          <span className={styles.fact}><b>{rows.toLocaleString('en-US')}</b> {countRows(rows)}</span>
          <span className={`${styles.fact} ${styles.wide}`}><b>{duration(result.running_time).split(' ')[0]}</b> {duration(result.running_time).split(' ')[1]}</span>
          {cached && !Number.isNaN(cached.getTime()) && (
            <span className={`${styles.fact} ${styles.wide}`}>
              {say('as of {{time}}, from cache', { time: cached.toLocaleTimeString(date_locale(), { hour: '2-digit', minute: '2-digit' }) })}
              {onRefresh && <Button kind="quiet" size="small" onClick={onRefresh}>{say('Refresh')}</Button>}
            </span>
          )}
          {note && <span className={`${styles.fact} ${styles.wide}`}>{note}</span>}
        </>
      )}
      {narrow_tools}
      {onDownload && result && (
        <Menu position="top-end" withinPortal>
          <Menu.Target>
            <Button ref={download_ref} size="small" className={styles.download} icon={<IconDownload size={16} stroke={1.6} aria-hidden />} aria-label={say('Download')}>
              <span className={styles.wide}>{say('Download')}</span>
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{result.data.rows_truncated ? say('All rows, not only the shown ones') : say('{{count}} rows', { count: rows.toLocaleString('en-US') })}</Menu.Label>
            {formats.map((format) => <Menu.Item key={format} onClick={() => onDownload(format)}>{format_names[format]()}</Menu.Item>)}
          </Menu.Dropdown>
        </Menu>
      )}
    </footer>
  );
}
