import { type ConnectOptions, describeHostKey, type ResolvedDestination, sanitize, ViasshError } from '@viassh/core';
import ssh2, { type NegotiatedAlgorithms } from 'ssh2';
import { type AlgorithmLists, refuseUnsafeNegotiation } from './algorithms.ts';
import { type Login, prepareLogin } from './auth/login.ts';
import { clientConfig } from './client-config.ts';
import { type Hop, peerOf } from './hop.ts';
import { HopLife } from './hop-life.ts';
import type { HostKeyCheck } from './host-key-check.ts';
import { heardBeforeIdentification, isStrictKex, serverIdentification } from './ssh2-private/handshake.ts';
import { keepCiphers } from './ssh2-private/keep-ciphers.ts';
import { startLoginEarly } from './ssh2-private/early-login.ts';
import { onLoginFailure } from './ssh2-private/login.ts';
import { keepKeysFresh, type Rekeying } from './rekey.ts';
import { connectTimeout, isPassing, translateClientError, translateEnd } from './translate-error.ts';
import type { Wire } from './wire/wire.ts';

/** Without ConnectTimeout, a server that accepts and then stays silent is given up after this: sshd's LoginGraceTime. */
const SILENCE_MS = 120_000;
const GOODBYE_MS = 1000;

/** What one hop needs beside its wire. */
export interface HopSetup extends Pick<ConnectOptions, 'authenticate' | 'log'> {
  readonly hostKey: HostKeyCheck;
  readonly algorithms: AlgorithmLists;
  readonly signal: AbortSignal;
}

/**
 * Dials a hop and speaks SSH up to the end of the login. When it fails, nothing is left of it.
 *
 * @throws ViasshError of the groups "reaching the server", "who the server is", "who we are"; ABORTED
 */
export async function openHop(
  hop: ResolvedDestination,
  dial: (life: HopLife) => Promise<Wire>,
  setup: HopSetup,
): Promise<Hop> {
  const limitMs = hop.connectTimeout ? hop.connectTimeout * 1000 : SILENCE_MS;
  const life = new HopLife(setup.signal, limitMs, (ms) =>
    connectTimeout(hop, life.phase === 'login' ? 'answer during the login' : 'answer', ms),
  );
  const login = await prepareLogin(hop, { authenticate: setup.authenticate, log: setup.log, life });
  life.startWaiting();
  const wire = await dial(life).catch((error: ViasshError) => {
    life.end(error);
    throw life.signal.reason;
  });
  const client = new ssh2.Client();
  try {
    const opened = await handshake(client, { hop, wire, life, login, setup });
    return openedHop(client, { hop, wire, life, login, setup }, opened);
  } catch (error) {
    wire.stream.destroy();
    await wire.close();
    throw error;
  }
}

interface Attempt {
  readonly hop: ResolvedDestination;
  readonly wire: Wire;
  readonly life: HopLife;
  readonly login: Login;
  readonly setup: HopSetup;
}

/** What the handshake told. */
interface Opened {
  readonly negotiated: NegotiatedAlgorithms;
  readonly roundTripMs: number | undefined;
  readonly rekeying: Rekeying;
}

/** Nothing may be awaited before connect(): the end of a stream is told once. */
function handshake(client: ssh2.Client, { hop, wire, life, login, setup }: Attempt): Promise<Opened> {
  const { hostKey, algorithms, log } = setup;
  const opened = Promise.withResolvers<Opened>();
  let negotiated: NegotiatedAlgorithms | undefined;
  let roundTripMs: number | undefined;
  let rekeying: Rekeying | undefined;
  const end = (error: ViasshError): void => endWithReason(wire, life, error);
  const failed = (error: Error): void => end(translateClientError(error, hop, life.phase, ''));
  const heard = (): string => (serverIdentification(client) === undefined ? heardBeforeIdentification(client) : '');
  life.onEnd((error) => {
    opened.reject(error);
    rekeying?.stop();
    wire.stream.destroy();
  });

  client.on('error', (error) => {
    if (isPassing(error)) return;
    const own = translateClientError(error, hop, life.phase, heard());
    end(own.code === 'AUTH_FAILED' ? login.failure(error) : own); // the server's own words lack what was tried
  });
  client.on('end', () => end(translateEnd(hop, life.phase, heard())));
  client.on('close', () => end(translateEnd(hop, life.phase, heard())));
  client.on('banner', (text) => {
    for (const line of text.split('\n').map(sanitize)) if (line !== '') log.info(line);
  });
  client.on('change password', () => end(login.failure(new Error('the password has expired'))));
  client.on('handshake', (agreed) => {
    keepCiphers(client);
    if (isUnsafe(client, hop, agreed, end)) return;
    rekeying?.exchanged([agreed.cs.cipher, agreed.sc.cipher]);
    if (negotiated !== undefined) return; // a key re-exchange
    negotiated = agreed;
    life.phase = 'login';
    life.startWaiting();
  });
  client.on('ready', () => {
    if (negotiated === undefined || rekeying === undefined || life.over) return;
    life.up();
    rekeying.start();
    opened.resolve({ negotiated, roundTripMs, rekeying });
  });
  if (life.over) return opened.promise;
  life.startWaiting();
  client.connect({
    ...clientConfig(hop, algorithms),
    sock: wire.stream,
    hostVerifier(blob: Buffer, decided: (accepted: boolean) => void) {
      // at once in a key re-exchange: ssh2 would write under the old key while it waits
      if (hostKey.accepted?.blob.equals(blob) === true) return decided(true);
      life.stopWaiting();
      const proceed = (): void => {
        life.startWaiting();
        if (!life.over) decided(true);
      };
      hostKey.verify(blob, life.signal).then(proceed).catch(failed);
    },
    authHandler(_left, _partial, attempt) {
      const proceed = (next: Awaited<ReturnType<Login['next']>>): void => {
        if (next === false) end(login.failure());
        else if (!life.over) attempt(next);
      };
      login.next().then(proceed).catch(failed);
    },
  });
  rekeying = keepKeysFresh(client, hop.rekeyLimit);
  startLoginEarly(client, {
    wantsServerAlgorithms: login.startsWithRsa,
    signedAtOnce: login.signedAtOnce,
    onRoundTrip: (ms) => (roundTripMs = ms),
  });
  onLoginFailure(client, (methods, partialSuccess) => {
    life.startWaiting();
    login.refused(methods, partialSuccess);
  });
  return opened.promise;
}

function isUnsafe(
  client: ssh2.Client,
  hop: ResolvedDestination,
  agreed: NegotiatedAlgorithms,
  end: (error: ViasshError) => void,
): boolean {
  try {
    refuseUnsafeNegotiation(hop, agreed, isStrictKex(client));
    return false;
  } catch (error) {
    end(error as ViasshError);
    return true;
  }
}

/** A wire that ended before SSH was spoken may know better why. */
function endWithReason(wire: Wire, life: HopLife, error: ViasshError): void {
  if (life.phase !== 'handshake' || error.code !== 'SERVER_CLOSED' || wire.explain === undefined)
    return life.end(error);
  void wire.explain().then(
    (explained) => life.end(explained ?? error),
    () => life.end(error),
  );
}

function openedHop(
  client: ssh2.Client,
  { hop, wire, life, login, setup }: Attempt,
  { negotiated, roundTripMs, rekeying }: Opened,
): Hop {
  const { accepted } = setup.hostKey;
  return {
    client,
    resolved: hop,
    wire,
    info: {
      peer: peerOf(hop),
      get state() {
        return life.over ? 'ended' : 'up';
      },
      serverVersion: sanitize(serverIdentification(client) ?? ''),
      hostKey: accepted === undefined ? undefined : describeHostKey(accepted),
      kex: negotiated.kex,
      cipher: negotiated.cs.cipher,
      mac: negotiated.cs.mac === '' ? 'implicit' : negotiated.cs.mac,
      compression: negotiated.cs.compress,
      roundTripMs,
      authenticatedBy: login.method,
    },
    onLost: (listener) => life.onEnd(listener),
    async close() {
      life.leave();
      rekeying.stop();
      await sayGoodbye(client, wire);
    },
  };
}

/** SSH_MSG_DISCONNECT and the end of our half; a server that does not close then is not waited for. */
async function sayGoodbye(client: ssh2.Client, wire: Wire): Promise<void> {
  const { stream } = wire;
  if (!stream.destroyed) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GOODBYE_MS);
      stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      client.end();
    });
  }
  await wire.close();
}
