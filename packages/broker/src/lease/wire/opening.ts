import {
  type PtyRequest,
  type RemoteForwardRequest,
  type SessionRequest,
  type TcpipTarget,
  type TunRequest,
  ViasshError,
  type X11Request,
} from '@viassh/core';

/** What a client opens, and its window for it: the body of an `open` frame. */
export type Opening =
  | { readonly what: 'session'; readonly request: SessionRequest; readonly window: number }
  | { readonly what: 'direct-tcpip'; readonly target: TcpipTarget; readonly window: number }
  | { readonly what: 'direct-streamlocal'; readonly path: string; readonly window: number }
  | { readonly what: 'tun'; readonly request: Omit<TunRequest, 'signal'>; readonly window: number }
  | { readonly what: 'forward'; readonly request: RemoteForwardRequest }
  | { readonly what: 'ping' };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Holds the form of what a client asks for against the types; what the values mean is the connection's to judge.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function readOpening(body: Fields): Opening {
  const { what } = body;
  if (what === 'ping') return { what };
  if (what === 'forward') return { what, request: readForward(fields(body, 'request')) };
  const window = whole(body, 'window');
  if (what === 'session') return { what, window, request: readSession(fields(body, 'request')) };
  if (what === 'direct-tcpip') return { what, window, target: readTarget(fields(body, 'target')) };
  if (what === 'direct-streamlocal') return { what, window, path: text(body, 'path') };
  if (what === 'tun') return { what, window, request: readTun(fields(body, 'request')) };
  throw malformed('what');
}

/** The new size of a terminal. @throws ViasshError OPTION_INVALID */
export function readSize(body: Fields): Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'> {
  return {
    columns: whole(body, 'columns'),
    rows: whole(body, 'rows'),
    width: optional(body, 'width', whole),
    height: optional(body, 'height', whole),
  };
}

function readSession(body: Fields): SessionRequest {
  const extras = {
    env: optional(body, 'env', readEnv),
    onlyEnv: body['onlyEnv'] === true,
    pty: optional(body, 'pty', (from, key) => readPty(fields(from, key))),
    x11: optional(body, 'x11', (from, key) => readX11(fields(from, key))),
  };
  const { kind } = body;
  if (kind === 'shell') return { kind, ...extras };
  if (kind === 'exec') return { kind, command: text(body, 'command'), ...extras };
  if (kind === 'subsystem') return { kind, subsystem: text(body, 'subsystem'), ...extras };
  throw malformed('kind');
}

function readEnv(body: Fields, key: string): Readonly<Record<string, string>> {
  const env = fields(body, key);
  return Object.fromEntries(Object.keys(env).map((name) => [name, text(env, name)]));
}

function readPty(body: Fields): PtyRequest {
  return { term: text(body, 'term'), ...readSize(body) };
}

function readX11(body: Fields): X11Request {
  return {
    singleConnection: body['singleConnection'] === true,
    protocol: text(body, 'protocol'),
    cookie: text(body, 'cookie'),
    screen: whole(body, 'screen'),
  };
}

function readTarget(body: Fields): TcpipTarget {
  return {
    host: text(body, 'host'),
    port: number(body, 'port'),
    originatorAddress: optional(body, 'originatorAddress', text),
    originatorPort: optional(body, 'originatorPort', number),
  };
}

function readTun(body: Fields): Omit<TunRequest, 'signal'> {
  const { mode } = body;
  if (mode !== 'point-to-point' && mode !== 'ethernet') throw malformed('mode');
  return { mode, unit: optional(body, 'unit', number) };
}

function readForward(body: Fields): RemoteForwardRequest {
  const { kind } = body;
  if (kind === 'streamlocal') return { kind, path: text(body, 'path') };
  if (kind !== 'tcpip') throw malformed('kind');
  return { kind, port: number(body, 'port'), bindAddress: optional(body, 'bindAddress', text) };
}

function optional<T>(from: Fields, key: string, read: (from: Fields, key: string) => T): T | undefined {
  return from[key] === undefined || from[key] === null ? undefined : read(from, key);
}

function fields(from: Fields, key: string): Fields {
  const value = from[key];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(key);
  return value as Fields;
}

function text(from: Fields, key: string): string {
  const value = from[key];
  if (typeof value !== 'string') throw malformed(key);
  return value;
}

/** Also one that JSON has no word for: it goes on as NaN, which is refused where it is used. */
function number(from: Fields, key: string): number {
  const value = from[key];
  if (value === null) return Number.NaN;
  if (typeof value !== 'number') throw malformed(key);
  return value;
}

function whole(from: Fields, key: string): number {
  const value = number(from, key);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw malformed(key);
  return value;
}

function malformed(key: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `what was asked of the broker has no usable ${key}`);
}
