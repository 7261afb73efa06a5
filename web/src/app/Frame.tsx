import { Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProperties } from '@/api/session';
import { frame, useFrame } from '@/lib/frame';
import { useNarrow } from '@/lib/narrow';
import { useGo } from '@/lib/navigate';
import { paths } from '@/lib/paths';
import { useShortcuts } from '@/lib/shortcuts';
import { toast } from '@/ui/toast';
import styles from './Frame.module.css';
import { SideBar } from './SideBar';
import { TopBar } from './TopBar';
import './strings';

// Dialogs and the drawer come when first asked for; the page does not wait for them.
const Drawer = lazy(() => import('@/ui/Drawer').then((module) => ({ default: module.Drawer })));
const CreateDialogs = lazy(() => import('./CreateDialogs').then((module) => ({ default: module.CreateDialogs })));
const KeysDialog = lazy(() => import('./KeysDialog').then((module) => ({ default: module.KeysDialog })));
const Palette = lazy(() => import('./Palette').then((module) => ({ default: module.Palette })));

/** True from the first time `now` is true. */
function useOnce(now: boolean): boolean {
  const [once, set_once] = useState(now);
  useEffect(() => {
    if (now) set_once(true);
  }, [now]);
  return once || now;
}

/** Top bar, side bar and the page. */
export function Frame() {
  const { t } = useTranslation('app');
  const state = useFrame();
  const creating = state.creating;
  const set_creating = frame.create;
  const narrow = useNarrow();
  const go = useGo();
  const location = useLocation();
  const properties = useProperties();
  const [palette, set_palette] = useState(false);
  const [keys, set_keys] = useState(false);
  const [menu, set_menu] = useState(false);
  const used_palette = useOnce(palette);
  const used_keys = useOnce(keys);
  const used_menu = useOnce(menu);
  const used_creating = useOnce(creating !== null);
  const main = useRef<HTMLElement>(null);
  const open = state.side_open && state.folded === 0;

  // A page change closes what lay above the old page.
  useEffect(() => {
    set_menu(false);
    set_palette(false);
  }, [location.pathname]);

  const everywhere = t('keys_global');
  const facts = () => {
    const lines = [
      `Basalt ${properties?.['basalt-version'] ?? '?'} (${properties?.version?.tag ?? '?'})`,
      navigator.userAgent,
      window.location.pathname,
      `${window.innerWidth} x ${window.innerHeight}`,
    ];
    void navigator.clipboard?.writeText(lines.join('\n')).then(() => toast(t('diagnostics_copied')));
  };
  const go_key = (keys: string, label: string, path: string) => ({ keys, label, group: everywhere, global: true, hidden: true, run: () => go(path) });
  useShortcuts([
    { keys: 'mod+k', label: t('keys_palette'), group: everywhere, in_fields: true, global: true, hidden: true, run: () => set_palette((now) => !now) },
    { keys: '/', label: t('keys_slash'), group: everywhere, global: true, hidden: true, run: () => set_palette(true) },
    { keys: '?', label: t('keys_help'), group: everywhere, global: true, hidden: true, run: () => set_keys(true) },
    { keys: '[', label: t('keys_side'), group: everywhere, global: true, hidden: true, run: () => (narrow ? set_menu((now) => !now) : frame.toggle_side()) },
    go_key('c q', t('keys_new_question'), paths.builder()),
    go_key('c n', t('keys_new_sql'), paths.sql()),
    { keys: 'c d', label: t('keys_new_dashboard'), group: everywhere, global: true, hidden: true, run: () => set_creating('dashboard') },
    { keys: 'c f', label: t('keys_new_collection'), group: everywhere, global: true, hidden: true, run: () => set_creating('collection') },
    go_key('c k', t('keys_new_model'), `${paths.builder()}?type=model`),
    go_key('c m', t('keys_new_metric'), `${paths.builder()}?type=metric`),
    go_key('g h', t('keys_go_home'), paths.home()),
    go_key('g d', t('keys_go_databases'), paths.databases()),
    go_key('g m', t('keys_go_models'), paths.models()),
    go_key('g k', t('keys_go_metrics'), paths.metrics()),
    go_key('g p', t('keys_go_personal'), '/collection/personal'),
    go_key('g t', t('keys_go_trash'), paths.trash()),
    go_key('g a', t('keys_go_admin'), paths.admin()),
    go_key('g u', t('keys_go_account'), paths.account()),
    { keys: 'mod+f1', label: t('diagnostics'), group: everywhere, global: true, hidden: true, in_fields: true, run: facts },
  ]);

  return (
    <div className={styles.frame} style={{ '--side': !narrow && open ? `${state.side_width}px` : '0px' } as React.CSSProperties}>
      <a href="#main" className={styles.skip} onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        {t('skip')}
      </a>
      <TopBar
        narrow={narrow}
        onMenu={() => (narrow ? set_menu(true) : frame.toggle_side())}
        side_open={narrow ? menu : open}
        onSearch={() => set_palette(true)}
        onKeys={() => set_keys(true)}
        onFacts={facts}
        onCreate={set_creating}
      />
      {!narrow && open && <SideBar />}
      {narrow && used_menu && (
        <Suspense><Drawer opened={menu} onClose={() => set_menu(false)} size={300} title={t('menu')} padding={0} closeButtonProps={{ 'aria-label': t('menu') }}>
          <SideBar inside_drawer onCreate={(kind) => { set_menu(false); set_creating(kind); }} />
        </Drawer></Suspense>
      )}
      <main id="main" ref={main} tabIndex={-1} className={styles.main} data-scroll-restoration-id="main">
        <Outlet />
      </main>
      <div className="visually-hidden" role="status" aria-live="polite">
        {state.title}
      </div>
      <Suspense>
        {used_palette && (
          <Palette
            opened={palette}
            onClose={() => set_palette(false)}
            onKeys={() => {
              set_palette(false);
              set_keys(true);
            }}
            onCreate={(kind) => {
              set_palette(false);
              set_creating(kind);
            }}
          />
        )}
        {used_keys && <KeysDialog opened={keys} onClose={() => set_keys(false)} />}
        {used_creating && <CreateDialogs creating={creating} onClose={() => set_creating(null)} />}
      </Suspense>
    </div>
  );
}
