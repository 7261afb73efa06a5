import { useMemo } from 'react';
import type { DashCard, Dashboard } from '@/api/types';
import { mappingOptions, type MappingOption, type Parameter } from '@/query/parameters';
import { useCatalog } from '@/query/editors/useCatalog';
import { readQuery } from '@/query/read';
import { say } from '@/query/words';
import { readableCard } from '../cards/DashCardView';
import { tagsOf } from '../cards/TextCard';
import { virtualKind } from '../model';

/** For each card what a filter could be linked to; cards that nothing fits have an empty list. */
export function useMappings(dashcards: Dashboard['dashcards'], parameter: Parameter | null): { options: Map<number, MappingOption[]>; loading: boolean } {
  const queries = useMemo(() => (parameter ? dashcards.map((card) => readQuery((readableCard(card)?.dataset_query ?? null) as Record<string, unknown> | null)) : []), [dashcards, parameter]);
  const { catalog, loading } = useCatalog(queries);
  const options = useMemo(() => {
    const out = new Map<number, MappingOption[]>();
    if (!parameter) return out;
    for (const dashcard of dashcards) out.set(dashcard.id, optionsOf(dashcard, parameter, (query) => mappingOptions(catalog, query, parameter)));
    return out;
  }, [catalog, dashcards, parameter]);
  return { options, loading };
}
function optionsOf(dashcard: DashCard, parameter: Parameter, options: (query: Record<string, unknown>) => MappingOption[]): MappingOption[] {
  const kind = virtualKind(dashcard);
  if (kind === 'text' || kind === 'heading') {
    const text = dashcard.visualization_settings['text'];
    return parameter.type === 'temporal-unit' ? [] : tagsOf(typeof text === 'string' ? text : '').map((tag) => ({ target: ['text-tag', tag], name: tag, group: say('In the text'), column: null }));
  }
  const card = readableCard(dashcard);
  return card ? options(card.dataset_query as Record<string, unknown>) : [];
}
