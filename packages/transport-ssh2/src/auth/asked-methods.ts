import type { AuthenticationPrompt, ResolvedDestination } from '@viassh/core';
import type { AnyAuthMethod } from 'ssh2';

/** Asks a person; `undefined` when nobody answers. */
export type Ask = (kind: AuthenticationPrompt['kind'], text: string, echo?: boolean) => Promise<string | undefined>;

/** One way of logging in, attempt by attempt. `undefined`: nothing more to try. */
export type Method = () => Promise<AnyAuthMethod | undefined>;

/** Password, RFC 4252 §8, up to NumberOfPasswordPrompts times. */
export function passwordMethod(hop: ResolvedDestination, tried: string[], ask: Ask): Method {
  let left = hop.numberOfPasswordPrompts;
  return async () => {
    if (left <= 0) return undefined;
    left -= 1;
    const password = await ask('password', `${hop.user}@${hop.hostName}'s password: `);
    if (password === undefined) left = 0;
    if (password === undefined) return undefined;
    if (!tried.includes('password')) tried.push('password');
    return { type: 'password', username: hop.user, password };
  };
}

/**
 * Keyboard-interactive, RFC 4256, up to NumberOfPasswordPrompts times. `nobodyAnswers` may end the login: an empty answer
 * would count as a wrong password on the server.
 */
export function interactiveMethod(
  hop: ResolvedDestination,
  tried: string[],
  ask: Ask,
  nobodyAnswers: () => void,
): Method {
  let left = hop.numberOfPasswordPrompts;
  return async () => {
    if (left <= 0) return undefined;
    left -= 1;
    if (!tried.includes('keyboard-interactive')) tried.push('keyboard-interactive');
    return {
      type: 'keyboard-interactive',
      username: hop.user,
      prompt(name, instructions, _language, prompts, finish) {
        const intro = [name, instructions].filter((text) => text !== '').join(': ');
        const answers = async (): Promise<string[]> => {
          const given: string[] = [];
          for (const { prompt, echo } of prompts) {
            const lead = given.length === 0 && intro !== '' ? `${intro} ` : '';
            const answer = await ask(
              'keyboard-interactive',
              `(${hop.user}@${hop.hostName}) ${lead}${prompt}`,
              echo === true,
            );
            if (answer === undefined) {
              left = 0;
              nobodyAnswers();
              return prompts.map(() => '');
            }
            given.push(answer);
          }
          return given;
        };
        answers()
          .then(finish)
          .catch(() => undefined); // ssh2 throws when the wire is gone by now
      },
    };
  };
}
