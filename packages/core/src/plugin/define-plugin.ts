import { ViasshError } from '../errors/viassh-error.ts';
import { type OptionTable, parseOptions } from './options.ts';
import { type Plugin, type PluginDefinition, pluginApiVersion } from './plugin.ts';

/**
 * Makes a plugin from its definition; the types of its options are checked here and erased after.
 *
 * @throws ViasshError PLUGIN_INVALID when it was written for another version of the contract.
 */
export function definePlugin<const T extends OptionTable>(definition: PluginDefinition<T>): Plugin {
  if ((definition.apiVersion as number) !== pluginApiVersion) {
    throw new ViasshError(
      'PLUGIN_INVALID',
      `the plugin ${definition.name} is for plugin API ${String(definition.apiVersion)}, this is ${pluginApiVersion}`,
      {
        hint: 'install versions of viassh and of the plugin that belong together',
      },
    );
  }
  const { needs, lifetime, check, run: _run, runHere: _runHere, ...others } = definition;
  const { servesHere, exitCodeOf: _exitCodeOf, reportFailure: _reportFailure, handOver, ...data } = others;
  return {
    ...data,
    prepare(raw, words) {
      if (words.length > 0 && definition.words === undefined) {
        throw new ViasshError('OPTION_INVALID', `${definition.name} takes no words after --`);
      }
      const options = parseOptions(definition.options, raw, words);
      check?.(options);
      return {
        name: definition.name,
        needs: typeof needs === 'function' ? needs(options) : needs,
        lifetime: typeof lifetime === 'function' ? lifetime(options) : lifetime,
        keepalive: definition.keepalive ?? false,
        servesHere: servesHere?.(options) ?? false,
        runHere: async (context) => await definition.runHere?.(context, options),
        exitCodeOf: (error) => definition.exitCodeOf?.(error, options),
        reportFailure: async (context, error) => await definition.reportFailure?.(context, error, options),
        handOver: handOver === undefined ? undefined : (context, session) => handOver(context, session, options),
        run: (context) => definition.run(context, options),
      };
    },
  };
}
