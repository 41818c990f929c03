import { formatNearEnd, toViasshError } from '@viassh/core';
import { didYouMean } from './did-you-mean.ts';
import { parseNearPlace } from './near-place.ts';
import {
  ownKeys,
  textAt,
  type TunnelBody,
  type TunnelFault,
  type TunnelReading,
  wordsOf,
  type WrittenTunnel,
} from './tunnel-reading.ts';

/** `plugin: pipe`. */
export function readPipe(written: WrittenTunnel, reading: TunnelReading, fault: TunnelFault): TunnelBody | undefined {
  const known = new Set([...ownKeys, 'listen', 'command']);
  for (const key of Object.keys(written)) {
    if (!known.has(key)) fault(key, `neither a tunnel nor pipe has such a key${didYouMean(key, known)}`, 'key');
  }
  const words = [...(written.command === undefined ? [] : [written.command]), ...wordsOf(written, reading)];
  if (words.length === 0) fault(undefined, 'pipe wants command: what each client gets a run of');
  if (written.command !== undefined && written.words !== undefined)
    fault('words', 'command and words are two ways to say it: say one of them', 'key');
  const listen = textAt(written, reading, 'listen');
  if (listen === undefined) return fault(undefined, 'pipe wants listen: where its clients come');
  try {
    const place = parseNearPlace(listen, reading.runtimeFolder);
    const places = [{ key: 'listen', place }];
    return { plugin: 'pipe', options: {}, words, listen: formatNearEnd(place), places, listensThere: false };
  } catch (error) {
    return fault('listen', toViasshError(error).message);
  }
}
