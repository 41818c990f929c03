import { type Authenticator, type Logger, type ResolvedDestination, sanitize, type ViasshError } from '@viassh/core';
import type { AnyAuthMethod } from 'ssh2';
import type { HopLife } from '../hop-life.ts';
import { type Ask, interactiveMethod, type Method, passwordMethod } from './asked-methods.ts';
import { collectIdentities, type Identities } from './identities.ts';
import { keyMethod, keySignedAtOnce } from './key-method.ts';
import { loginFailed } from './login-failed.ts';

/** The login at one hop, attempt by attempt. */
export interface Login {
  /** The next attempt, or false when nothing is left to try. Never rejects. */
  next(): Promise<AnyAuthMethod | false>;
  /** The first attempt offers an RSA key, whose signature depends on what the server takes (RFC 8308 §3.1). */
  readonly startsWithRsa: boolean;
  /** The public half of a key that is signed with without asking the server first. */
  readonly signedAtOnce: Buffer | undefined;
  /** The server said no to the last attempt. */
  refused(methods: readonly string[], partialSuccess: boolean): void;
  /** What to tell when all was tried. */
  failure(cause?: unknown): ViasshError;
  /** The method of the last attempt. */
  readonly method: string | undefined;
}

/** What a login is made from. */
export interface LoginSetup {
  readonly authenticate: Authenticator | undefined;
  readonly log: Logger;
  /** Its time limit stands still while a person is asked. */
  readonly life: HopLife;
}

const defaultOrder = ['publickey', 'keyboard-interactive', 'password'];

/** Prepares a login; reads key files and asks the agent for its keys, and nobody for secrets yet. */
export async function prepareLogin(hop: ResolvedDestination, setup: LoginSetup): Promise<Login> {
  const { life, log } = setup;
  const { signal } = life;
  const asker = hop.batchMode ? undefined : setup.authenticate;
  const ask: Ask = async (kind, text, echo = false) => {
    life.stopWaiting();
    try {
      return await asker?.ask({ kind, text: sanitize(text), echo }, signal);
    } catch (error) {
      log.debug(`asking for the ${kind} failed: ${error instanceof Error ? error.name : 'unknown'}`);
      return undefined;
    } finally {
      life.startWaiting();
    }
  };
  const identities: Identities = hop.pubkeyAuthentication
    ? await collectIdentities(hop, (file) => ask('passphrase', `Enter passphrase for key '${file}': `), { log, signal })
    : { usable: [], skipped: [], agent: 'none' };
  const tried: string[] = [];
  const failure = (cause?: unknown): ViasshError =>
    loginFailed(hop, { tried, identities, allowed, askable: asker !== undefined, partial, cause });
  const nobodyAnswers = (): void => {
    if (order.indexOf('publickey') < order.indexOf('keyboard-interactive')) life.end(failure());
  };
  const methods: Readonly<Record<string, Method>> = {
    publickey: hop.pubkeyAuthentication ? keyMethod(hop, identities, tried) : exhausted,
    'keyboard-interactive':
      hop.kbdInteractiveAuthentication && asker !== undefined
        ? interactiveMethod(hop, tried, ask, nobodyAnswers)
        : exhausted,
    password: hop.passwordAuthentication && asker !== undefined ? passwordMethod(hop, tried, ask) : exhausted,
  };
  const order = (hop.preferredAuthentications.length > 0 ? hop.preferredAuthentications : defaultOrder).filter(
    (name) => name in methods,
  );
  const offersKeyFirst = order[0] === 'publickey' && identities.usable.length > 0;
  let allowed: readonly string[] | undefined;
  let partial = false;
  let noneTried = false;
  let method: string | undefined;
  const none = (): AnyAuthMethod => {
    noneTried = true;
    method = 'none';
    return { type: 'none', username: hop.user };
  };
  return {
    startsWithRsa: offersKeyFirst && identities.usable[0]?.publicKey.type === 'ssh-rsa',
    signedAtOnce: keySignedAtOnce(identities)?.publicKey.blob,
    async next() {
      // "none" tells the methods (RFC 4252 §5.2); a key that is offered at once saves that round trip
      if (!noneTried && !offersKeyFirst) return none();
      for (const name of order) {
        if (allowed !== undefined && !allowed.includes(name)) continue;
        const attempt = await methods[name]?.();
        if (attempt === undefined) continue;
        method = name;
        return attempt;
      }
      return noneTried || partial ? false : none();
    },
    refused(left, partialSuccess) {
      allowed = left;
      partial ||= partialSuccess;
      log.debug(
        `${partialSuccess ? 'partial success' : 'refused'}: ${method ?? 'nothing'}; the server takes ${left.map(sanitize).join(', ')}`,
      );
    },
    failure,
    get method() {
      return method;
    },
  };
}

const exhausted: Method = async () => undefined;
