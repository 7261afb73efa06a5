import { IconChevronDown, IconChevronRight, IconEye, IconEyeOff, IconArrowDown, IconArrowUp, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { isDate, isNumber } from '../query/kinds';
import { say } from '../query/words';
import { Button, IconButton } from '../ui/Button';
import { NumberInput, SegmentedControl, Select, Switch, TextInput } from '../ui/fields';
import { useTheme } from '../lib/theme';
import { columnNamed } from './columns';
import { columnSettings, columnTitle, seriesSettings, withColumnSettings, withSeriesSettings, withSetting } from './settings';
import { measureText, readTokens } from './tokens';
import { withMeaning, type ColumnSettings } from './format';
import { readSeries } from './cartesian/series';
import { listedColumns } from './table/describe';
import { readRules, type Rule } from './table/conditional';
import styles from './SettingsPanel.module.css';
import type { Column, DrawInput, Row, SettingDefinition, SettingTab, VisualizationDefinition, VisualizationSettings } from './types';

interface PanelProps {
  definition: VisualizationDefinition;
  settings: VisualizationSettings;
  columns: Column[];
  rows: Row[];
  onChange: (settings: VisualizationSettings) => void;
}
const tab_names: Record<SettingTab, () => string> = {
  data: () => say('Data'), display: () => say('Display'), axes: () => say('Axes'), columns: () => say('Columns'), formatting: () => say('Colours'),
};

/** Everything a visualization lets one set, from its declared settings. Changes apply at once. */
export function SettingsPanel({ definition, settings, columns, rows, onChange }: PanelProps) {
  const tabs = [...new Set(definition.settings.map((setting) => setting.tab))];
  const [chosen, setChosen] = useState<SettingTab | null>(null);
  const tab = chosen && tabs.includes(chosen) ? chosen : tabs[0];
  const shown = definition.settings.filter((setting) => setting.tab === tab && (setting.when?.(settings, columns, rows) ?? true));
  const own_keys = definition.settings.map((setting) => setting.key);
  const changed = own_keys.some((key) => settings[key] !== undefined);
  return (
    <div className={styles.panel}>
      <div className={styles.tabs} role="tablist">
        {tabs.map((one) => <button key={one} type="button" role="tab" aria-selected={one === tab} className={styles.tab} onClick={() => setChosen(one)}>{tab_names[one]()}</button>)}
      </div>
      <div className={styles.body} role="tabpanel">
        {shown.map((setting) => <Setting key={setting.key + setting.kind} setting={setting} settings={settings} columns={columns} rows={rows} definition={definition} onChange={onChange} />)}
      </div>
      {changed && (
        <div className={styles.foot}>
          <Button kind="quiet" size="small" onClick={() => onChange(own_keys.reduce((next, key) => withSetting(next, key, undefined), settings))}>{say('Reset to defaults')}</Button>
        </div>
      )}
    </div>
  );
}

function Setting({ setting, settings, columns, rows, definition, onChange }: PanelProps & { setting: SettingDefinition }) {
  const value = settings[setting.key];
  const set = (next: unknown) => onChange(withSetting(settings, setting.key, next));
  const options = (fits: (column: Column) => boolean) => columns.filter(fits).map((column) => ({ value: column.name, label: columnTitle(settings, column) }));
  switch (setting.kind) {
    case 'toggle': return <Switch label={setting.title()} checked={typeof value === 'boolean' ? value : setting.fallback} onChange={(event) => set(event.currentTarget.checked)} />;
    case 'number': return <NumberInput label={setting.title()} value={typeof value === 'number' ? value : (setting.fallback ?? '')} onChange={(next) => set(typeof next === 'number' ? next : undefined)} />;
    case 'text': return <TextInput label={setting.title()} value={typeof value === 'string' ? value : (setting.fallback ?? '')} placeholder={setting.placeholder?.()} onChange={(event) => set(event.currentTarget.value || undefined)} />;
    case 'choice': {
      const list = setting.options();
      const now = String(value === undefined ? setting.fallback : value);
      const pick = (text: string) => {
        const found = list.find((one) => String(one.value) === text);
        // "true" and "false" stand for the booleans that saved cards hold.
        set(found?.value === 'true' ? true : found?.value === 'false' ? false : text === 'auto' ? undefined : found?.value);
      };
      return (
        <div>
          <div className={styles.title}>{setting.title()}</div>
          {list.length <= 4 ? <SegmentedControl fullWidth value={now} data={list.map((one) => ({ value: String(one.value), label: one.label }))} onChange={pick} /> : <Select value={now} data={list.map((one) => ({ value: String(one.value), label: one.label }))} onChange={(next) => next && pick(next)} allowDeselect={false} />}
        </div>
      );
    }
    case 'column': {
      const now = typeof value === 'string' && columnNamed(columns, value) >= 0 ? value : setting.fallback(columns, rows);
      return <Select label={setting.title()} data={options(setting.fits)} value={now} onChange={(next) => set(next ?? undefined)} searchable={columns.length > 8} allowDeselect={false} placeholder={say('Choose a column')} />;
    }
    case 'columns': {
      const saved = Array.isArray(value) ? (value as unknown[]).filter((name): name is string => typeof name === 'string' && columnNamed(columns, name) >= 0) : null;
      const now = saved && saved.length > 0 ? saved : setting.fallback(columns, rows);
      const free = options(setting.fits).filter((option) => !now.includes(option.value));
      return (
        <div>
          <div className={styles.title}>{setting.title()}</div>
          <div className={styles.list}>
            {now.map((name, at) => (
              <div key={name} style={{ display: 'flex', gap: 4 }}>
                <Select style={{ flex: 1 }} aria-label={setting.title()} data={[{ value: name, label: columnTitle(settings, columns[columnNamed(columns, name)]!) }, ...free]} value={name} onChange={(next) => next && set(now.map((one, index) => (index === at ? next : one)))} searchable={columns.length > 8} allowDeselect={false} />
                {now.length > 1 && <IconButton label={say('Remove')} icon={<IconX size={16} aria-hidden />} onClick={() => set(now.filter((_, index) => index !== at))} />}
              </div>
            ))}
            {now.length < setting.most && free.length > 0 && (
              <Button kind="quiet" size="small" icon={<IconPlus size={14} aria-hidden />} style={{ alignSelf: 'flex-start' }} onClick={() => set([...now, free[0]!.value])}>{setting.key === 'graph.dimensions' ? say('Split by another column') : say('Add a number')}</Button>
            )}
          </div>
        </div>
      );
    }
    case 'series': return <SeriesSettingsList settings={settings} columns={columns} rows={rows} definition={definition} onChange={onChange} />;
    case 'table_columns': return <TableColumnsList settings={settings} columns={columns} onChange={onChange} />;
    case 'column_formats': return <ColumnFormats settings={settings} columns={columns} definition={definition} title={setting.title()} onChange={onChange} />;
    case 'conditional': return <ConditionalRules settings={settings} columns={columns} onChange={onChange} />;
    case 'comparisons': return <Comparisons settings={settings} columns={columns} onChange={onChange} />;
    default: return null;
  }
}

function Block({ title, mark, children, open: opened = false }: { title: string; mark?: React.ReactNode; children: React.ReactNode; open?: boolean }) {
  const [open, setOpen] = useState(opened);
  return (
    <div className={styles.block}>
      <button type="button" className={styles.block_head} aria-expanded={open} onClick={() => setOpen(!open)}>
        {mark}
        <span>{title}</span>
        {open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}
      </button>
      {open && <div className={styles.block_body}>{children}</div>}
    </div>
  );
}

function Swatches({ value, colors, onPick }: { value: string; colors: string[]; onPick: (color: string) => void }) {
  return (
    <div className={styles.swatches} role="group" aria-label={say('Colour')}>
      {colors.map((color, index) => <button key={color} type="button" className={styles.swatch} style={{ background: color }} aria-pressed={value.toLowerCase() === color.toLowerCase()} aria-label={say('Colour {{n}}', { n: index + 1 })} onClick={() => onPick(color)} />)}
    </div>
  );
}

function SeriesSettingsList({ definition, settings, columns, rows, onChange }: PanelProps) {
  const { theme } = useTheme();
  const tokens = readTokens(theme === 'dark');
  const base = definition.id === 'line' ? 'line' : definition.id === 'area' ? 'area' : 'bar';
  const input: DrawInput = { columns, rows, settings, tokens, size: { width: 600, height: 300 }, inset: 16, now: 0, locale: 'en-US', hidden: new Set(), measure: measureText, first_weekday: 0 };
  const model = readSeries(input, base, { combo: definition.id === 'combo' });
  if ('problem' in model) return null;
  const lines = definition.id !== 'row';
  return (
    <div>
      <div className={styles.title}>{say('Series')}</div>
      <div className={styles.list}>
        {model.series.slice(0, 30).map((series) => {
          const own = seriesSettings(settings, series.key);
          const set = (change: Parameters<typeof withSeriesSettings>[2]) => onChange(withSeriesSettings(settings, series.key, change));
          return (
            <Block key={series.key} title={series.name} mark={<span className={styles.dot} style={{ background: series.color }} />}>
              <TextInput label={say('Name')} value={own.title ?? ''} placeholder={series.name} onChange={(event) => set({ title: event.currentTarget.value || undefined })} />
              <Swatches value={series.color} colors={tokens.series} onPick={(color) => set({ color })} />
              {lines && definition.id === 'combo' && <SegmentedControl fullWidth value={series.display} data={[{ value: 'line', label: say('Line') }, { value: 'area', label: say('Area') }, { value: 'bar', label: say('Bar') }]} onChange={(display) => set({ display: display as 'line' })} />}
              {lines && series.display !== 'bar' && (
                <>
                  <SegmentedControl fullWidth aria-label={say('Line')} value={series.style} data={[{ value: 'solid', label: say('Solid') }, { value: 'dashed', label: say('Dashed') }, { value: 'dotted', label: say('Dotted') }]} onChange={(style) => set({ 'line.style': style as 'solid' })} />
                  <SegmentedControl fullWidth aria-label={say('Shape')} value={own['line.interpolate'] ?? 'linear'} data={[{ value: 'linear', label: say('Straight') }, { value: 'cardinal', label: say('Curved') }, { value: 'step-after', label: say('Steps') }]} onChange={(shape) => set({ 'line.interpolate': shape as 'linear' })} />
                  <Select label={say('Missing values')} value={series.missing} allowDeselect={false} data={[{ value: 'interpolate', label: say('Draw through') }, { value: 'zero', label: say('As zero') }, { value: 'none', label: say('Leave a gap') }]} onChange={(missing) => missing && set({ 'line.missing': missing as 'zero' })} />
                </>
              )}
              {lines && model.series.length > 1 && !model.split && <SegmentedControl fullWidth aria-label={say('Axis')} value={own.axis ?? 'auto'} data={[{ value: 'auto', label: say('Auto') }, { value: 'left', label: say('Left axis') }, { value: 'right', label: say('Right axis') }]} onChange={(axis) => set({ axis: axis === 'auto' ? undefined : (axis as 'left') })} />}
            </Block>
          );
        })}
      </div>
    </div>
  );
}

function TableColumnsList({ settings, columns, onChange }: Pick<PanelProps, 'settings' | 'columns' | 'onChange'>) {
  const list = listedColumns(columns, settings);
  const set = (next: typeof list) => onChange(withSetting(settings, 'table.columns', next));
  const swap = (at: number, to: number) => {
    const next = [...list];
    [next[at], next[to]] = [next[to]!, next[at]!];
    set(next);
  };
  return (
    <div className={styles.list}>
      {list.map((item, at) => {
        const title = columnTitle(settings, columns[columnNamed(columns, item.name)]!);
        return (
          <div key={item.name} className={styles.item} data-off={item.enabled ? undefined : true}>
            <span title={title}>{title}</span>
            <IconButton size="small" label={say('Move up: {{name}}', { name: title })} disabled={at === 0} icon={<IconArrowUp size={14} aria-hidden />} onClick={() => swap(at, at - 1)} />
            <IconButton size="small" label={say('Move down: {{name}}', { name: title })} disabled={at === list.length - 1} icon={<IconArrowDown size={14} aria-hidden />} onClick={() => swap(at, at + 1)} />
            <IconButton size="small" label={item.enabled ? say('Hide {{name}}', { name: title }) : say('Show {{name}}', { name: title })} icon={item.enabled ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />} onClick={() => set(list.map((one) => (one === item ? { ...one, enabled: !one.enabled } : one)))} />
          </div>
        );
      })}
    </div>
  );
}

const currencies = ['USD', 'EUR', 'GBP', 'JPY', 'CHF', 'CAD', 'AUD', 'CNY', 'INR', 'BRL', 'MXN', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'TRY', 'KRW', 'SGD', 'ZAR'];
function ColumnFormats({ settings, columns, definition, title, onChange }: Pick<PanelProps, 'settings' | 'columns' | 'onChange' | 'definition'> & { title: string }) {
  const shown = definition.id === 'table' ? listedColumns(columns, settings).filter((item) => item.enabled).map((item) => columns[columnNamed(columns, item.name)]!) : columns;
  return (
    <div>
      <div className={styles.title}>{title}</div>
      <div className={styles.list}>
        {shown.map((column) => {
          const own = columnSettings(settings, column);
          const all = withMeaning(column, own);
          const set = (change: ColumnSettings) => onChange(withColumnSettings(settings, column, change));
          return (
            <Block key={column.name} title={columnTitle(settings, column)}>
              <TextInput label={say('Title')} value={own.column_title ?? ''} placeholder={column.display_name} onChange={(event) => set({ column_title: event.currentTarget.value || undefined })} />
              {isNumber(column) && (
                <>
                  <Select label={say('Style')} allowDeselect={false} value={all.number_style ?? 'decimal'} data={[{ value: 'decimal', label: say('Plain') }, { value: 'percent', label: say('Percent') }, { value: 'currency', label: say('Currency') }, { value: 'scientific', label: say('Scientific') }]} onChange={(style) => style && set({ number_style: style as 'decimal' })} />
                  {all.number_style === 'currency' && <Select label={say('Currency')} searchable allowDeselect={false} value={all.currency ?? 'USD'} data={currencies} onChange={(currency) => currency && set({ currency })} />}
                  <Select label={say('Separators')} allowDeselect={false} value={all.number_separators ?? '.,'} data={[{ value: '.,', label: '1,234.56' }, { value: ',.', label: '1.234,56' }, { value: ', ', label: '1 234,56' }, { value: '.', label: '1234.56' }, { value: ".'", label: "1'234.56" }]} onChange={(number_separators) => number_separators && set({ number_separators })} />
                  <div className={styles.two}>
                    <NumberInput label={say('Decimals')} min={0} max={12} value={own.decimals ?? ''} placeholder={say('Auto')} onChange={(decimals) => set({ decimals: typeof decimals === 'number' ? decimals : undefined })} />
                    <NumberInput label={say('Multiply by')} value={own.scale ?? ''} placeholder="1" onChange={(scale) => set({ scale: typeof scale === 'number' ? scale : undefined })} />
                    <TextInput label={say('Before')} value={own.prefix ?? ''} onChange={(event) => set({ prefix: event.currentTarget.value || undefined })} />
                    <TextInput label={say('After')} value={own.suffix ?? ''} onChange={(event) => set({ suffix: event.currentTarget.value || undefined })} />
                  </div>
                  {definition.id === 'table' && <Switch label={say('Small bar')} checked={all.show_mini_bar === true} onChange={(event) => set({ show_mini_bar: event.currentTarget.checked || undefined })} />}
                </>
              )}
              {isDate(column) && (
                <Select label={say('Date style')} clearable value={own.date_style ?? null} placeholder={say('Auto')} data={['MMMM D, YYYY', 'D MMMM, YYYY', 'dddd, MMMM D, YYYY', 'M/D/YYYY', 'D/M/YYYY', 'YYYY/M/D', 'YYYY-MM-DD']} onChange={(date_style) => set({ date_style: date_style ?? undefined })} />
              )}
              {!isNumber(column) && !isDate(column) && definition.id === 'table' && (
                <Select label={say('Show as')} allowDeselect={false} value={all.view_as === undefined ? 'auto' : all.view_as === null ? 'text' : String(all.view_as)} data={[{ value: 'auto', label: say('Auto') }, { value: 'text', label: say('Text') }, { value: 'link', label: say('Link') }, { value: 'email_link', label: say('E-mail link') }, { value: 'image', label: say('Picture') }]} onChange={(as) => set({ view_as: as === 'auto' ? undefined : as === 'text' ? null : (as as 'link') })} />
              )}
              {all.view_as === 'link' && (
                <>
                  <TextInput label={say('Address')} value={own.link_url ?? ''} placeholder="https://example.com/{{id}}" onChange={(event) => set({ link_url: event.currentTarget.value || undefined })} />
                  <TextInput label={say('Link text')} value={own.link_text ?? ''} onChange={(event) => set({ link_text: event.currentTarget.value || undefined })} />
                </>
              )}
            </Block>
          );
        })}
      </div>
    </div>
  );
}

function ConditionalRules({ settings, columns, onChange }: Pick<PanelProps, 'settings' | 'columns' | 'onChange'>) {
  const rules = readRules(settings);
  const { theme } = useTheme();
  const tokens = readTokens(theme === 'dark');
  const set = (next: Rule[]) => onChange(withSetting(settings, 'table.column_formatting', next.length > 0 ? next : undefined));
  const change = (at: number, part: Rule) => set(rules.map((rule, index) => (index === at ? { ...rule, ...part } : rule)));
  const colors = ['#3F9C5A', '#D14334', '#D69A16', '#2F5BD8', '#7A5CD6', '#25A68B'];
  const first = columns.find((column) => isNumber(column)) ?? columns[0];
  const operators = ['=', '!=', '<', '>', '<=', '>=', 'contains', 'does-not-contain', 'starts-with', 'ends-with', 'is-null', 'not-null'];
  const names: Record<string, string> = { '=': say('is'), '!=': say('is not'), '<': say('is less than'), '>': say('is more than'), '<=': say('is at most'), '>=': say('is at least'), contains: say('contains'), 'does-not-contain': say('does not contain'), 'starts-with': say('starts with'), 'ends-with': say('ends with'), 'is-null': say('is empty'), 'not-null': say('is not empty') };
  return (
    <div className={styles.list}>
      {rules.map((rule, at) => (
        <Block key={at} open={at === rules.length - 1} title={(rule.columns ?? []).map((name) => columns.find((column) => column.name === name)?.display_name ?? name).join(', ') || say('No column')} mark={<span className={styles.dot} style={{ background: rule.type === 'range' ? (rule.colors?.at(-1) ?? tokens.brand) : rule.color }} />}>
          <Select label={say('Column')} allowDeselect={false} value={rule.columns?.[0] ?? null} data={columns.map((column) => ({ value: column.name, label: columnTitle(settings, column) }))} onChange={(name) => name && change(at, { columns: [name] })} />
          <SegmentedControl fullWidth value={rule.type ?? 'single'} data={[{ value: 'single', label: say('One colour') }, { value: 'range', label: say('A range') }]} onChange={(type) => change(at, type === 'range' ? { type: 'range', colors: ['white', tokens.series[0]!], min_type: null, max_type: null } : { type: 'single', operator: '>', color: colors[0] })} />
          {rule.type !== 'range' ? (
            <>
              <Select aria-label={say('When')} allowDeselect={false} value={rule.operator ?? '='} data={operators.map((operator) => ({ value: operator, label: names[operator]! }))} onChange={(operator) => operator && change(at, { operator })} />
              {!(rule.operator ?? '').endsWith('null') && <TextInput aria-label={say('Value')} value={rule.value == null ? '' : String(rule.value)} onChange={(event) => change(at, { value: event.currentTarget.value })} />}
              <Swatches value={rule.color ?? ''} colors={colors} onPick={(color) => change(at, { color })} />
              <Switch label={say('Colour the whole row')} checked={rule.highlight_row === true} onChange={(event) => change(at, { highlight_row: event.currentTarget.checked })} />
            </>
          ) : <Swatches value={rule.colors?.at(-1) ?? ''} colors={colors} onPick={(color) => change(at, { colors: ['white', color] })} />}
          <Button kind="quiet" size="small" icon={<IconX size={14} aria-hidden />} onClick={() => set(rules.filter((_, index) => index !== at))}>{say('Remove rule')}</Button>
        </Block>
      ))}
      {first && <Button size="small" icon={<IconPlus size={14} aria-hidden />} style={{ alignSelf: 'flex-start' }} onClick={() => set([...rules, { columns: [first.name], type: 'single', operator: isNumber(first) ? '>' : '=', value: isNumber(first) ? 0 : '', color: colors[0] }])}>{say('Add a rule')}</Button>}
    </div>
  );
}

function Comparisons({ settings, columns, onChange }: Pick<PanelProps, 'settings' | 'columns' | 'onChange'>) {
  const raw = settings['scalar.comparisons'];
  const list = (Array.isArray(raw) ? raw : [{ id: '1', type: 'previousPeriod' }]) as { id?: string; type: string; value?: number; column?: string; label?: string }[];
  const set = (next: typeof list) => onChange(withSetting(settings, 'scalar.comparisons', next));
  const change = (at: number, part: Partial<(typeof list)[number]>) => set(list.map((item, index) => (index === at ? { ...item, ...part } : item)));
  const numbers = columns.filter(isNumber);
  return (
    <div className={styles.list}>
      <div className={styles.title} style={{ marginBottom: 0 }}>{say('Compare with')}</div>
      {list.map((item, at) => (
        <div key={item.id ?? at} className={styles.list}>
          <div style={{ display: 'flex', gap: 4 }}>
            <Select style={{ flex: 1 }} aria-label={say('Compare with')} allowDeselect={false} value={item.type} data={[{ value: 'previousPeriod', label: say('The period before') }, { value: 'periodsAgo', label: say('Some periods ago') }, { value: 'previousValue', label: say('The value before') }, { value: 'anotherColumn', label: say('Another column') }, { value: 'staticNumber', label: say('A fixed number') }]} onChange={(type) => type && change(at, { type, value: type === 'periodsAgo' ? 12 : type === 'staticNumber' ? 0 : undefined, column: type === 'anotherColumn' ? numbers[1]?.name ?? numbers[0]?.name : undefined })} />
            {list.length > 1 && <IconButton label={say('Remove')} icon={<IconX size={16} aria-hidden />} onClick={() => set(list.filter((_, index) => index !== at))} />}
          </div>
          {(item.type === 'periodsAgo' || item.type === 'staticNumber') && <NumberInput aria-label={say('Number')} value={item.value ?? ''} onChange={(value) => change(at, { value: typeof value === 'number' ? value : undefined })} />}
          {item.type === 'anotherColumn' && <Select aria-label={say('Column')} allowDeselect={false} value={item.column ?? null} data={numbers.map((column) => ({ value: column.name, label: column.display_name }))} onChange={(column) => column && change(at, { column })} />}
        </div>
      ))}
      {list.length < 3 && <Button kind="quiet" size="small" icon={<IconPlus size={14} aria-hidden />} style={{ alignSelf: 'flex-start' }} onClick={() => set([...list, { id: String(Date.now()), type: 'periodsAgo', value: 12 }])}>{say('Add a comparison')}</Button>}
    </div>
  );
}
