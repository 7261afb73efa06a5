import { IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { Database, TemplateTag } from '../../api/types';
import { kindOfType } from '../../query/kinds';
import { say } from '../../query/words';
import { Button, IconButton } from '../../ui/Button';
import { Tag } from '../../ui/Chip';
import { Select, Switch, TextInput } from '../../ui/fields';
import { isAsked, isEmpty, parseSql, valueOf, type TagMap, type TagValues } from '../../result/tags';
import { ValueEditor, valueText } from '../../result/Variables';
import styles from './sql.module.css';

const widgets: Record<string, { value: string; label: () => string }[]> = {
  date: [
    { value: 'date/all-options', label: () => say('Any date or range') }, { value: 'date/single', label: () => say('One day') }, { value: 'date/range', label: () => say('A range') },
    { value: 'date/relative', label: () => say('Relative') }, { value: 'date/month-year', label: () => say('Month and year') }, { value: 'date/quarter-year', label: () => say('Quarter and year') },
  ],
  number: [{ value: 'number/=', label: () => say('is') }, { value: 'number/!=', label: () => say('is not') }, { value: 'number/between', label: () => say('is between') }, { value: 'number/>=', label: () => say('is at least') }, { value: 'number/<=', label: () => say('is at most') }],
  text: [{ value: 'string/=', label: () => say('is') }, { value: 'string/!=', label: () => say('is not') }, { value: 'string/contains', label: () => say('contains') }, { value: 'string/does-not-contain', label: () => say('does not contain') }, { value: 'string/starts-with', label: () => say('starts with') }, { value: 'string/ends-with', label: () => say('ends with') }],
};
export function widgetsFor(base_type: string | undefined): { value: string; label: string }[] {
  const kind = kindOfType(base_type ?? 'type/Text');
  return (kind === 'date' || kind === 'datetime' ? widgets['date']! : kind === 'number' ? widgets['number']! : widgets['text']!).map((one) => ({ value: one.value, label: one.label() }));
}

interface VariablesDrawerProps {
  sql: string;
  tags: TagMap;
  values: TagValues;
  database: Database | undefined;
  onTags: (tags: TagMap) => void;
  onValues: (values: TagValues) => void;
  onClose: () => void;
}

/** Each `{{variable}}` of the text: its kind, the words that ask for it, its default and its value now. */
export function VariablesDrawer({ sql, tags, values, database, onTags, onValues, onClose }: VariablesDrawerProps) {
  const asked = Object.values(tags).filter((tag) => tag.type !== 'snippet' && tag.type !== 'card');
  const found = parseSql(sql);
  const snippets = found.tags.filter((tag) => tag.kind === 'snippet');
  return (
    <aside className={styles.variables} aria-label={say('Variables')}>
      <div className={styles.head}>
        {say('Variables')}
        <span className={styles.grow} />
        <IconButton label={say('Close')} icon={<IconX size={18} stroke={1.6} aria-hidden />} onClick={onClose} />
      </div>
      <div className={styles.variables_list}>
        {asked.map((tag) => <VariableForm key={tag.id} tag={tag} optional={found.tags.filter((one) => one.name === tag.name).every((one) => one.optional)} value={valueOf(tag, values)} database={database} onTag={(next) => onTags({ ...tags, [tag.name]: next })} onValue={(value) => onValues({ ...values, [tag.name]: value })} />)}
        {asked.length === 0 && (
          <div className={styles.help}>
            <p>{say('Write a name in double braces, and people are asked for its value:')} <code>{'WHERE total > {{least}}'}</code></p>
            <p>{say('A part in double brackets is left out while its variable is empty:')} <code>{'[[AND city = {{city}}]]'}</code></p>
          </div>
        )}
        <div className={styles.help}>
          <b>{say('Snippets used')}</b>
          <div>{snippets.length > 0 ? snippets.map((one) => one.name.replace(/^snippet:\s*/i, '')).join(', ') : <>{say('None. Type')} <code>{'{{snippet:'}</code> {say('to use one.')}</>}</div>
        </div>
      </div>
    </aside>
  );
}

function VariableForm({ tag, optional, value, database, onTag, onValue }: { tag: TemplateTag; optional: boolean; value: unknown; database: Database | undefined; onTag: (tag: TemplateTag) => void; onValue: (value: unknown) => void }) {
  const [editing, setEditing] = useState<'value' | 'default' | null>(null);
  const field_id = Array.isArray(tag.dimension) && typeof tag.dimension[1] === 'number' ? tag.dimension[1] : null;
  const fields = (database?.tables ?? []).flatMap((table) => (table.fields ?? []).map((field) => ({ table, field })));
  const chosen = fields.find((one) => one.field.id === field_id);
  const base = chosen?.field.effective_type ?? chosen?.field.base_type;
  function setKind(kind: string) {
    const next: TemplateTag = { ...tag, type: kind as TemplateTag['type'] };
    delete next.default;
    if (kind !== 'dimension') {
      delete next.dimension;
      delete next['widget-type'];
    } else next['widget-type'] = 'none';
    onTag(next);
    onValue(null);
  }
  return (
    <section className={styles.variable} aria-label={tag.name}>
      <div className={styles.variable_head}>
        <span className={styles.variable_name}>{`{{${tag.name}}}`}</span>
        <Tag>{tag.required ? say('required') : optional || tag.type === 'dimension' ? say('may be left out') : say('needs a value')}</Tag>
      </div>
      <Select
        label={say('Kind')} allowDeselect={false} value={tag.type} onChange={(kind) => kind && kind !== tag.type && setKind(kind)}
        data={[{ value: 'text', label: say('Text') }, { value: 'number', label: say('Number') }, { value: 'date', label: say('Date') }, { value: 'boolean', label: say('True or false') }, { value: 'dimension', label: say('Filter on a column') }]}
      />
      {tag.type === 'dimension' && (
        <>
          <Select
            label={say('Column')} searchable allowDeselect={false} placeholder={say('Choose a column')} value={field_id === null ? null : String(field_id)} limit={200}
            data={fields.map(({ table, field }) => ({ value: String(field.id), label: `${table.display_name} → ${field.display_name}` }))}
            onChange={(id) => {
              const found = fields.find((one) => String(one.field.id) === id);
              if (found) onTag({ ...tag, dimension: ['field', found.field.id, null], 'widget-type': widgetsFor(found.field.effective_type ?? found.field.base_type)[0]!.value });
            }}
          />
          {chosen && <Select label={say('Condition')} allowDeselect={false} value={tag['widget-type'] ?? null} data={widgetsFor(base)} onChange={(widget) => { if (widget) { const next = { ...tag, 'widget-type': widget }; delete next.default; onTag(next); onValue(null); } }} />}
        </>
      )}
      <TextInput label={say('Asked as')} value={tag['display-name']} onChange={(event) => onTag({ ...tag, 'display-name': event.currentTarget.value })} />
      {isAsked(tag) && (
        <>
          {(['value', 'default'] as const).map((part) => {
            const now = part === 'value' ? value : tag.default;
            return (
              <div key={part}>
                <div style={{ font: '500 13px/20px var(--font-ui)', color: 'var(--ink)', marginBottom: 4 }}>{part === 'value' ? say('Value now') : say('Default')}</div>
                <div style={{ display: 'flex', gap: 4 }}>
                  <Button aria-expanded={editing === part} onClick={() => setEditing(editing === part ? null : part)} style={{ justifyContent: 'flex-start', fontWeight: 400, flex: 1, minWidth: 0 }}>{isEmpty(now) ? (part === 'value' ? say('No value') : say('None')) : valueText(tag, now)}</Button>
                  {!isEmpty(now) && <IconButton label={say('Clear')} icon={<IconX size={16} aria-hidden />} onClick={() => (part === 'value' ? onValue(null) : onTag({ ...tag, default: undefined }))} />}
                </div>
                {editing === part && <div className={styles.value}><ValueEditor tag={tag} value={now} onChange={(next) => (part === 'value' ? onValue(next) : onTag({ ...tag, default: next ?? undefined }))} /></div>}
              </div>
            );
          })}
          <Switch label={say('Always needs a value')} checked={tag.required === true} onChange={(event) => onTag({ ...tag, required: event.currentTarget.checked || undefined })} />
          {optional && <div style={{ font: '400 12px/16px var(--font-ui)', color: 'var(--muted)' }}>{say('When it is empty, the part in [[ ]] is left out.')}</div>}
        </>
      )}
    </section>
  );
}
