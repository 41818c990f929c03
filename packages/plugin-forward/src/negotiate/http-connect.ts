import { type ErrorCode, type OpenRefusal, type ViasshError, whyRefused } from '@viassh/core';
import { canonicalHost } from './host.ts';
import { isUser, type SocksUsers } from './proxy-users.ts';
import { type Asked, type Dialogue, type Talk, TurnedAway } from './talk.ts';
import { brokeRules, loginFailed, notDone } from './turned-away.ts';

const MOST_HEADER = 16 * 1024;
const LF = 0x0a;
const NO_LOGIN_OF_SOCKS5 = [5, 0xff]; // RFC 1928 §3
const REJECTED_BY_SOCKS4 = [0, 91, 0, 0, 0, 0, 0, 0];
const CHALLENGE = 'Proxy-Authenticate: Basic realm="viassh", charset="UTF-8"';

const reasons = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
} as const;

type Status = keyof typeof reasons;

const refusals: Readonly<Record<OpenRefusal, Status>> = {
  prohibited: 403,
  'connection-refused': 502,
  'host-unreachable': 502,
  'network-unreachable': 502,
  'name-unknown': 502,
  'timed-out': 504,
  unknown: 502,
};

const failures: Readonly<Partial<Record<ErrorCode, Status>>> = {
  TARGET_DENIED: 403,
  CONNECTION_LOST: 503,
  CONNECTION_CLOSED: 503,
  ABORTED: 503,
  CONNECT_TIMEOUT: 504,
};

interface Field {
  /** Lower-case. */
  readonly name: string;
  readonly value: string;
}

/** CONNECT of HTTP/1.1, RFC 9110 §9.3.6, and nothing else; with Basic login, RFC 7617, where there are users. */
export function* httpConnect(talk: Talk, users: SocksUsers | undefined): Dialogue<Asked> {
  const version = yield* talk.peek();
  if (version === 4 || version === 5) {
    const error = brokeRules(
      'it speaks SOCKS, and no HTTP',
      'make it an HTTP proxy in its settings, or give it one of -D',
    );
    throw new TurnedAway(error, Buffer.from(version === 5 ? NO_LOGIN_OF_SOCKS5 : REJECTED_BY_SOCKS4));
  }
  const [request = '', ...lines] = yield* readHeader(talk);
  const [, method, authority = '', minor] = /^([!#$%&'*+.^`|~\w-]+) (\S+) HTTP\/1\.([01])$/.exec(request) ?? [];
  if (method === undefined) {
    if (/ HTTP\/\d/.test(request) && !request.includes('HTTP/1.'))
      throw away(505, brokeRules('it speaks another version of HTTP than 1'));
    throw away(400, brokeRules('its request is no HTTP'));
  }
  const fields = lines.map(parseField);
  if (users !== undefined) logIn(fields, users);
  if (method !== 'CONNECT') {
    const hint = 'make it use CONNECT for every address (curl --proxytunnel), or give it SOCKS with -D';
    throw away(405, notDone(`the HTTP method ${method}`, hint), 'Allow: CONNECT');
  }
  const target = parseAuthority(authority);
  if (target?.port === undefined) throw away(400, brokeRules(`'${authority}' is no host and port (HTTP CONNECT)`));
  checkHost(fields, target.host, target.port, minor === '0');
  if (fields.some(({ name, value }) => name === 'transfer-encoding' || (name === 'content-length' && value !== '0')))
    throw away(400, brokeRules('its CONNECT has a body'));
  return {
    target: { kind: 'tcp', host: target.host, port: target.port },
    accepted: () => Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n'),
    refused: (error) => answer(statusFor(error), error),
  };
}

/** What a client hears whose request takes too long. */
export function httpTooLate(error: ViasshError): Buffer {
  return answer(408, error);
}

/** The lines up to the empty one. A bare LF ends a line too, and one empty line may come first: RFC 9112 §2.2. */
function* readHeader(talk: Talk): Dialogue<string[]> {
  const lines: string[] = [];
  for (let left = MOST_HEADER, first = true; ; first = false) {
    const bytes = yield* talk.until(LF, left);
    if (bytes === undefined)
      throw away(431, brokeRules(`the header of its request is longer than ${MOST_HEADER} bytes`));
    left -= bytes.length + 1;
    const line = bytes.toString('latin1').replace(/\r$/, '');
    // oxlint-disable-next-line no-control-regex -- these have no place in a header, RFC 9110 §5.5
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line))
      throw away(400, brokeRules('its request has control characters'));
    if (line !== '') lines.push(line);
    else if (!first) return lines;
  }
}

/** RFC 9112 §5.1: no blank before the colon, no continued lines. */
function parseField(line: string): Field {
  const [, name, value = ''] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  if (name === undefined) throw away(400, brokeRules('a line of its header is no field'));
  return { name: name.toLowerCase(), value };
}

function logIn(fields: readonly Field[], users: SocksUsers): void {
  const given = fields.filter(({ name }) => name === 'proxy-authorization');
  const [, credentials] = /^basic +([\w+/=-]+)$/i.exec(given[0]?.value ?? '') ?? [];
  if (credentials === undefined || given.length > 1)
    throw away(407, loginFailed('it gave no user and password (HTTP)'), CHALLENGE);
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString()) ?? [];
  if (user === undefined || password === undefined || !isUser(users, user, password))
    throw away(407, loginFailed('its user and password are not known (HTTP)'), CHALLENGE);
}

/**
 * RFC 9112 §3.2: one Host, the same as the target; only HTTP/1.0 may leave it out. A port that is left out there is
 * the one of the target, as old clients have it.
 */
function checkHost(fields: readonly Field[], host: string, port: number, optional: boolean): void {
  const given = fields.filter(({ name }) => name === 'host');
  if (given.length === 0 && optional) return;
  if (given.length !== 1) throw away(400, brokeRules('its CONNECT has no Host, or more than one'));
  const named = parseAuthority(given[0]?.value ?? '');
  if (named?.host !== host || (named.port ?? port) !== port)
    throw away(400, brokeRules('its CONNECT has another Host than target'));
}

/** RFC 3986 §3.2, without a user. */
function parseAuthority(text: string): { host: string; port: number | undefined } | undefined {
  const [, v6, name, digits] = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = canonicalHost(v6 ?? name ?? '');
  if (host === undefined) return undefined;
  if (digits === undefined) return { host, port: undefined };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

function statusFor(error: ViasshError): Status {
  return error.code === 'CHANNEL_REFUSED' ? refusals[whyRefused(error)] : (failures[error.code] ?? 502);
}

function away(status: Status, error: ViasshError, ...fields: readonly string[]): TurnedAway {
  return new TurnedAway(error, answer(status, error, fields));
}

function answer(status: Status, error: ViasshError, fields: readonly string[] = []): Buffer {
  const hint = error.hint === undefined ? '' : `${error.hint}\n`;
  const text = Buffer.from(`${error.message} (${error.code})\n${hint}`);
  const header = [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    ...fields,
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${text.length}`,
    'Connection: close',
  ];
  return Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`), text]);
}
