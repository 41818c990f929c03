import { type Destination, parseDestination, ViasshError } from '@viassh/core';
import { checkHopNames, checkHostName, checkUserName, checkValue } from './check-names.ts';
import {
  checkIdentityFile,
  isSetting,
  localProgramRefused,
  permittedOption,
  readSetting,
  type Setting,
} from './option-policy.ts';
import { readSshWords, type SshOption, sshLetters } from './ssh-getopt.ts';

/** What a call is for, as ssh decides it. */
export type RemoteShellMode =
  | 'version' // -V
  | 'query' // -Q
  | 'configuration' // -G
  | 'control' // -O
  | 'stdio-forward' // -W
  | 'no-command' // -N
  | 'subsystem' // -s
  | 'exec'
  | 'shell';

/** The arguments of one call of the remote shell, read and found harmless. */
export interface RemoteShellCall {
  readonly mode: RemoteShellMode;
  /**
   * In the order given; those of `-o` as `Key=Value` in the list's spelling. User and port of the destination stand
   * among them as `-l` and `-p`, where it stood: ssh takes the first of several.
   */
  readonly options: readonly SshOption[];
  /** The settings of `-o`, taken apart. */
  readonly settings: readonly Setting[];
  /** Undefined only with the modes `version` and `query`. */
  readonly destination?: Destination | undefined;
  readonly words: readonly string[];
  /** The words joined by one blank and otherwise unaltered: what the far end is sent. */
  readonly command: string;
  /** What ssh itself is given: options, `--`, host, command. */
  readonly sshArguments: readonly string[];
}

/** What the surroundings of a call say. */
export interface RemoteShellSituation {
  /** Options that the user has put before those of every call. */
  readonly usual?: readonly string[] | undefined;
  /** The user lets callers give options that run programs of this machine. */
  readonly mayRunLocalPrograms?: boolean | undefined;
}

/**
 * Reads what a program gives its remote shell, as ssh(1) reads its arguments. Whatever comes back can be given to ssh:
 * no host, user or word of a command is taken for an option, and no option runs a program of this machine, unless the
 * user himself said so.
 *
 * @throws ViasshError USAGE, DESTINATION_INVALID, OPTION_INVALID, OPTION_REFUSED
 */
export function readRemoteShellCall(
  argv: readonly string[],
  { usual = [], mayRunLocalPrograms = false }: RemoteShellSituation = {},
): RemoteShellCall {
  const own = readSshWords(argv);
  const before = readSshWords(usual);
  if (before.destination !== undefined)
    throw new ViasshError('USAGE', `among the usual options is none of ssh: ${before.destination}`, {
      hint: 'VIASSH_SSH_OPTIONS has options alone, no host and no command',
    });
  const checked = own.options.map((option) => checkedOption(option, mayRunLocalPrograms));
  const first = [...before.options.map((option) => checkedOption(option, true)), ...checked.slice(0, own.before)];
  const destination = own.destination === undefined ? undefined : parseDestination(own.destination);
  const options = [...first, ...loginOptions(destination, first), ...checked.slice(own.before)];
  const settings = options.flatMap(({ letter, value }) => (letter === 'o' ? [readSetting(value ?? '')] : []));
  const has = (letter: string): boolean => options.some((option) => option.letter === letter);
  const immediate = has('V') ? 'version' : has('Q') ? 'query' : undefined;
  if (destination === undefined && immediate === undefined)
    throw new ViasshError('USAGE', 'the host is missing', { hint: '[options] [user@]host [command], as for ssh(1)' });
  const command = own.words.join(' ');
  for (const word of own.words) checkValue('a word of the command', word);
  return {
    mode: immediate ?? modeOf(has, command),
    options,
    settings,
    destination,
    words: own.words,
    command,
    sshArguments: [
      ...options.flatMap(({ letter, value }) => [`-${letter}`, ...(value === undefined ? [] : [value])]),
      ...(destination === undefined ? [] : ['--', destination.host]),
      ...own.words,
    ],
  };
}

function checkedOption({ letter, value = '' }: SshOption, mayRunLocalPrograms: boolean): SshOption {
  if (sshLetters.get(letter) !== true) return { letter };
  checkValue(`-${letter}`, value);
  if (letter === 'I' && !mayRunLocalPrograms && value !== 'none')
    throw localProgramRefused('-I', 'loads a library into ssh', 'PKCS11Provider');
  if (letter === 'i' && !mayRunLocalPrograms) checkIdentityFile('-i', value);
  if (letter === 'l') checkUserName(value);
  if (letter === 'J') checkHopNames(value);
  if (letter === 'P') return checkedOption({ letter: 'o', value: `Tag=${value}` }, mayRunLocalPrograms); // older ones take none
  if (letter !== 'o') return { letter, value };
  const setting = permittedOption(readSetting(value), mayRunLocalPrograms);
  checkNamesOf(setting);
  if (setting.keyword === 'IdentityFile' && !mayRunLocalPrograms) checkIdentityFile('-o IdentityFile', setting.value);
  return { letter, value: `${setting.keyword}=${setting.value}` };
}

/** Names reach the command lines of ProxyCommand, LocalCommand and Match exec, which a shell reads. */
function checkNamesOf({ keyword, value }: Setting): void {
  const name = /^"(.*)"$/s.exec(value.trim())?.[1] ?? value.trim();
  if (keyword === 'User') checkUserName(name);
  if (keyword === 'HostName' || keyword === 'HostKeyAlias') checkHostName(name);
  if (keyword === 'CanonicalDomains') for (const domain of name.split(/\s+/)) checkHostName(domain);
  if (keyword === 'ProxyJump') checkHopNames(name);
}

/** User and port of the destination as options; the user only where none was given before: old ssh heed the last -l. */
function loginOptions({ user, port }: Partial<Destination> = {}, before: readonly SshOption[]): SshOption[] {
  const isGiven = before.some((option) => option.letter === 'l' || isSetting(option, 'User'));
  return [
    ...(user === undefined || isGiven ? [] : [{ letter: 'l', value: user }]),
    ...(port === undefined ? [] : [{ letter: 'p', value: String(port) }]),
  ];
}

function modeOf(has: (letter: string) => boolean, command: string): RemoteShellMode {
  if (has('G')) return 'configuration';
  if (has('O')) return 'control';
  if (has('W')) return 'stdio-forward';
  if (has('N')) return 'no-command';
  if (has('s')) return 'subsystem';
  return command === '' ? 'shell' : 'exec';
}
