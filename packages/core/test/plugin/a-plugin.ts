import { type ExitStatus, type OptionTable, type PluginDefinition, pluginApiVersion } from '@viassh/core';

/** A definition that does nothing, to be changed by the test. */
export function definitionWith<T extends OptionTable>(
  changes: Partial<PluginDefinition<T>> & { readonly options: T },
): PluginDefinition<T> {
  return {
    apiVersion: pluginApiVersion,
    name: 'nothing',
    summary: 'does nothing',
    needs: ['exec'],
    lifetime: 'one-shot',
    run: async (): Promise<ExitStatus> => ({ kind: 'status', code: 0 }),
    ...changes,
  };
}
