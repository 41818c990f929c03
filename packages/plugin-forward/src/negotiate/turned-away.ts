import { ViasshError } from '@viassh/core';

/** A client that breaks the rules of its protocol, or is none of it. */
export function brokeRules(what: string, hint = 'look at the settings of that client'): ViasshError {
  return new ViasshError('CLIENT_PROTOCOL', `a client was turned away: ${what}`, { hint });
}

/** A client that asks for what is not done here. */
export function notDone(what: string, hint: string): ViasshError {
  return new ViasshError('CLIENT_PROTOCOL', `a client asked for ${what}, which is not done here`, { hint });
}

/** A client that did not log in, or not with a user and password that are known. */
export function loginFailed(what: string): ViasshError {
  return new ViasshError('CLIENT_LOGIN_FAILED', `a client did not log in: ${what}`, {
    hint: 'give that client a user and a password that the forward knows',
  });
}
