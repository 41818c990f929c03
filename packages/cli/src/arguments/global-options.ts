import { type LogLevel, parseProxyAddress, type TypedOptions, ViasshError } from '@viassh/core';
import { transportWithControl } from '../library/transport-with-control.ts';
import type { Options } from 'yargs';

const ssh = 'Options as of ssh(1):';
const own = 'Options:';

/** The options that every command takes. One-letter forms are ssh's, see `normalizeArgv`. */
export const globalOptions: Readonly<Record<string, Options>> = {
  'config-file': {
    alias: 'F',
    type: 'string',
    requiresArg: true,
    group: ssh,
    describe: 'FILE: this ssh_config instead of the usual ones; none for none',
  },
  option: { alias: 'o', type: 'string', requiresArg: true, group: ssh, describe: 'KEY=VALUE: a setting of ssh_config' },
  identity: { alias: 'i', type: 'string', requiresArg: true, group: ssh, describe: 'FILE: a private key' },
  login: { alias: 'l', type: 'string', requiresArg: true, group: ssh, describe: 'USER on the far end' },
  port: { alias: 'p', type: 'string', requiresArg: true, group: ssh, describe: 'PORT of the server' },
  jump: { alias: 'J', type: 'string', requiresArg: true, group: ssh, describe: 'HOP[,HOP...]: go through these hosts' },
  'forward-agent': {
    alias: 'A',
    type: 'boolean',
    group: ssh,
    describe: 'the far end may use your agent; -a: it may not',
  },
  inet: { alias: '4', type: 'boolean', group: ssh, describe: 'IPv4 only' },
  inet6: { alias: '6', type: 'boolean', group: ssh, describe: 'IPv6 only' },
  compress: { alias: 'C', type: 'boolean', group: ssh, describe: 'compress what goes over the wire' },
  quiet: { alias: 'q', type: 'boolean', group: ssh, describe: 'no warnings' },
  verbose: { alias: 'v', type: 'count', group: ssh, describe: 'say what is done; -vv: everything ssh says' },
  'no-x11': { type: 'boolean', hidden: true },
  'no-tty': { type: 'boolean', hidden: true },
  'no-stdin': { type: 'boolean', hidden: true },
  transport: {
    type: 'string',
    requiresArg: true,
    group: own,
    default: 'auto',
    choices: ['auto', 'openssh', 'ssh2', 'control'],
    describe: 'what carries the connection',
  },
  control: {
    type: 'string',
    requiresArg: true,
    group: own,
    describe: "PATH: ride on your own ssh's ControlMaster, by its control socket (ssh -S); nobody logs in",
  },
  proxy: {
    type: 'string',
    requiresArg: true,
    group: own,
    describe: 'URL of what dials the first host: socks5://host:port, http://host:port; default: $VIASSH_PROXY; none',
  },
  'no-broker': {
    type: 'boolean',
    group: own,
    describe: 'a connection of its own, also where a broker has one to the same place',
  },
  json: { type: 'boolean', group: own, describe: 'answers and errors as JSON' },
};

/** The parsed values of {@link globalOptions}. */
export interface GlobalValues {
  readonly typed: TypedOptions;
  /** As typed; `none` overrules the environment. See `typedOptions()`. */
  readonly proxy: string | undefined;
  readonly transport: string;
  /** The control socket of a master of the user's own; the transport is then `control`. */
  readonly control?: string | undefined;
  readonly noBroker: boolean;
  readonly json: boolean;
  readonly level: LogLevel;
  /** -n: nothing is read from stdin. */
  readonly noStdin: boolean;
}

/** @throws ViasshError OPTION_INVALID, USAGE */
export function readGlobals(argv: Readonly<Record<string, unknown>>): GlobalValues {
  const first = (name: string): string | undefined => texts(argv[name])[0]; // of several values ssh takes the first
  const verbose = Number(argv['verbose'] ?? 0);
  const control = first('control');
  return {
    typed: {
      configFile: first('config-file'),
      options: texts(argv['option']),
      identityFiles: texts(argv['identity']),
      user: first('login'),
      port: portOf(first('port')),
      proxyJump: first('jump'),
      addressFamily: argv['inet'] === true ? 'inet' : argv['inet6'] === true ? 'inet6' : undefined,
      compression: argv['compress'] === true,
      forwardAgent: last(argv['forward-agent']),
    },
    proxy: proxyOf(first('proxy')),
    transport: transportWithControl(first('transport') ?? 'auto', control),
    ...(control === undefined ? {} : { control }),
    noBroker: argv['no-broker'] === true,
    json: argv['json'] === true,
    level: argv['quiet'] === true ? 'error' : verbose === 0 ? 'warning' : verbose === 1 ? 'info' : 'debug',
    noStdin: argv['no-stdin'] === true,
  };
}

function texts(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** Of -A and -a the last one counts, as with ssh. */
function last(value: unknown): boolean | undefined {
  const final: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof final === 'boolean' ? final : undefined;
}

/** Everybody on the machine can read a command line. */
function proxyOf(url: string | undefined): string | undefined {
  if (url === undefined || url === 'none' || parseProxyAddress(url).password === undefined) return url;
  throw new ViasshError('OPTION_INVALID', 'a password in --proxy is there for everybody on this machine to read', {
    hint: 'put the address with its password into the environment variable VIASSH_PROXY',
  });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw new ViasshError('OPTION_INVALID', `-p wants a port from 1 to 65535, not '${text}'`, {
    hint: 'leave it away for what ssh_config says, or 22',
  });
}
