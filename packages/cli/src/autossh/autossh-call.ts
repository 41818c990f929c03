import { type Destination, isViasshError, ViasshError } from '@viassh/core';
import { loadPersonality, type RemoteShellCall, type SpokenCall } from '../builtin.ts';

/** What an ssh that autossh started would be asked for. */
export interface AutosshCall {
  readonly destination: Destination;
  readonly spoken: SpokenCall;
  /** As typed. */
  readonly forwards: TypedForwards;
}

/** Forwards in the words of ssh(1). */
export interface TypedForwards {
  readonly local: readonly string[];
  readonly remote: readonly string[];
  readonly dynamic: readonly string[];
  readonly gatewayPorts: boolean;
}

const forwardLetters: readonly string[] = ['L', 'R', 'D', 'g'];
const forwardKeywords: readonly string[] = ['LocalForward', 'RemoteForward', 'DynamicForward'];

/**
 * Reads ssh's words, of which a person or a unit file is the author: options may run programs of this machine.
 *
 * @throws ViasshError USAGE, DESTINATION_INVALID, OPTION_INVALID; CAPABILITY_MISSING for what no connection of ours does
 */
export async function readAutosshCall(words: readonly string[], usual: readonly string[]): Promise<AutosshCall> {
  const { readRemoteShellCall, spokenCall } = await loadPersonality();
  const call = readRemoteShellCall(words, { usual, mayRunLocalPrograms: true });
  const { destination } = call;
  if (destination === undefined || call.mode === 'configuration' || call.mode === 'control')
    throw new ViasshError('USAGE', `there is nothing to keep up in: ${words.join(' ')}`, {
      hint: 'viassh autossh [-M PORT] [-f] [options of ssh] [user@]host [command], as for autossh(1)',
    });
  const all = (letter: string): string[] =>
    call.options.flatMap((option) => (option.letter === letter ? [option.value ?? ''] : []));
  const spoken = withoutForwards(call, (plain) => {
    try {
      return spokenCall(plain, 'viassh autossh');
    } catch (error) {
      if (!isViasshError(error, 'CAPABILITY_MISSING')) throw error;
      throw new ViasshError(error.code, error.message, { hint: 'autossh itself, with ssh, has to carry this one' });
    }
  });
  return {
    destination,
    spoken,
    forwards: { local: all('L'), remote: all('R'), dynamic: all('D'), gatewayPorts: all('g').length > 0 },
  };
}

/** Forwards are ours to set up; those of `-o` count with those of ssh_config, whoever reads that. */
function withoutForwards(call: RemoteShellCall, speak: (plain: RemoteShellCall) => SpokenCall): SpokenCall {
  const plain: RemoteShellCall = {
    ...call,
    options: call.options.filter(({ letter }) => !forwardLetters.includes(letter)),
    settings: call.settings.filter((setting) => !isForward(setting)),
  };
  const spoken = speak(plain);
  const asked = call.settings.filter(isForward).map(({ keyword, value }) => `${keyword}=${value}`);
  return { ...spoken, typed: { ...spoken.typed, options: [...(spoken.typed.options ?? []), ...asked] } };
}

function isForward({ keyword }: { readonly keyword: string }): boolean {
  return forwardKeywords.includes(keyword);
}
