import type { PluginEntry, ProgramRunner, TransportEntry } from '@viassh/core';

/** The transports that come with viassh, in the order in which `auto` tries them. The only list of them. */
export function builtinTransports(programs: ProgramRunner, runtimeFolder: string): readonly TransportEntry[] {
  return [
    {
      name: 'openssh',
      load: async () => (await import('@viassh/transport-openssh')).createOpensshTransport({ programs, runtimeFolder }),
    },
    { name: 'ssh2', load: async () => (await import('@viassh/transport-ssh2')).createSsh2Transport({ programs }) },
  ];
}

/** The embedded server of `viassh demo`. */
export const loadDemo = (): Promise<typeof import('@viassh/demo')> => import('@viassh/demo');

/** The plugins that come with viassh. The only list of them. */
export const builtinPlugins: readonly PluginEntry[] = [
  {
    name: 'imap',
    summary: 'IMAP for mail programs, already logged in (PREAUTH), on stdin and stdout',
    load: async () => (await import('@viassh/plugin-imap')).imapPlugin,
  },
];
