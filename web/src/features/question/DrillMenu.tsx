import { IconArrowDown, IconArrowUp, IconArrowsSplit2, IconChartBar, IconChevronLeft, IconChevronRight, IconEyeOff, IconFilter, IconFilterOff, IconList, IconRowInsertBottom, IconSum, IconZoomIn, IconX, IconCopy } from '@tabler/icons-react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type { DrillAction } from '../../query/drill';
import { say } from '../../query/words';
import type { PointEvent } from '../../viz/Visualization';
import { formatValue } from '../../viz/format';
import { columnSettings, columnTitle } from '../../viz/settings';
import type { VisualizationSettings } from '../../api/types';
import styles from './DrillMenu.module.css';

interface DrillMenuProps {
  point: PointEvent;
  settings: VisualizationSettings;
  actions: DrillAction[];
  onPick: (action: DrillAction) => void;
  onFilter?: () => void;
  onClose: () => void;
}

function iconOf(action: DrillAction) {
  const look = { size: 16, stroke: 1.6, 'aria-hidden': true } as const;
  if (action.id === 'sort-asc') return <IconArrowUp {...look} />;
  if (action.id === 'sort-desc') return <IconArrowDown {...look} />;
  if (action.id === 'sort-none') return <IconX {...look} />;
  if (action.id === 'distribution' || action.id === 'sum-over-time') return <IconChartBar {...look} />;
  if (action.id === 'filter-=') return <IconFilter {...look} />;
  if (action.id === 'filter-!=') return <IconFilterOff {...look} />;
  switch (action.section) {
    case 'see': return action.record ? <IconRowInsertBottom {...look} /> : <IconList {...look} />;
    case 'zoom': return <IconZoomIn {...look} />;
    case 'breakout': return <IconArrowsSplit2 {...look} />;
    case 'filter': return <IconFilter {...look} />;
    case 'summarize': return <IconSum {...look} />;
    case 'column': return <IconEyeOff {...look} />;
    default: return <IconList {...look} />;
  }
}

/** What a click can lead to, beside the point and never over it. Arrows move, Enter picks, Esc closes. */
export function DrillMenu({ point, settings, actions, onPick, onFilter, onClose }: DrillMenuProps) {
  const box = useRef<HTMLDivElement>(null);
  const [path, setPath] = useState<DrillAction[]>([]);
  const [at, setAt] = useState<{ left: number; top: number } | null>(null);
  const shown = path.length > 0 ? (path[path.length - 1]!.children ?? []) : actions;
  const header = point.kind === 'header';

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const gap = header ? 0 : 16;
    let left = header ? point.x : point.x + gap;
    if (left + width > window.innerWidth - 8) left = header ? window.innerWidth - width - 8 : point.x - gap - width;
    let top = header ? point.y : point.y - 56;
    if (left < 8) {
      // No room on either side (a phone): below the point, or above it.
      left = Math.max(8, Math.min(window.innerWidth - width - 8, point.x - width / 2));
      top = point.y + gap + height < window.innerHeight ? point.y + gap : point.y - gap - height;
    }
    setAt({ left, top: Math.max(8, Math.min(window.innerHeight - height - 8, top)) });
  }, [point, path, header]);
  useEffect(() => {
    box.current?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
  }, [path]);
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    const timer = setTimeout(() => document.addEventListener('pointerdown', outside), 0);
    window.addEventListener('resize', onClose);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('pointerdown', outside);
      window.removeEventListener('resize', onClose);
    };
  }, [onClose]);

  function close() {
    onClose();
    point.target?.focus?.({ preventScroll: true });
  }
  function onKey(event: React.KeyboardEvent) {
    const buttons = [...(box.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLElement);
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp' || event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      const next = event.key === 'Home' ? 0 : event.key === 'End' ? buttons.length - 1 : (now + (event.key === 'ArrowDown' ? 1 : -1) + buttons.length) % buttons.length;
      buttons[next]?.focus();
    } else if (event.key === 'ArrowLeft' && path.length > 0) {
      event.preventDefault();
      setPath(path.slice(0, -1));
    } else if (event.key === 'Tab') {
      event.preventDefault();
      buttons[(now + (event.shiftKey ? -1 : 1) + buttons.length) % buttons.length]?.focus();
    }
  }
  const pick = (action: DrillAction) => (action.children ? setPath([...path, action]) : onPick(action));

  const { value } = point;
  const text = value && value.value !== undefined ? formatValue(value.value, value.column, columnSettings(settings, value.column)) || say('(empty)') : null;
  const filters = path.length === 0 ? shown.filter((action) => action.section === 'filter') : [];
  const signs = filters.length > 2;
  const sections = ['see', 'zoom', 'breakout', 'sort', 'summarize', 'column'] as const;
  return createPortal(
    <div ref={box} className={styles.menu} style={at ?? { left: 0, top: 0, visibility: 'hidden' }} role="menu" aria-label={header ? columnTitle(settings, value!.column) : say('What to do with this value')} tabIndex={-1} onKeyDown={onKey}>
      {path.length === 0 ? (
        <div className={styles.head}>
          {header ? <div className={styles.value}>{columnTitle(settings, value!.column)}</div> : (
            <>
              <div className={styles.when}>
                {point.dimensions.length > 0 ? point.dimensions.map((item) => formatValue(item.value, item.column, columnSettings(settings, item.column)) || say('(empty)')).join(', ') : value ? columnTitle(settings, value.column) : ''}
              </div>
              {text !== null && <div className={styles.value}>{text}</div>}
            </>
          )}
        </div>
      ) : (
        <div className={styles.section}>
          <button type="button" role="menuitem" className={styles.item} onClick={() => setPath(path.slice(0, -1))}><IconChevronLeft size={16} aria-hidden /><span>{path[path.length - 1]!.title}</span></button>
        </div>
      )}
      {(path.length === 0 ? sections : (['breakout'] as const)).map((section) => {
        const list = path.length === 0 ? shown.filter((action) => action.section === section) : shown;
        if (list.length === 0) return null;
        return (
          <div key={section} className={styles.section}>
            {list.map((action) => (
              <button key={action.id} type="button" role="menuitem" className={styles.item} aria-haspopup={action.children ? 'menu' : undefined} onClick={() => pick(action)}>
                {iconOf(action)}
                <span title={action.title}>{action.title}</span>
                {action.children && <IconChevronRight size={16} aria-hidden />}
              </button>
            ))}
          </div>
        );
      })}
      {filters.length > 0 && (signs ? (
        <div className={styles.section}>
          <div className={styles.label}>{say('Filter by this value')}</div>
          <div className={styles.signs}>{filters.map((action) => <button key={action.id} type="button" role="menuitem" className={styles.sign} title={action.title} aria-label={action.title} onClick={() => pick(action)}>{action.sign}</button>)}</div>
        </div>
      ) : (
        <div className={styles.section}>
          {filters.map((action) => <button key={action.id} type="button" role="menuitem" className={styles.item} onClick={() => pick(action)}>{iconOf(action)}<span title={action.title}>{action.title}</span></button>)}
        </div>
      ))}
      {path.length === 0 && (onFilter || text !== null) && (
        <div className={styles.section}>
          {onFilter && <button type="button" role="menuitem" className={styles.item} onClick={onFilter}><IconFilter size={16} stroke={1.6} aria-hidden /><span>{say('Filter by this column…')}</span></button>}
          {text !== null && <button type="button" role="menuitem" className={styles.item} onClick={() => { void navigator.clipboard?.writeText(text); close(); }}><IconCopy size={16} stroke={1.6} aria-hidden /><span>{say('Copy value')}</span></button>}
        </div>
      )}
    </div>,
    document.body,
  );
}
