import { toViasshError, type ViasshError } from '@viassh/core';
import { type Asked, type Dialogue, Talk, TurnedAway } from './talk.ts';

/** Where an exchange stands when it has used up what was heard; `answer` goes to the client, and may be empty. */
export type Step =
  | { readonly kind: 'more'; readonly answer: Buffer }
  | { readonly kind: 'asked'; readonly answer: Buffer; readonly asked: Asked; readonly rest: Buffer }
  | { readonly kind: 'turned-away'; readonly answer: Buffer; readonly error: ViasshError };

/**
 * A dialogue that is fed with what arrives, in pieces of any size; it does no I/O and keeps no time. A mistake of ours ends
 * this one alone, as INTERNAL.
 */
export interface Exchange {
  /** Not to be called again after another step than `more`. */
  heard(bytes: Buffer): Step;
}

/** Begins a dialogue. */
export function beginExchange(begin: (talk: Talk) => Dialogue<Asked>): Exchange {
  const talk = new Talk();
  const dialogue = begin(talk);
  dialogue.next(); // up to its first wait for bytes
  return {
    heard(bytes) {
      try {
        const { done, value } = dialogue.next(bytes);
        const answer = talk.takeAnswers();
        return done === true
          ? { kind: 'asked', answer, asked: value, rest: talk.takeRest() }
          : { kind: 'more', answer };
      } catch (reason) {
        const { answer, error } =
          reason instanceof TurnedAway ? reason : { answer: Buffer.alloc(0), error: toViasshError(reason) };
        return { kind: 'turned-away', answer: Buffer.concat([talk.takeAnswers(), answer]), error };
      }
    },
  };
}
