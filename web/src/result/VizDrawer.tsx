import { IconX } from '@tabler/icons-react';
import type { VisualizationSettings } from '../api/types';
import { say } from '../query/words';
import { IconButton } from '../ui/Button';
import { visualizationOf } from '../viz/all';
import { SettingsPanel } from '../viz/SettingsPanel';
import { TypePicker } from '../viz/TypePicker';
import type { Column, Row } from '../viz/types';
import drawer from './drawer.module.css';

interface VizDrawerProps {
  mode: 'types' | 'settings';
  display: string;
  settings: VisualizationSettings;
  columns: Column[];
  rows: Row[];
  onDisplay: (display: string) => void;
  onSettings: (settings: VisualizationSettings) => void;
  onMode: (mode: 'types' | 'settings') => void;
  onClose: () => void;
}

/** The left drawer: which visualization, and how it is set. Changes apply at once. */
export function VizDrawer({ mode, display, settings, columns, rows, onDisplay, onSettings, onMode, onClose }: VizDrawerProps) {
  const shown = visualizationOf(display);
  return (
    <aside className={`${drawer.drawer} ${drawer.drawer_start}`} aria-label={say('Visualization')}>
      <div className={drawer.drawer_head}>
        {mode === 'types' ? say('Visualization') : say('{{name}} settings', { name: shown.title() })}
        <span className={drawer.grow} />
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      {mode === 'types' ? (
        <div style={{ overflowY: 'auto', flex: 1 }}>
          <TypePicker display={shown.id} columns={columns} rows={rows} onPick={(next) => (next === shown.id ? onMode('settings') : onDisplay(next))} />
          <div style={{ padding: '4px 20px' }}><button type="button" style={{ border: 0, background: 'none', padding: '6px 0', color: 'var(--brand-text)', font: '500 13px/20px var(--font-ui)', cursor: 'pointer' }} onClick={() => onMode('settings')}>{say('Settings of this visualization')}</button></div>
        </div>
      ) : <SettingsPanel definition={shown} settings={settings} columns={columns} rows={rows} onChange={onSettings} />}
    </aside>
  );
}
