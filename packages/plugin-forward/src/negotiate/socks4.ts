import type { ViasshError } from '@viassh/core';
import { addressBytes, addressFrom, canonicalHost } from './host.ts';
import type { SocksUsers } from './proxy-users.ts';
import { type Asked, type BoundAddress, type Dialogue, type Talk, TurnedAway } from './talk.ts';
import { brokeRules, loginFailed, notDone } from './turned-away.ts';

const CONNECT = 1; // SOCKS: A protocol for TCP proxy across firewalls (the memo of version 4)
const BIND = 2;
const GRANTED = 90;
const REJECTED = 91;
const WRONG_USER = 93;
const MOST_TEXT = 256; // with its NUL: no name is longer

/**
 * Version 4, and 4a with a name behind the user where the address is 0.0.0.x; from the byte behind the version on. The
 * user is a word without a password, so with `users` nobody comes in.
 */
export function* socks4(talk: Talk, users: SocksUsers | undefined): Dialogue<Asked> {
  const head = yield* talk.bytes(7);
  const [command] = head;
  const port = head.readUInt16BE(1);
  const address = head.subarray(3);
  if ((yield* talk.until(0, MOST_TEXT)) === undefined) throw away(brokeRules('its user has no end (SOCKS 4)'));
  let host = addressFrom(address);
  if (/^0\.0\.0\.[1-9]/.test(host)) {
    const name = yield* talk.until(0, MOST_TEXT);
    if (name === undefined) throw away(brokeRules('its host name has no end (SOCKS 4a)'));
    const named = canonicalHost(name.toString('latin1'));
    if (named === undefined) throw away(brokeRules(`'${name.toString('latin1')}' is no host (SOCKS 4a)`));
    host = named;
  }
  if (users !== undefined) throw away(loginFailed('SOCKS 4 has no passwords'), WRONG_USER);
  if (command !== CONNECT) {
    const what = command === BIND ? 'BIND (SOCKS 4)' : `the command ${command} of SOCKS 4`;
    throw away(notDone(what, 'only CONNECT can be carried through ssh; FTP wants its passive mode'));
  }
  if (port === 0) throw away(brokeRules('it asked for port 0 (SOCKS 4)'));
  return {
    target: { kind: 'tcp', host, port },
    accepted: (bound) => reply(GRANTED, bound),
    refused: () => reply(REJECTED),
  };
}

function away(error: ViasshError, code = REJECTED): TurnedAway {
  return new TurnedAway(error, reply(code));
}

function reply(code: number, bound: BoundAddress = { address: '0.0.0.0', port: 0 }): Buffer {
  const address = addressBytes(bound.address);
  return Buffer.from([
    0,
    code,
    bound.port >> 8,
    bound.port & 0xff,
    ...(address?.length === 4 ? address : [0, 0, 0, 0]),
  ]);
}
