import { type NearEnd, parseNearEnd, type RemoteForwardRequest, type ViasshError } from '@viassh/core';
import { type Field, fieldsOf } from './fields.ts';
import { forwardInvalid, type Written } from './forward-invalid.ts';
import type { DynamicForwardSpec, FarTarget, LocalForwardSpec, RemoteForwardSpec } from './forward-spec.ts';
import { slashedFields } from './slashed-fields.ts';

/** What stands behind a forward whose own words leave something open. */
export interface ParseOptions {
  /** `-g`: without a bind address a near end is every address of this machine, and not loopback. */
  readonly gatewayPorts?: boolean | undefined;
}

/**
 * Reads a `-L` of ssh(1): `[BIND:]PORT:HOST:HOSTPORT`, `[BIND:]PORT:PATH`, `PATH:HOST:HOSTPORT`, `PATH:PATH`; port 0 is one
 * that is free. The host of the near end is as typed: `*` for an empty one, `localhost` for none; see `placesOf`.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseLocalForward(text: string, options: ParseOptions = {}): LocalForwardSpec {
  const written: Written = { option: '-L', text, forms: '[BIND:]PORT:HOST:HOSTPORT; a path may stand for either side' };
  const [listen, to] = sidesOf(written, partsOf(written, 3));
  if (to === undefined) throw targetMissing(written);
  return { kind: 'local', listen: nearEndOf(written, listen, options), to };
}

/**
 * Reads a `-R`: the forms of `-L`, and `[BIND:]PORT` or `PATH` alone for SOCKS to those on the far end. Port 0: the server
 * chooses.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseRemoteForward(text: string): RemoteForwardSpec {
  const written: Written = {
    option: '-R',
    text,
    forms: '[BIND:]PORT:HOST:HOSTPORT, a path for either side, or [BIND:]PORT alone for SOCKS',
  };
  const [listen, to] = sidesOf(written, partsOf(written, 2));
  return { kind: 'remote', listen: requestOf(written, listen), to: to ?? { kind: 'socks' } };
}

/**
 * Reads a `-D` or `--http`: `[BIND:]PORT`, or the path of a Unix socket. The host as of {@link parseLocalForward}.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseDynamicForward(
  text: string,
  protocol: DynamicForwardSpec['protocol'],
  options: ParseOptions = {},
): DynamicForwardSpec {
  const written: Written = {
    option: protocol === 'socks' ? '-D' : '--http',
    text,
    forms: '[BIND:]PORT, or the path of a Unix socket',
  };
  const [listen, to] = sidesOf(written, partsOf(written, 2));
  if (to !== undefined)
    throw forwardInvalid(written, 'each client says itself where it wants to go', 'leave the target away');
  return { kind: 'dynamic', protocol, listen: nearEndOf(written, listen, options) };
}

/** Reads a `-W`: `HOST:PORT`, or the path of a Unix socket of the far end. @throws ViasshError OPTION_INVALID */
export function parseStdioForward(text: string): FarTarget {
  const written: Written = { option: '-W', text, forms: 'HOST:PORT, or the path of a Unix socket there' };
  const fields = fieldsOf(text) ?? [];
  const [first, second] = fields;
  if (first !== undefined && second === undefined && first.isPath) return targetOf(written, [first]);
  if (second !== undefined && fields.length === 2) return targetOf(written, fields);
  throw forwardInvalid(written, 'this is no host and port', `write ${written.forms}, e.g. localhost:25`);
}

/** Where to listen; `host` undefined: nothing was said. */
type Listen = { readonly path: string } | { readonly host: string | undefined; readonly port: number };

/** Which parts belong to which side; the target is undefined where none is given. */
function sidesOf(written: Written, fields: readonly Field[]): [Listen, FarTarget | undefined] {
  const [first, second, third, fourth] = fields;
  if (first === undefined || fields.length > 4) throw tooMany(written);
  if (first.isPath) {
    if (second !== undefined && (second.isPath ? third : fourth) !== undefined) throw tooMany(written);
    return [{ path: socketPath(written, first.text) }, second && targetOf(written, fields.slice(1))];
  }
  if (second === undefined) return [{ host: undefined, port: portOf(written, first, 0) }, undefined];
  if (second.isPath && third === undefined)
    return [{ host: undefined, port: portOf(written, first, 0) }, targetOf(written, [second])];
  if (third === undefined && /^\d+$/.test(first.text)) throw targetMissing(written); // 8080:80, 8080:localhost
  if (third === undefined) return [{ host: first.text, port: portOf(written, second, 0) }, undefined];
  const bound = fourth !== undefined || third.isPath;
  const [host, port] = bound ? [first.text, second] : [undefined, first];
  return [{ host, port: portOf(written, port, 0) }, targetOf(written, fields.slice(bound ? 2 : 1))];
}

function targetOf(written: Written, fields: readonly Field[]): FarTarget {
  const [host, port] = fields;
  if (host === undefined) throw targetMissing(written);
  if (port === undefined && host.isPath) return { kind: 'unix', path: socketPath(written, host.text) };
  if (port === undefined) throw targetMissing(written);
  if (host.isPath)
    throw forwardInvalid(written, `a path has no port behind it: ${host.text}`, `write ${written.forms}`);
  if (host.text === '') {
    throw forwardInvalid(written, 'the host of the target is empty', 'write localhost for the machine itself');
  }
  return { kind: 'tcp', host: hostOf(written, host.text), port: portOf(written, port, 1) };
}

function nearEndOf(written: Written, listen: Listen, { gatewayPorts = false }: ParseOptions): NearEnd {
  if ('path' in listen) return parseNearEnd(`unix:${listen.path}`);
  const usual = gatewayPorts ? '*' : 'localhost';
  const host = listen.host === undefined ? usual : listen.host === '' ? '*' : hostOf(written, listen.host);
  return { kind: 'tcp', host, port: listen.port };
}

function requestOf(written: Written, listen: Listen): RemoteForwardRequest {
  if ('path' in listen) return { kind: 'streamlocal', path: listen.path };
  const { host, port } = listen;
  if (host === undefined) return { kind: 'tcpip', port };
  return { kind: 'tcpip', bindAddress: host === '' ? '*' : hostOf(written, host), port };
}

/** The parts, by colons or, as older versions of ssh had it for IPv6, by slashes; `fewest` are wanted for the second. */
function partsOf(written: Written, fewest: 2 | 3): readonly Field[] {
  if (written.text === '') throw forwardInvalid(written, 'nothing is given', `write ${written.forms}`);
  const slashed = slashedFields(written.text, fewest);
  if (slashed !== undefined) return slashed;
  const fields = fieldsOf(written.text);
  if (fields !== undefined) return fields;
  throw forwardInvalid(
    written,
    'a bracket is not closed, or something follows it',
    'write [ADDRESS]: with a colon behind',
  );
}

function hostOf(written: Written, text: string): string {
  if (!/[\s\p{Cc}/[\]]/u.test(text)) return text;
  throw forwardInvalid(written, `this is no host: '${text}'`, `write ${written.forms}`);
}

function socketPath(written: Written, path: string): string {
  if (path.includes('\0')) throw forwardInvalid(written, 'a path has a NUL in it', 'take another name');
  if (!path.startsWith('~')) return path;
  throw forwardInvalid(
    written,
    `~ is left as it is in the middle of a word: ${path}`,
    'write the path from the root on',
  );
}

function portOf(written: Written, { text, isPath }: Field, least: 0 | 1): number {
  if (/^\d+$/.test(text)) {
    const port = Number(text);
    if (port >= least && port <= 65_535) return port;
    throw forwardInvalid(
      written,
      `a port is from ${least} to 65535, not ${text}`,
      least === 1 && port === 0 ? 'port 0 is for listening alone: one that is free' : `write ${written.forms}`,
    );
  }
  if (/^[a-z][\w-]*$/i.test(text)) {
    throw forwardInvalid(
      written,
      `ports are written as numbers, not '${text}'`,
      `if it is the name of a service, getent services ${text} shows its number; else write ${written.forms}`,
    );
  }
  const what =
    text === ''
      ? 'a port is missing'
      : isPath
        ? `a path stands where a port is wanted: ${text}`
        : `this is no port: '${text}'`;
  throw forwardInvalid(written, what, `write ${written.forms}; IPv6 addresses stand in brackets: [::1]`);
}

function tooMany(written: Written): ViasshError {
  return forwardInvalid(
    written,
    'there are more parts than a forward has',
    `write ${written.forms}; IPv6 addresses stand in brackets: [::1]`,
  );
}

function targetMissing(written: Written): ViasshError {
  return forwardInvalid(written, 'the target wants a host and a port', `write ${written.forms}`);
}
