import { sshArguments } from '@viassh/core';
import type { GlobalValues } from '../arguments/global-options.ts';
import { usualSshOptions } from './remote-shell-settings.ts';

/** How the remote shell is told, through whatever program calls it, what it is to do beside that program's words. */
export interface RemoteShellVariables {
  /** ssh's options, put before those of each call: a JSON array of strings. */
  VIASSH_SSH_OPTIONS: string;
  /** `auto`, `openssh` or `ssh2`. */
  VIASSH_TRANSPORT?: string;
  /** The address of a proxy, or `none`. */
  VIASSH_PROXY?: string;
  /** `no`: a connection of its own. */
  VIASSH_BROKER?: string;
}

/**
 * The global options as the remote shell's variables. What was typed goes before the ssh options that are there already,
 * as ssh takes the first of several values; of `-F` and `-J`, where it does not, the typed one alone stays.
 *
 * @throws ViasshError USAGE when the options that are there already are no JSON array of strings
 */
export function remoteShellVariables(globals: GlobalValues, variables: NodeJS.ProcessEnv): RemoteShellVariables {
  const typed = sshOptionsOf(globals);
  const alone = ['F', 'J'].filter((letter) => typed.includes(`-${letter}`));
  const { transport, proxy } = globals;
  return {
    VIASSH_SSH_OPTIONS: JSON.stringify([...typed, ...without(alone, usualSshOptions(variables))]),
    ...(transport === 'auto' ? {} : { VIASSH_TRANSPORT: transport === 'control' ? 'openssh' : transport }),
    ...(proxy === undefined ? {} : { VIASSH_PROXY: proxy }),
    ...(globals.noBroker ? { VIASSH_BROKER: 'no' } : {}),
  };
}

function sshOptionsOf({ typed, control, level, noStdin }: GlobalValues): string[] {
  const loudness = { quiet: ['-q'], error: ['-q'], warning: [], info: ['-v'], debug: ['-vv'] }[level];
  return [
    ...sshArguments(typed, {}),
    ...(control === undefined ? [] : ['-S', control]),
    ...loudness,
    ...(noStdin ? ['-n'] : []),
  ];
}

const withValue = 'BbcDEeFIiJLlmOoPpQRSWw'; // of ssh(1)

/** ssh options without those of some letters, whose values are words of their own or stand in the same word. */
function without(letters: readonly string[], words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const valueAt = [...word].findIndex((letter, index) => index > 0 && withValue.includes(letter));
    const length = valueAt > 0 && valueAt === word.length - 1 ? 2 : 1;
    if (!letters.includes(word.charAt(valueAt))) kept.push(...words.slice(at, at + length));
    else if (valueAt > 1) kept.push(word.slice(0, valueAt)); // the rest of a cluster: `-qF`
    at += length - 1;
  }
  return kept;
}
