import { type OpenRefusal, type ViasshError, whyRefused } from '@viassh/core';
import { addressBytes, addressFrom, canonicalHost } from './host.ts';
import { isUser, type SocksUsers } from './proxy-users.ts';
import { type Asked, type BoundAddress, type Dialogue, type Talk, TurnedAway } from './talk.ts';
import { brokeRules, loginFailed, notDone } from './turned-away.ts';

const VERSION = 5;
const NO_LOGIN = 0; // RFC 1928 §3
const USER_AND_PASSWORD = 2;
const NOTHING_ACCEPTABLE = 0xff;
const LOGIN_VERSION = 1; // RFC 1929 §2
const CONNECT = 1; // RFC 1928 §4
const commandNames: Readonly<Record<number, string>> = { 2: 'BIND (SOCKS 5)', 3: 'UDP ASSOCIATE (SOCKS 5)' };
const IPV4 = 1; // §5
const NAME = 3;
const IPV6 = 4;

/** RFC 1928 §6 */
const replies = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  expired: 6,
  commandUnknown: 7,
  addressUnknown: 8,
} as const;

const refusals: Readonly<Record<OpenRefusal, number>> = {
  prohibited: replies.notAllowed,
  'connection-refused': replies.refused,
  'host-unreachable': replies.hostUnreachable,
  'network-unreachable': replies.networkUnreachable,
  'name-unknown': replies.hostUnreachable,
  'timed-out': replies.expired,
  unknown: replies.failure,
};

/** Version 5, RFC 1928, with login by user and password, RFC 1929, where there are users; from behind the version on. */
export function* socks5(talk: Talk, users: SocksUsers | undefined): Dialogue<Asked> {
  yield* agreeOnLogin(talk, users);
  const [version, command, , type] = yield* talk.bytes(4);
  if (version !== VERSION) throw away(brokeRules('its request is not of version 5 of SOCKS'), replies.failure);
  const host = yield* readHost(talk, type);
  const port = (yield* talk.bytes(2)).readUInt16BE();
  if (command !== CONNECT) {
    const what = commandNames[command ?? 0] ?? `the command ${command} of SOCKS 5`;
    const hint = 'only CONNECT can be carried through ssh; FTP wants its passive mode, and UDP another way';
    throw away(notDone(what, hint), replies.commandUnknown);
  }
  if (port === 0) throw away(brokeRules('it asked for port 0 (SOCKS 5)'), replies.failure);
  return {
    target: { kind: 'tcp', host, port },
    accepted: (bound) => reply(replies.succeeded, bound),
    refused: (error) => reply(replyFor(error)),
  };
}

function* agreeOnLogin(talk: Talk, users: SocksUsers | undefined): Dialogue<void> {
  const count = (yield* talk.bytes(1))[0] ?? 0;
  const methods = yield* talk.bytes(count);
  const wanted = users === undefined ? NO_LOGIN : USER_AND_PASSWORD;
  if (!methods.includes(wanted)) {
    const error =
      users === undefined
        ? brokeRules('it wants a login, and there is none here (SOCKS 5)', 'take user and password out of its settings')
        : loginFailed('it offered no user and password (SOCKS 5)');
    throw new TurnedAway(error, Buffer.from([VERSION, NOTHING_ACCEPTABLE]));
  }
  talk.say(VERSION, wanted);
  if (users !== undefined) yield* logIn(talk, users);
}

function* logIn(talk: Talk, users: SocksUsers): Dialogue<void> {
  const failed = Buffer.from([LOGIN_VERSION, 1]);
  const [version] = yield* talk.bytes(1);
  if (version !== LOGIN_VERSION) throw new TurnedAway(brokeRules('its login is not that of RFC 1929'), failed);
  const user = (yield* counted(talk)).toString();
  const password = (yield* counted(talk)).toString();
  if (!isUser(users, user, password))
    throw new TurnedAway(loginFailed('its user and password are not known (SOCKS 5)'), failed);
  talk.say(LOGIN_VERSION, 0);
}

function* readHost(talk: Talk, type: number | undefined): Dialogue<string> {
  if (type === IPV4) return addressFrom(yield* talk.bytes(4));
  if (type === IPV6) return addressFrom(yield* talk.bytes(16));
  if (type !== NAME) throw away(brokeRules(`it has an address of type ${type} (SOCKS 5)`), replies.addressUnknown);
  const name = (yield* counted(talk)).toString('latin1');
  const host = canonicalHost(name);
  if (host === undefined) throw away(brokeRules(`'${name}' is no host (SOCKS 5)`), replies.failure);
  return host;
}

/** A length of one byte, and so many bytes. */
function* counted(talk: Talk): Dialogue<Buffer> {
  const length = (yield* talk.bytes(1))[0] ?? 0;
  return yield* talk.bytes(length);
}

function replyFor(error: ViasshError): number {
  if (error.code === 'CHANNEL_REFUSED') return refusals[whyRefused(error)];
  if (error.code === 'TARGET_DENIED') return replies.notAllowed;
  return error.code === 'CONNECT_TIMEOUT' ? replies.expired : replies.failure;
}

function away(error: ViasshError, code: number): TurnedAway {
  return new TurnedAway(error, reply(code));
}

function reply(code: number, bound: BoundAddress = { address: '0.0.0.0', port: 0 }): Buffer {
  const address = addressBytes(bound.address) ?? [0, 0, 0, 0];
  return Buffer.from([
    VERSION,
    code,
    0,
    address.length === 4 ? IPV4 : IPV6,
    ...address,
    bound.port >> 8,
    bound.port & 0xff,
  ]);
}
