import { IconAlertTriangle, IconArrowLeft, IconCircleCheck } from '@tabler/icons-react';
import { type FormEvent, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { i18next, speak } from '@/lib/i18n';
import { ApiError } from '@/api/client';
import { type ConnectionTest, databases } from '@/api/databases';
import { reload_session, session, useEngines, useProperties } from '@/api/session';
import { usePageTitle } from '@/lib/frame';
import { useGo } from '@/lib/navigate';
import { Button } from '@/ui/Button';
import { Columns } from '@/ui/Columns';
import { EngineForm } from '@/ui/engine_form/EngineForm';
import { EngineTiles } from '@/ui/engine_form/EngineTiles';
import { details_to_send, missing_fields, start_values, type FormValues } from '@/ui/engine_form/fields';
import { PasswordInput, Select, TextInput } from '@/ui/fields';
import { Wordmark } from '@/ui/Mark';
import { toast, toast_failure } from '@/ui/toast';
import { is_email, password_rules } from './password_rules';
import styles from './SetupPage.module.css';
import './strings';

type Step = 1 | 2 | 3;

/** First start: who you are, what the site is called, where the data is. The mark itself shows the progress. */
export function SetupPage() {
  const { t } = useTranslation('setup');
  usePageTitle(t('title'));
  const [step, set_step] = useState<Step>(1);
  const [person, set_person] = useState({ first_name: '', last_name: '', email: '', password: '', again: '', locale: i18next.language });
  const [site, set_site] = useState('');

  const names: [string, string][] = [
    [t('you'), step > 1 ? t('done') : t('half_minute')],
    [t('site'), step > 2 ? t('done') : step === 2 ? t('half_minute') : t('to_come')],
    [t('data'), step === 3 ? t('about_minute') : t('can_wait')],
  ];
  const state = (place: Step) => (place < step ? 'done' : place === step ? 'now' : 'later');

  return (
    <div className={styles.page}>
      <aside className={styles.panel} data-theme="dark">
        <Wordmark size={28} ground="dark" />
        <div className={styles.progress} role="img" aria-label={t('progress', { step })}>
          <Columns
            width={88}
            gap={16}
            stroke={1.5}
            columns={[
              { height: 176, state: state(1) },
              { height: 124, state: state(2) },
              { height: 276, state: state(3) },
            ]}
          />
          <ol className={styles.names}>
            {names.map(([name, note], index) => (
              <li key={name} data-state={state((index + 1) as Step)}>
                <b>{name}</b>
                <span>{note}</span>
              </li>
            ))}
          </ol>
        </div>
        <p className={styles.promise}>{t('promise')}</p>
      </aside>
      <main className={styles.main}>
        <div className={styles.form}>
          <p className={styles.step}>{t('step', { step })}</p>
          {step === 1 && <PersonStep person={person} onChange={set_person} onDone={() => set_step(2)} />}
          {step === 2 && <SiteStep person={person} site={site} onChange={set_site} onBack={() => set_step(1)} onDone={() => set_step(3)} />}
          {step === 3 && <DataStep first_name={person.first_name} />}
        </div>
      </main>
    </div>
  );
}

type Person = { first_name: string; last_name: string; email: string; password: string; again: string; locale: string };

function PersonStep({ person, onChange, onDone }: { person: Person; onChange: (person: Person) => void; onDone: () => void }) {
  const { t } = useTranslation('setup');
  const properties = useProperties();
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [busy, set_busy] = useState(false);
  const rules = password_rules(properties?.['password-complexity'], person.password);
  const same = person.again !== '' && person.again === person.password;
  const set = (key: keyof Person) => (event: { currentTarget: { value: string } }) => {
    onChange({ ...person, [key]: event.currentTarget.value });
    set_problems(({ [key]: _gone, ...rest }) => rest);
  };
  async function submit(event: FormEvent) {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (person.first_name.trim() === '') found.first_name = t('needed');
    if (!is_email(person.email)) found.email = person.email.trim() === '' ? t('needed') : t('email_wrong');
    if (rules.some((rule) => !rule.met)) found.password = t('needed');
    else if (!same) found.again = t('rule_same');
    if (found.password && person.password !== '') found.password = ' ';
    set_problems(found);
    if (Object.keys(found).length > 0) return;
    set_busy(true);
    try {
      await session.check_password(person.password);
      onDone();
    } catch (error) {
      set_problems({ password: error instanceof ApiError ? (error.fields.password ?? error.message) : String(error) });
    } finally {
      set_busy(false);
    }
  }
  const locales = properties?.['available-locales'] ?? [];
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className={styles.fields}>
      <h1>{t('you_title')}</h1>
      <p className={styles.lead}>{t('you_text')}</p>
      {locales.length > 1 && (
        <Select size="lg" label={t('language')} data={locales.map(([value, label]) => ({ value, label }))} value={person.locale} onChange={(value) => void speak(value ?? 'en').then(() => onChange({ ...person, locale: value ?? 'en' }))} searchable />
      )}
      <div className={styles.two}>
        <TextInput size="lg" label={t('first_name')} autoComplete="given-name" autoFocus value={person.first_name} onChange={set('first_name')} error={problems.first_name} />
        <TextInput size="lg" label={t('last_name')} autoComplete="family-name" value={person.last_name} onChange={set('last_name')} error={problems.last_name} />
      </div>
      <TextInput size="lg" label={t('email')} type="email" autoComplete="username" value={person.email} onChange={set('email')} error={problems.email} />
      <div className={styles.two}>
        <PasswordInput size="lg" label={t('password')} autoComplete="new-password" aria-describedby="rules" value={person.password} onChange={set('password')} error={problems.password} />
        <PasswordInput size="lg" label={t('password_again')} autoComplete="new-password" value={person.again} onChange={set('again')} error={problems.again} />
      </div>
      <ul className={styles.rules} id="rules" aria-live="polite">
        {rules.map((rule) => (
          <li key={rule.name} data-met={rule.met || undefined}>
            <i aria-hidden />
            {t(rule.name, { count: rule.count })}
            <span className="visually-hidden">, {rule.met ? t('rule_met') : t('rule_unmet')}</span>
          </li>
        ))}
        <li data-met={same || undefined}>
          <i aria-hidden />
          {t('rule_same')}
          <span className="visually-hidden">, {same ? t('rule_met') : t('rule_unmet')}</span>
        </li>
      </ul>
      <div className={styles.actions}>
        <span />
        <Button kind="primary" size="large" type="submit" busy={busy}>
          {t('next')}
        </Button>
      </div>
    </form>
  );
}

function SiteStep({ person, site, onChange, onBack, onDone }: { person: Person; site: string; onChange: (site: string) => void; onBack: () => void; onDone: () => void }) {
  const { t } = useTranslation('setup');
  const properties = useProperties();
  const [problem, set_problem] = useState<string>();
  const [busy, set_busy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (site.trim() === '') return set_problem(t('needed'));
    set_busy(true);
    try {
      await session.set_up({
        // Of the link /setup?token=… when the server does not tell it to everybody.
        token: properties?.['setup-token'] ?? new URLSearchParams(window.location.search).get('token') ?? '',
        user: { first_name: person.first_name.trim(), last_name: person.last_name.trim(), email: person.email.trim(), password: person.password },
        prefs: { site_name: site.trim(), site_locale: person.locale },
      });
      await reload_session();
      onDone();
    } catch (error) {
      set_problem(error instanceof ApiError ? (error.fields.token ?? error.message) : error instanceof Error ? error.message : String(error));
    } finally {
      set_busy(false);
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)} noValidate className={styles.fields}>
      <h1>{t('site_title')}</h1>
      <p className={styles.lead}>{t('site_text')}</p>
      <TextInput size="lg" label={t('site_name')} placeholder={t('site_name_hint')} autoFocus value={site} onChange={(event) => onChange(event.currentTarget.value)} error={problem} maxLength={120} />
      <div className={styles.actions}>
        <Button kind="quiet" size="large" icon={<IconArrowLeft size={16} aria-hidden />} onClick={onBack}>
          {t('back')}
        </Button>
        <Button kind="primary" size="large" type="submit" busy={busy}>
          {t('finish_site')}
        </Button>
      </div>
    </form>
  );
}

function DataStep({ first_name }: { first_name: string }) {
  const { t } = useTranslation('setup');
  const go = useGo();
  const engines = useEngines();
  const choices = useMemo(
    () => Object.entries(engines).filter(([, engine]) => !engine['superseded-by']).map(([id, engine]) => ({ id, name: engine['driver-name'] })),
    [engines],
  );
  const [engine, set_engine] = useState<string>();
  const chosen = engine ?? choices[0]?.id ?? '';
  const fields = engines[chosen]?.['details-fields'] ?? [];
  const [typed, set_typed] = useState<Record<string, FormValues>>({});
  const values = typed[chosen] ?? start_values(fields);
  const [name, set_name] = useState('');
  const [problems, set_problems] = useState<Record<string, string>>({});
  const [test, set_test] = useState<ConnectionTest & { ms?: number }>();
  const [busy, set_busy] = useState<'test' | 'use' | 'sample'>();

  function complete(): boolean {
    const missing = missing_fields(fields, values);
    set_problems(Object.fromEntries(missing.map((field) => [field, t('needed')])));
    return missing.length === 0;
  }

  async function try_out() {
    if (!complete()) return;
    set_busy('test');
    set_test(undefined);
    const started = performance.now();
    try {
      const answer = await databases.test(chosen, details_to_send(fields, values));
      set_test({ ...answer, ms: performance.now() - started });
      set_problems(answer.errors ?? {});
    } catch (error) {
      set_test({ valid: false, message: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(undefined);
    }
  }

  async function use(event: FormEvent) {
    event.preventDefault();
    const missing_name = name.trim() === '';
    if (!complete() || missing_name) {
      if (missing_name) set_problems((before) => ({ ...before, basalt_name: t('needed') }));
      return;
    }
    set_busy('use');
    try {
      await databases.create({ name: name.trim(), engine: chosen, details: details_to_send(fields, values) });
      leave();
    } catch (error) {
      const fields_of_error = error instanceof ApiError ? error.fields : {};
      set_problems(fields_of_error);
      set_test({ valid: false, message: error instanceof Error ? error.message : String(error) });
    } finally {
      set_busy(undefined);
    }
  }

  async function use_sample() {
    set_busy('sample');
    try {
      // The server may have made it on its very first start.
      const there = await databases.list();
      if (!there.some((one) => one.is_sample)) await databases.add_sample();
      leave();
    } catch (error) {
      toast_failure(error);
    } finally {
      set_busy(undefined);
    }
  }

  function leave() {
    if (first_name.trim()) toast(t('welcome', { name: first_name.trim() }));
    go('/', { replace: true });
  }

  return (
    <form onSubmit={(event) => void use(event)} noValidate className={styles.fields}>
      <h1>{t('data_title')}</h1>
      <p className={styles.lead}>{t('data_text')}</p>
      <EngineTiles
        label={t('data_title')}
        engines={choices}
        value={chosen}
        onChange={(id) => {
          set_engine(id);
          set_test(undefined);
          set_problems({});
        }}
      />
      <TextInput size="lg" label={t('data_name')} value={name} onChange={(event) => set_name(event.currentTarget.value)} error={problems.basalt_name} maxLength={120} />
      <EngineForm
        size="lg"
        engine={chosen}
        fields={fields}
        values={values}
        problems={problems}
        more_label={t('more_options')}
        onChange={(next) => {
          set_typed({ ...typed, [chosen]: next });
          set_test(undefined);
        }}
      />
      {test && <TestResult test={test} />}
      <div className={styles.actions}>
        <Button kind="quiet" size="large" onClick={leave}>
          {t('later')}
        </Button>
        <Button size="large" busy={busy === 'sample'} onClick={() => void use_sample()}>
          {t('sample')}
        </Button>
        <Button size="large" busy={busy === 'test'} onClick={() => void try_out()}>
          {t('test')}
        </Button>
        <Button kind="primary" size="large" type="submit" busy={busy === 'use'}>
          {t('use_data')}
        </Button>
      </div>
    </form>
  );
}

function TestResult({ test }: { test: ConnectionTest & { ms?: number } }) {
  const { t } = useTranslation('setup');
  return (
    <div className={styles.test} data-fine={test.valid || undefined} role="status">
      {test.valid ? <IconCircleCheck size={20} stroke={1.6} aria-hidden /> : <IconAlertTriangle size={20} stroke={1.6} aria-hidden />}
      <p>
        <b>{test.valid ? t('connected') : t('failed')}</b> {test.valid ? t('connected_text') : test.message}
      </p>
    </div>
  );
}
