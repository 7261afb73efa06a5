import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useSyncExternalStore } from 'react';
import { query_client } from '@/api/query_client';
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

export function Providers({ children }: { children: ReactNode }) {
  const shown = useTheme().theme;
  return (
    <QueryClientProvider client={query_client}>
      <MantineProvider theme={theme} cssVariablesResolver={css_variables} forceColorScheme={shown}>
        <CollectionSourceContext.Provider value={collection_source}>
          {children}
          <Toasts />
        </CollectionSourceContext.Provider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
