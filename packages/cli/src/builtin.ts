import {
  isViasshError,
  type PluginEntry,
  type ProgramRunner,
  type Recipe,
  type RemoteShellProgramEntry,
  type TransportEntry,
  ViasshError,
} from '@viassh/core';

/** The transports that come with viassh, in the order in which `auto` tries them. The only list of them. */
export function builtinTransports(
  programs: ProgramRunner,
  runtimeFolder: string,
  sshFile: string,
): readonly TransportEntry[] {
  return [
    {
      name: 'openssh',
      load: async () => {
        const { createOpensshTransport } = await whole('the openssh transport', import('@viassh/transport-openssh'));
        return createOpensshTransport({ programs, runtimeFolder, sshFile });
      },
    },
    {
      name: 'ssh2',
      load: async () => {
        const { createSsh2Transport } = await whole('the ssh2 transport', import('@viassh/transport-ssh2'));
        return createSsh2Transport({ programs });
      },
    },
  ];
}

/** The transport on a ControlMaster of the user's own. Not for `auto`: it is named by its control socket. */
export function controlTransport(programs: ProgramRunner, runtimeFolder: string, controlPath: string): TransportEntry {
  return {
    name: 'control',
    load: async () => {
      const { createControlTransport } = await whole('the control transport', import('@viassh/transport-openssh'));
      return createControlTransport({ programs, runtimeFolder, controlPath });
    },
  };
}

/** The embedded server of `viassh demo`. */
export const loadDemo = (): Promise<typeof import('@viassh/demo')> => whole('the demo', import('@viassh/demo'));

export type { MailerMessage, MailerTransport, SendError, SendmailOptions, SentMail } from '@viassh/plugin-smtp';

/** SMTP: the plugin, and the same as a function. */
export const loadSmtp = (): Promise<typeof import('@viassh/plugin-smtp')> =>
  whole('smtp', import('@viassh/plugin-smtp'));

export type { ImapOverOptions } from '@viassh/plugin-imap';

/** IMAP: the plugin, and the same as a function. */
export const loadImap = (): Promise<typeof import('@viassh/plugin-imap')> =>
  whole('imap', import('@viassh/plugin-imap'));

export type {
  DestinationRule,
  DestinationRules,
  DynamicForwardRequest,
  Forward,
  ForwardCounters,
  ForwardedConnection,
  ForwardEvent,
  ForwardOptions,
  LocalForwardSpec,
  RemoteForwardSpec,
  SocksUsers,
} from '@viassh/plugin-forward';

/** Forwards: the plugin, and the same as functions. */
export const loadForward = (): Promise<typeof import('@viassh/plugin-forward')> =>
  whole('the plugin forward', import('@viassh/plugin-forward'));

export type { X11ByForward, X11Display, X11DisplayOptions, X11Event, X11Forward } from '@viassh/plugin-x11';

/** X11: the plugin, and the same as functions. */
export const loadX11 = (): Promise<typeof import('@viassh/plugin-x11')> =>
  whole('the plugin x11', import('@viassh/plugin-x11'));

/** The plugins that come with viassh. The only list of them. */
export const builtinPlugins: readonly PluginEntry[] = [
  {
    name: 'imap',
    summary: 'IMAP for mail programs, already logged in (PREAUTH), on stdin and stdout',
    load: async () => (await loadImap()).imapPlugin,
  },
  {
    name: 'smtp',
    summary: 'SMTP through the far end, for mail programs and mail servers, on stdin and stdout',
    load: async () => (await loadSmtp()).smtpPlugin,
  },
  {
    name: 'forward',
    summary: 'forward ports and Unix sockets, in both directions, with SOCKS and HTTP CONNECT',
    load: async () => (await loadForward()).forwardPlugin,
  },
  {
    name: 'x11',
    summary: 'X11 programs of the far end on the display here',
    load: async () => (await loadX11()).x11Plugin,
  },
  {
    name: 'ppp',
    summary: 'an IP link to the far end, with routes and name servers (PPP, TUN)',
    mayServeHere: true,
    load: async () => (await whole('the plugin ppp', import('@viassh/plugin-ppp'))).pppPlugin,
  },
];

export type {
  RemoteFile,
  Rsync,
  RsyncOptions,
  RsyncProgress,
  RsyncStatistics,
  Scp,
  ScpFailure,
  ScpOptions,
} from '@viassh/plugin-rsync';
export type { RemoteShellCall, SpokenCall } from '@viassh/plugin-rsync/personality';

/** What reads the arguments of the remote shell; apart from its programs, as it is loaded at every call. */
export const loadPersonality = (): Promise<typeof import('@viassh/plugin-rsync/personality')> =>
  whole('the remote shell', import('@viassh/plugin-rsync/personality'));

/** The remote shell with its programs. */
export const loadRemoteShell = (): Promise<typeof import('@viassh/plugin-rsync')> =>
  whole('the remote shell', import('@viassh/plugin-rsync'));

/** The programs that viassh starts with its remote shell set for them. The only list of them. */
export const builtinPrograms: readonly RemoteShellProgramEntry[] = [
  {
    name: 'rsync',
    summary: 'rsync, with viassh as its remote shell',
    load: async () => (await loadRemoteShell()).rsyncProgram,
  },
  { name: 'cvs', summary: 'cvs, with viassh as its CVS_RSH', load: async () => (await loadRemoteShell()).cvsProgram },
  {
    name: 'uucp',
    summary: 'uucp, calling the other system through viassh',
    load: async () => (await loadRemoteShell()).uucpProgram,
  },
  { name: 'git', summary: 'git, with viassh as its ssh', load: async () => (await loadRemoteShell()).gitProgram },
  { name: 'scp', summary: 'scp, with viassh as its ssh', load: async () => (await loadRemoteShell()).scpProgram },
  { name: 'sftp', summary: 'sftp, with viassh as its ssh', load: async () => (await loadRemoteShell()).sftpProgram },
];

/** Recipes for programs that need nothing but our remote shell. */
export const builtinRecipes = async (): Promise<readonly Recipe[]> => (await loadRemoteShell()).moreRecipes;

/** A part of viassh whose module does not load is said as such. */
async function whole<T>(name: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if (isViasshError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ViasshError('INTERNAL', `${name} cannot be loaded: ${reason}`, {
      hint: 'install viassh again; -v shows more',
      cause: error,
    });
  }
}
