import { parseDestination, ViasshError } from '@viassh/core';

/** A file on a far end. */
export interface RemoteFile {
  /** `[user@]host[:port]` or a Host of ssh_config. */
  readonly destination: string;
  /** Taken as it is, no wildcard, no `~`; without a leading slash it begins in the home there. */
  readonly path: string;
}

/** Source and target as scp reads them, and the one port that it can be told. */
export interface ScpOperands {
  readonly port: number | undefined;
  readonly operands: readonly [source: string, target: string];
}

/** @throws ViasshError DESTINATION_INVALID, OPTION_INVALID */
export function scpOperands(source: string | RemoteFile, target: string | RemoteFile): ScpOperands {
  const ports = [source, target].flatMap((end) => (typeof end === 'string' ? [] : [portOf(end)]));
  if (new Set(ports).size > 1)
    throw new ViasshError('OPTION_INVALID', 'scp takes one port for both far ends', {
      hint: 'write the ports into ssh_config, under a Host each',
    });
  return { port: ports[0], operands: [operand(source, withoutWildcards), operand(target, (path) => path)] };
}

const portOf = ({ destination }: RemoteFile): number | undefined => parseDestination(destination).port;

/** A path that begins with `/` or `./` is no option, no `host:`, and no `~`. */
function operand(end: string | RemoteFile, quoted: (path: string) => string): string {
  const path = checkPath(typeof end === 'string' ? end : end.path);
  const plain = path.startsWith('/') ? path : `./${path}`;
  if (typeof end === 'string') return plain;
  const { user, host } = parseDestination(end.destination);
  if (user !== undefined && /[:/[\]]/.test(user))
    throw new ViasshError('DESTINATION_INVALID', `scp cannot be told the user '${user}'`, {
      hint: 'write the user into ssh_config',
    });
  return `${user === undefined ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}:${quoted(plain)}`;
}

/** scp asks the far end for all files that match: glob(7), and a backslash makes a character mean itself. */
const withoutWildcards = (path: string): string => path.replaceAll(/[*?[\]\\]/g, (character) => `\\${character}`);

function checkPath(path: string): string {
  if (path !== '' && !path.includes('\0')) return path;
  throw new ViasshError('OPTION_INVALID', path === '' ? 'a path is empty' : 'a path has a NUL in it', {
    hint: 'the home on a far end is the path .',
  });
}
