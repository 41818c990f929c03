import { type TcpipTarget, type TypedOptions, ViasshError } from '@viassh/core';
import { isSetting, type Setting } from './option-policy.ts';
import type { RemoteShellCall, RemoteShellMode } from './remote-shell-call.ts';

/** What a connection of ours can do of a call. */
export interface SpokenCall {
  readonly typed: TypedOptions;
  readonly mode: Exclude<RemoteShellMode, 'query' | 'control'>;
  /** What is sent: the command, or the name of a subsystem. */
  readonly command: string;
  /** Of -t and -T; `force` also where no terminal is here. */
  readonly tty: 'no' | 'auto' | 'yes' | 'force';
  /** -n: nothing is read from stdin. */
  readonly noStdin: boolean;
  readonly quiet: boolean;
  /** How often -v. */
  readonly verbose: number;
  /** -E: the log goes there. */
  readonly logFile: string | undefined;
  /** -W */
  readonly forward: TcpipTarget | undefined;
}

/** Letters that we have nothing for, and what they ask for. */
const lacking: Readonly<Record<string, string>> = {
  '1': 'version 1 of the protocol',
  D: 'a dynamic forward',
  f: 'going into the background',
  I: 'a PKCS#11 library',
  K: 'Kerberos',
  L: 'a local forward',
  M: 'being a master for others',
  O: 'commands to a master',
  Q: 'what this ssh knows',
  R: 'a remote forward',
  S: 'a control socket',
  w: 'a tun device',
  X: 'X11',
  Y: 'X11',
};

const lackingSettings: Readonly<Record<string, string>> = {
  LocalForward: 'a local forward',
  RemoteForward: 'a remote forward',
  DynamicForward: 'a dynamic forward',
  ForwardX11: 'X11',
  ForwardX11Trusted: 'X11',
  Tunnel: 'a tun device',
  ForkAfterAuthentication: 'going into the background',
};

/** Letters that stand for a setting. */
const settingOf: Readonly<Record<string, string>> = { b: 'BindAddress', B: 'BindInterface', c: 'Ciphers', m: 'MACs' };

/**
 * What a call asks for, for a connection of ours that is spoken and not handed over.
 *
 * @throws ViasshError CAPABILITY_MISSING naming what `means` cannot do, OPTION_INVALID
 */
export function spokenCall(call: RemoteShellCall, means: string): SpokenCall {
  const { options, settings } = call;
  const all = (letter: string): string[] => options.flatMap((one) => (one.letter === letter ? [one.value ?? ''] : []));
  const has = (letter: string): boolean => all(letter).length > 0;
  const lastOf = (letters: string): string | undefined =>
    options.findLast((one) => letters.includes(one.letter))?.letter;
  const setting = (keyword: string): string | undefined =>
    unquoted(settings.find((one) => one.keyword === keyword)?.value);
  refuseLacking(call, means);
  /** The value of a letter, where it stands before the setting that says the same: ssh takes the first. */
  const firstOf = (letter: string, keyword: string): string | undefined => {
    const first = options.find((one) => one.letter === letter || isSetting(one, keyword));
    return first?.letter === letter ? first.value : undefined;
  };
  const user = firstOf('l', 'User');
  const port = portOf(firstOf('p', 'Port'));
  const isBehind = ({ keyword }: Setting): boolean =>
    (keyword === 'User' && user !== undefined) || (keyword === 'Port' && port !== undefined);
  const sessionType = setting('SessionType')?.toLowerCase();
  const remoteCommand = call.command === '' ? notNone(setting('RemoteCommand')) : undefined;
  const command = remoteCommand ?? call.command;
  const address = lastOf('46');
  const agent = lastOf('aA');
  const mode = call.mode as SpokenCall['mode'];
  return {
    typed: {
      configFile: all('F').at(-1), // ssh takes the last
      options: [
        ...Object.entries(settingOf).flatMap(([letter, keyword]) =>
          all(letter)
            .slice(-1)
            .map((value) => `${keyword}=${value}`),
        ),
        ...settings.flatMap((one) => (isBehind(one) ? [] : [`${one.keyword}=${one.value}`])),
      ],
      identityFiles: all('i'),
      user,
      port,
      proxyJump: onlyOne('J', all('J')),
      addressFamily: address === undefined ? undefined : address === '4' ? 'inet' : 'inet6',
      compression: has('C'),
      forwardAgent: agent === undefined ? undefined : agent === 'A',
    },
    mode:
      mode !== 'shell' && mode !== 'exec'
        ? mode
        : sessionType === 'none'
          ? 'no-command'
          : sessionType === 'subsystem'
            ? 'subsystem'
            : command === ''
              ? 'shell'
              : 'exec',
    command,
    tty: ttyOf(call, setting('RequestTTY')?.toLowerCase(), command),
    noStdin: has('n') || isYes(setting('StdinNull')),
    quiet: has('q'),
    verbose: all('v').length,
    logFile: all('E').at(-1),
    forward: mode === 'stdio-forward' ? forwardOf(all('W').at(-1) ?? '') : undefined,
  };
}

function refuseLacking({ options, settings }: RemoteShellCall, means: string): void {
  for (const { letter, value } of options) {
    const isOff = (letter === 'S' || letter === 'e' || letter === 'I') && value?.toLowerCase() === 'none';
    const what = letter === 'e' ? 'an escape character' : lacking[letter];
    if (what !== undefined && !isOff) throw cannot(means, what, `-${letter}`);
  }
  const clears = settings.some(({ keyword, value }) => keyword === 'ClearAllForwardings' && isYes(value));
  for (const { keyword, value } of settings) {
    const what = lackingSettings[keyword];
    if (what === undefined || /^"?(no|false|none)"?$/i.test(value.trim())) continue;
    if (!(clears && /^(Local|Remote|Dynamic)Forward$/.test(keyword))) throw cannot(means, what, `-o ${keyword}`);
  }
}

function cannot(means: string, what: string, option: string): ViasshError {
  return new ViasshError('CAPABILITY_MISSING', `${means} cannot do ${option} (${what})`, {
    hint: 'VIASSH_TRANSPORT=openssh, with no proxy of ours, has ssh itself do it',
  });
}

/** ssh.c: a terminal where a login shell is asked for and stdin is one; -T and -t say otherwise. */
function ttyOf({ options, mode }: RemoteShellCall, setting: string | undefined, command: string): SpokenCall['tty'] {
  let tty: SpokenCall['tty'] =
    setting === 'force' ? 'force' : setting === 'yes' ? 'yes' : setting === 'no' ? 'no' : 'auto';
  for (const { letter } of options) {
    if (letter === 'T') tty = 'no';
    if (letter === 't') tty = tty === 'yes' ? 'force' : 'yes';
  }
  if (tty !== 'auto') return tty;
  return mode === 'shell' && command === '' ? 'auto' : 'no';
}

/** `host:port`, `[v6]:port`, `host/port`: misc.c, hpdelim(). */
function forwardOf(text: string): TcpipTarget {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:/[\]]+))[:/](\d{1,5})$/.exec(text) ?? [];
  const number = Number(port);
  const host = bracketed ?? plain;
  if (host !== undefined && number >= 1 && number <= 65535) return { host, port: number };
  throw new ViasshError('OPTION_INVALID', `-W wants HOST:PORT, not '${text}'`, { hint: 'an IPv6 address in brackets' });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw new ViasshError('OPTION_INVALID', `-p wants a port from 1 to 65535, not '${text}'`, {
    hint: 'leave it away for what ssh_config says, or 22',
  });
}

function onlyOne(letter: string, values: readonly string[]): string | undefined {
  if (values.length <= 1) return values[0];
  throw new ViasshError('USAGE', `ssh takes only one -${letter}`, { hint: 'several hosts are separated by commas' });
}

function unquoted(value: Setting['value'] | undefined): string | undefined {
  return value === undefined ? undefined : (/^"(.*)"$/s.exec(value.trim())?.[1] ?? value.trim());
}

function notNone(value: string | undefined): string | undefined {
  return value?.toLowerCase() === 'none' ? undefined : value;
}

function isYes(value: string | undefined): boolean {
  return /^"?(yes|true)"?$/i.test(value ?? '');
}
