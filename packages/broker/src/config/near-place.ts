import { isAbsolute, join } from 'node:path';
import { formatNearEnd, type NearEnd, parseNearEnd, ViasshError } from '@viassh/core';

/**
 * A place of this machine as config.yaml writes it: `unix:PATH`, `tcp:[HOST:]PORT` and, shorter, `[HOST:]PORT`; a relative
 * path is in the runtime folder.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseNearPlace(text: string, runtimeFolder: string): NearEnd {
  const whole = /^(?:[^:]+:|\[[^\]]+\]:)?\d+$/.test(text) && !text.startsWith('tcp:') ? `tcp:${text}` : text;
  if (!/^(?:tcp|unix):/.test(whole))
    throw new ViasshError('OPTION_INVALID', `this is no place to listen on: '${text}'; write [HOST:]PORT or unix:PATH`);
  const nearEnd = parseNearEnd(whole);
  if (nearEnd.kind === 'tcp' || isAbsolute(nearEnd.path)) return nearEnd;
  return parseNearEnd(`unix:${join(runtimeFolder, nearEnd.path)}`);
}

/** Equal where two would be in each other's way; undefined where that cannot be. */
export function nearPlaceKey(nearEnd: NearEnd): string | undefined {
  if (nearEnd.kind === 'unix') return formatNearEnd(nearEnd);
  if (nearEnd.port === 0) return undefined;
  return formatNearEnd({ ...nearEnd, host: nearEnd.host === 'localhost' ? '127.0.0.1' : nearEnd.host });
}

/** Can nobody but this machine come there? */
export function isLoopback(nearEnd: NearEnd): boolean {
  return nearEnd.kind === 'unix' || /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(nearEnd.host);
}
