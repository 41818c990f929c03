import { isViasshError, ViasshError } from '../errors/viassh-error.ts';
import type { Plugin } from './plugin.ts';

/** A plugin before it is loaded. */
export interface PluginEntry {
  readonly name: string;
  readonly summary: string;
  /** Some calls of it dial nobody: those that have no destination. */
  readonly mayServeHere?: boolean | undefined;
  load(): Promise<Plugin>;
}

/** The plugins that are installed. */
export interface PluginRegistry {
  readonly entries: readonly PluginEntry[];
  /** @throws ViasshError PLUGIN_UNKNOWN; PLUGIN_INVALID when it cannot be loaded. */
  load(name: string): Promise<Plugin>;
}

/** A registry over a written list; nothing is loaded before it is asked for. */
export function createRegistry(entries: readonly PluginEntry[]): PluginRegistry {
  return {
    entries,
    async load(name) {
      const entry = entries.find((candidate) => candidate.name === name);
      if (entry === undefined) {
        throw new ViasshError('PLUGIN_UNKNOWN', `there is no plugin named '${name}'`, {
          hint: 'viassh plugins lists what is installed',
        });
      }
      try {
        return await entry.load();
      } catch (error) {
        if (isViasshError(error)) throw error; // it knows better what is wrong
        throw new ViasshError('PLUGIN_INVALID', `the plugin ${name} cannot be loaded`, {
          hint: 'install viassh again; -v shows the reason',
          cause: error,
        });
      }
    },
  };
}
