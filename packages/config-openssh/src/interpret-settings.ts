import {
  checkUser,
  type Destination,
  formatDestination,
  type ResolvedDestination,
  type TypedOptions,
  ViasshError,
} from '@viassh/core';
import { expandPath, type Tokens } from './expand-path.ts';
import { sessionEnv } from './session-env.ts';

/** What of this user's surroundings ssh itself would look at. */
export interface Environment {
  /** The home folder of the password database, as ssh uses it (not $HOME). */
  readonly home: string;
  /** The local user's name. */
  readonly user: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

type Settings = ReadonlyMap<string, readonly string[]>;

const identityDefaults = ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519'];

/**
 * Settings as `ssh -G` tells them, made into typed fields: numbers, lists, expanded paths.
 *
 * @throws ViasshError CONFIG_INVALID for a value that no ssh would print.
 */
export function interpretSettings(
  settings: Settings,
  destination: Destination,
  typed: TypedOptions,
  environment: Environment,
): ResolvedDestination {
  const one = (name: string): string | undefined => settings.get(name)?.[0];
  const yes = (name: string, fallback: boolean): boolean => isYes(one(name), fallback);
  const number = (name: string, fallback: number): number => toNumber(name, one(name), fallback);
  const commas = (name: string): string[] => (one(name) ?? '').split(',').filter((item) => item !== '');
  const user = one('user') ?? environment.user;
  checkUser(formatDestination(destination), user); // a User line of the configuration reaches ProxyCommand as %r
  const hostName = (one('hostname') ?? destination.host).toLowerCase(); // as ssh
  const port = number('port', 22);
  if (port < 1 || port > 65535)
    throw new ViasshError('CONFIG_INVALID', `ssh_config: port is not from 1 to 65535: ${port}`);
  const tokens: Tokens = {
    hostName,
    original: destination.host,
    port,
    user,
    home: environment.home,
    localUser: environment.user,
    alias: one('hostkeyalias'),
  };
  const paths = (list: readonly string[]): string[] =>
    list.map((path) => expandPath(path, tokens, environment.variables));
  const blanksOf = (name: string): string[] => (settings.get(name) ?? []).flatMap(blanks);
  const files = (name: string): string[] => paths(fileList(one(name)).filter((path) => path !== 'none'));
  return {
    destination,
    typed,
    hostName,
    user,
    port,
    hostKeyAlias: one('hostkeyalias')?.toLowerCase(),
    addressFamily: one('addressfamily') === 'inet' ? 'inet' : one('addressfamily') === 'inet6' ? 'inet6' : 'any',
    bindAddress: one('bindaddress'),
    proxyJump: notNone(one('proxyjump'))?.split(',') ?? [],
    proxyCommand: notNone(one('proxycommand')),
    identityFiles: paths((settings.get('identityfile') ?? identityDefaults).filter((path) => path !== 'none')),
    identitiesOnly: yes('identitiesonly', false),
    identityAgent: agentSocket(one('identityagent'), tokens, environment),
    userKnownHostsFiles: files('userknownhostsfile'),
    globalKnownHostsFiles: files('globalknownhostsfile'),
    strictHostKeyChecking: strictness(one('stricthostkeychecking')),
    hashKnownHosts: yes('hashknownhosts', false),
    batchMode: yes('batchmode', false),
    preferredAuthentications: settings.has('preferredauthentications')
      ? commas('preferredauthentications')
      : ['publickey', 'keyboard-interactive', 'password'],
    pubkeyAuthentication: yes('pubkeyauthentication', true),
    passwordAuthentication: yes('passwordauthentication', true),
    kbdInteractiveAuthentication: yes('kbdinteractiveauthentication', yes('challengeresponseauthentication', true)),
    numberOfPasswordPrompts: number('numberofpasswordprompts', 3),
    serverAliveInterval: number('serveraliveinterval', 0),
    serverAliveCountMax: number('serveralivecountmax', 3),
    connectTimeout: notNone(one('connecttimeout')) === undefined ? undefined : number('connecttimeout', 0),
    compression: yes('compression', false),
    forwardAgent: forwardAgent(one('forwardagent'), tokens, environment),
    rekeyLimit: rekeyLimit(settings.get('rekeylimit')?.[0]),
    ciphers: commas('ciphers'),
    macs: commas('macs'),
    kexAlgorithms: commas('kexalgorithms'),
    hostKeyAlgorithms: commas('hostkeyalgorithms'),
    sessionEnv: sessionEnv(blanksOf('sendenv'), settings.get('setenv') ?? [], environment.variables),
    raw: settings,
  };
}

function strictness(value: string | undefined): ResolvedDestination['strictHostKeyChecking'] {
  if (value === 'accept-new' || value === 'ask' || value === undefined) return value ?? 'ask';
  return isYes(value, true) ? 'yes' : 'no';
}

/** IdentityAgent of ssh_config(5): `none`, `SSH_AUTH_SOCK`, `$NAME`, or a path; unset means $SSH_AUTH_SOCK. */
function agentSocket(value: string | undefined, tokens: Tokens, { variables }: Environment): string | undefined {
  const setting = value ?? 'SSH_AUTH_SOCK';
  if (setting === 'none') return undefined;
  const socket =
    setting === 'SSH_AUTH_SOCK'
      ? variables['SSH_AUTH_SOCK']
      : /^\$\w+$/.test(setting)
        ? variables[setting.slice(1)]
        : expandPath(setting, tokens, variables);
  return socket === '' ? undefined : socket;
}

/** ForwardAgent of ssh_config(5): yes, no, a path, or `$NAME` of a variable with one. */
function forwardAgent(value: string | undefined, tokens: Tokens, { variables }: Environment): boolean | string {
  if (value === undefined || /^(no|false)$/i.test(value)) return false;
  if (/^(yes|true)$/i.test(value)) return true;
  const socket = value.startsWith('$') ? variables[value.slice(1)] : expandPath(value, tokens, variables);
  return socket === undefined || socket === '' ? false : socket;
}

/** RekeyLimit as `ssh -G` tells it: bytes and seconds, both numbers. */
function rekeyLimit(value: string | undefined): ResolvedDestination['rekeyLimit'] {
  const [bytes = '0', seconds = '0'] = (value ?? '').split(/\s+/).filter((word) => word !== '');
  return { bytes: toNumber('rekeylimit', bytes, 0), seconds: toNumber('rekeylimit', seconds, 0) };
}

function isYes(value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  return !['no', 'false', 'off'].includes(value.toLowerCase());
}

function toNumber(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!/^-?\d+$/.test(value)) throw new ViasshError('CONFIG_INVALID', `ssh_config: ${name} is not a number: ${value}`);
  return Number(value);
}

function notNone(value: string | undefined): string | undefined {
  return value === undefined || value.toLowerCase() === 'none' ? undefined : value;
}

/**
 * Files separated by blanks. `ssh -G` does not quote: what begins like no path of its own belongs to the name before it.
 */
function fileList(value: string | undefined): string[] {
  return (value ?? '').split(/\s+(?=[/~%$]|none$)/).filter((file) => file !== '');
}

function blanks(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((item) => item !== '');
}
