import type { PluginRegistry } from '@viassh/core';
import type { CommandContext } from './command-context.ts';

/** `viassh plugins`: what is installed and what each needs, and the transports with what this machine has for them. */
export async function runPlugins(
  { environment, globals, stdout }: CommandContext,
  registry: PluginRegistry,
): Promise<number> {
  const plugins = await Promise.all(
    registry.entries.map(async ({ name, summary }) => {
      const plugin = await registry.load(name);
      return { name, summary, needs: plugin.prepare({}, []).needs };
    }),
  );
  const transports = await Promise.all(
    environment.transports.map(async (entry) => {
      const availability = await (await entry.load()).available();
      return {
        name: entry.name,
        usable: availability.ok,
        detail: availability.ok ? availability.detail : availability.reason,
      };
    }),
  );
  if (globals.json) stdout.write(`${JSON.stringify({ plugins, transports }, null, 2)}\n`);
  else {
    for (const { name, summary, needs } of plugins)
      stdout.write(`${name.padEnd(10)} ${summary} (needs ${needs.join(', ')})\n`);
    stdout.write('\ntransports:\n');
    for (const { name, usable, detail } of transports)
      stdout.write(`${name.padEnd(10)} ${usable ? 'ok' : 'no'}: ${detail}\n`);
  }
  return 0;
}
