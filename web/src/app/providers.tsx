import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { query_client } from '@/api/query_client';
import { useTheme } from '@/lib/theme';
import { collection_source } from './collection_source';
import { CollectionSourceContext } from '@/ui/collection_source';
import { css_variables, theme } from './mantine_theme';

export function Providers({ children }: { children: ReactNode }) {
  const shown = useTheme().theme;
  return (
    <QueryClientProvider client={query_client}>
      <MantineProvider theme={theme} cssVariablesResolver={css_variables} forceColorScheme={shown}>
        <CollectionSourceContext.Provider value={collection_source}>
          <ModalsProvider>
            {children}
            <Notifications position="bottom-left" limit={4} />
          </ModalsProvider>
        </CollectionSourceContext.Provider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
