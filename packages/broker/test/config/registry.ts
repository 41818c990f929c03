import { createRegistry, type Plugin, type PluginRegistry } from '@viassh/core';
import { forwardPlugin } from '@viassh/plugin-forward';
import { imapPlugin } from '@viassh/plugin-imap';
import { smtpPlugin } from '@viassh/plugin-smtp';

const plugins: readonly Plugin[] = [forwardPlugin, imapPlugin, smtpPlugin];

/** The real ones; `loaded` gets the names of those that were wanted. */
export function pluginsForConfig(loaded: string[] = []): PluginRegistry {
  return createRegistry(
    plugins.map((plugin) => ({
      name: plugin.name,
      summary: plugin.summary,
      load: async () => {
        loaded.push(plugin.name);
        return plugin;
      },
    })),
  );
}
