import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Destination, type TypedOptions, ViasshError } from '@viassh/core';
import type { Environment } from './interpret-settings.ts';
import { add } from './parse-settings.ts';

/** Settings that typed options may carry when no ssh is here to interpret them: those that stand for themselves. */
const plainSettings = new Set([
  'addressfamily',
  'batchmode',
  'bindaddress',
  'ciphers',
  'compression',
  'connecttimeout',
  'forwardagent',
  'globalknownhostsfile',
  'hashknownhosts',
  'hostkeyalgorithms',
  'hostkeyalias',
  'hostname',
  'identitiesonly',
  'identityagent',
  'identityfile',
  'kbdinteractiveauthentication',
  'kexalgorithms',
  'macs',
  'numberofpasswordprompts',
  'passwordauthentication',
  'port',
  'preferredauthentications',
  'proxycommand',
  'proxyjump',
  'pubkeyauthentication',
  'serveralivecountmax',
  'serveraliveinterval',
  'setenv',
  'stricthostkeychecking',
  'user',
  'userknownhostsfile',
]); // prettier-ignore
const severalValues = new Set(['identityfile', 'setenv']);
const yesOrNo = ['yes', 'true', 'no', 'false'];
/** Values that ssh takes in any case and prints in lower case; others it refuses. */
const words: Readonly<Record<string, readonly string[]>> = {
  addressfamily: ['any', 'inet', 'inet6'],
  batchmode: yesOrNo,
  compression: yesOrNo,
  hashknownhosts: yesOrNo,
  identitiesonly: yesOrNo,
  kbdinteractiveauthentication: yesOrNo,
  passwordauthentication: yesOrNo,
  pubkeyauthentication: [...yesOrNo, 'unbound', 'host-bound'],
  stricthostkeychecking: [...yesOrNo, 'off', 'ask', 'accept-new'],
};
const numbers = new Set([
  'connecttimeout',
  'numberofpasswordprompts',
  'port',
  'serveralivecountmax',
  'serveraliveinterval',
]);
const lists = new Set(['ciphers', 'hostkeyalgorithms', 'kexalgorithms', 'macs']);
const severalWords = new Set(['globalknownhostsfile', 'setenv', 'userknownhostsfile']);

/**
 * The settings of a destination where no ssh binary is: typed options, default keys, default known_hosts.
 *
 * @throws ViasshError CONFIG_NEEDS_SSH when a configuration file, or an option only ssh understands, would apply.
 */
export async function settingsWithoutSsh(
  destination: Destination,
  typed: TypedOptions,
  environment: Pick<Environment, 'home'>,
): Promise<Map<string, string[]>> {
  await refuseConfiguration(destination, typed, join(environment.home, '.ssh', 'config'));
  const settings = new Map<string, string[]>();
  const hasJump = (): boolean => (settings.get('proxyjump')?.[0]?.toLowerCase() ?? 'none') !== 'none';
  const first = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    if (name === 'proxycommand' && hasJump()) return; // ssh_config(5) ProxyJump: what comes first counts
    if (name === 'proxyjump' && settings.has('proxycommand')) return;
    if (severalValues.has(name) || !settings.has(name)) add(settings, name, value);
  };
  first('addressfamily', typed.addressFamily); // -4, -6 and -C overrule an -o
  first('compression', typed.compression === true ? 'yes' : undefined);
  first('forwardagent', typed.forwardAgent === undefined ? undefined : typed.forwardAgent ? 'yes' : 'no');
  for (const option of typed.options ?? []) {
    const [name, value] = parseOption(option);
    if (name !== 'setenv') first(name, value);
    else if (!settings.has(name)) for (const variable of value.split(/\s+/)) first(name, variable);
  }
  if (typed.proxyJump !== undefined && (settings.has('proxyjump') || settings.has('proxycommand'))) {
    throw new ViasshError('CONFIG_INVALID', 'ssh takes -J or -o ProxyJump or -o ProxyCommand, and only one of them');
  }
  for (const file of typed.identityFiles ?? []) first('identityfile', file);
  first('user', typed.user ?? destination.user);
  first('port', (typed.port ?? destination.port)?.toString());
  first('proxyjump', typed.proxyJump);
  first('hostname', destination.host);
  first('userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2');
  first('globalknownhostsfile', '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2');
  return settings;
}

function parseOption(option: string): [name: string, value: string] {
  const match = /^\s*(\w+)(?:\s*=\s*|\s+)(.*\S)\s*$/s.exec(option);
  if (match === null) throw new ViasshError('CONFIG_INVALID', `not an option of the form Key=Value: -o ${option}`);
  const [, name = '', value = ''] = match;
  if (!plainSettings.has(name.toLowerCase())) {
    throw new ViasshError(
      'CONFIG_NEEDS_SSH',
      `the option ${name} needs ssh to interpret it, and no OpenSSH client is here`,
      {
        hint: 'install an OpenSSH client, or leave the option away',
      },
    );
  }
  return [name.toLowerCase(), checkValue(name, value)];
}

/** The value, when it is one of those that mean the same to everybody; in ssh's own spelling. */
function checkValue(option: string, value: string): string {
  const name = option.toLowerCase();
  if (name === 'proxycommand') return value; // the rest of the line as it is
  const isBroken = severalWords.has(name) ? /["'#\\]/.test(value) : /["'#\s]|\\["'\\]/.test(value);
  const isRelative = lists.has(name) ? /^[-+^]/.test(value) : name === 'hostname' && value.includes('%');
  if (isBroken || isRelative || (numbers.has(name) && /^(\d+[smhdw]\d*)+$/i.test(value))) {
    throw new ViasshError(
      'CONFIG_NEEDS_SSH',
      `the value of ${option} needs ssh to interpret it, and no OpenSSH client is here: ${value}`,
      {
        hint: 'install an OpenSSH client, or write the value without quotes, units and abbreviations',
      },
    );
  }
  const isNumber = numbers.has(name) && (/^\d+$/.test(value) || (name === 'connecttimeout' && value === 'none'));
  const isKnown = words[name]?.includes(value.toLowerCase()) ?? (isNumber || !numbers.has(name));
  const isVariables = name !== 'setenv' || value.split(/\s+/).every((variable) => /^[^=]+=/.test(variable));
  if (!isKnown || !isVariables) throw new ViasshError('CONFIG_INVALID', `not a value of ${option}: ${value}`);
  return name in words ? value.toLowerCase() : value;
}

async function refuseConfiguration(destination: Destination, typed: TypedOptions, userFile: string): Promise<void> {
  if (typed.configFile === 'none') return;
  const file = typed.configFile ?? userFile;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && typed.configFile === undefined) return '';
    throw new ViasshError('CONFIG_INVALID', `cannot read ${file}: ${error.message}`, { cause: error });
  });
  if (!mayApply(text, destination.host)) return;
  throw new ViasshError(
    'CONFIG_NEEDS_SSH',
    `${file} has settings for ${destination.host}, and no OpenSSH client is here to read them`,
    {
      hint: 'install an OpenSSH client, or use -F none and give what is needed by options',
    },
  );
}

/** Would any line of an ssh_config say something about the host? Match and Include count as yes: only ssh can tell. */
function mayApply(text: string, host: string): boolean {
  let applies = true;
  for (const raw of text.split('\n')) {
    const [keyword = '', ...values] = raw.trim().split(/[\s=]+/);
    if (keyword === '' || keyword.startsWith('#')) continue;
    if (/^(match|include)$/i.test(keyword)) return true;
    if (/^host$/i.test(keyword)) applies = hostMatches(values, host);
    else if (applies) return true;
  }
  return false;
}

function hostMatches(patterns: readonly string[], host: string): boolean {
  const matches = (pattern: string): boolean => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${source}$`, 'i').test(host);
  };
  const named = patterns.map((pattern) => pattern.replaceAll('"', ''));
  if (named.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return named.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}
