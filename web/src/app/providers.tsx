import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useSyncExternalStore } from 'react';
import { query_client } from '@/api/query_client';
import { useCurrentUser, useProperties } from '@/api/session';
import { i18next, language_of, speak } from '@/lib/i18n';
import { useTheme } from '@/lib/theme';
import { collection_source } from './collection_source';
import { CollectionSourceContext } from '@/ui/collection_source';
import { toasts_wanted } from '@/ui/toast';
import { css_variables, theme } from './mantine_theme';

const Notifications = lazy(() => import('@mantine/notifications').then((module) => ({ default: module.Notifications })));

/** The place for toasts; fetched with the first one, because no page opens with one. */
function Toasts() {
  const wanted = useSyncExternalStore(toasts_wanted.subscribe, toasts_wanted.read);
  if (!wanted) return null;
  return (
    <Suspense>
      <Notifications position="bottom-left" limit={4} />
    </Suspense>
  );
}

/** Speaks the person's language, else the site's; to strangers their browser's. */
function Language() {
  const site = useProperties()?.['site-locale'];
  const user = useCurrentUser();
  const wanted = user && site !== undefined ? language_of(user.locale ?? site ?? 'en') : undefined;
  useEffect(() => {
    if (!wanted || wanted === i18next.language) return;
    // Texts made outside of components are made once: the page starts anew.
    void speak(wanted).then(() => window.location.reload(), () => undefined);
  }, [wanted]);
  return null;
}

export function Providers({ children }: { children: ReactNode }) {
  const shown = useTheme().theme;
  return (
    <QueryClientProvider client={query_client}>
      <MantineProvider theme={theme} cssVariablesResolver={css_variables} forceColorScheme={shown}>
        <CollectionSourceContext.Provider value={collection_source}>
          <Language />
          {children}
          <Toasts />
        </CollectionSourceContext.Provider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
