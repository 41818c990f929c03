import { isAbsolute } from 'node:path';
import { type NearEnd, ViasshError } from '@viassh/core';
import { parseNearPlace } from './near-place.ts';

/** `forward:`, `listen:` and `to:` of a tunnel, as text. */
export interface WrittenForward {
  readonly forward: 'local' | 'remote' | 'dynamic' | 'http';
  readonly listen: string | undefined;
  readonly to: string | undefined;
}

/** What they are for the plugin forward. */
export interface ReadForward {
  /** The value of its option of the same name. */
  readonly spec: string;
  /** Where it listens on this machine; of `remote`: nowhere. */
  readonly place: NearEnd | undefined;
}

/** Thrown for one of the keys. */
export class ForwardKeyError extends ViasshError {
  readonly key: 'listen' | 'to';

  constructor(key: 'listen' | 'to', message: string) {
    super('OPTION_INVALID', message);
    this.key = key;
  }
}

/** Makes one forward as ssh writes it. @throws ForwardKeyError naming the key; ViasshError OPTION_INVALID about `listen` */
export function readForward({ forward, listen, to }: WrittenForward, runtimeFolder: string): ReadForward {
  if (listen === undefined) throw new ForwardKeyError('listen', `forward: ${forward} wants listen`);
  const chooses = forward === 'dynamic' || forward === 'http';
  if (chooses && to !== undefined)
    throw new ForwardKeyError('to', `with forward: ${forward} each client says itself where it wants to go`);
  if (forward === 'local' && to === undefined) throw new ForwardKeyError('to', 'forward: local wants to');
  const onOtherEnd = forward === 'remote';
  const target = to === undefined ? '' : `:${targetField(to, onOtherEnd ? runtimeFolder : undefined)}`;
  if (onOtherEnd) return { spec: `${farListenField(listen)}${target}`, place: undefined };
  const place = parseNearPlace(listen, runtimeFolder);
  return { spec: `${place.kind === 'unix' ? pathField(place.path) : listen.replace(/^tcp:/, '')}${target}`, place };
}

function farListenField(listen: string): string {
  const path = /^unix:(.*)$/s.exec(listen)?.[1];
  if (path === undefined) return listen.replace(/^tcp:/, '');
  if (!isAbsolute(path))
    throw new ForwardKeyError('listen', 'a socket of the far end is named by its whole path, from / on');
  return pathField(path);
}

/** `here`: the runtime folder, where this machine is the one that dials. */
function targetField(to: string, here: string | undefined): string {
  const path = /^unix:(.+)$/s.exec(to)?.[1];
  if (path !== undefined) {
    if (here !== undefined) {
      const place = parseNearPlace(to, here);
      if (place.kind === 'unix') return pathField(place.path);
    }
    if (isAbsolute(path)) return pathField(path);
    throw new ForwardKeyError('to', 'a socket of the far end is named by its whole path, from / on');
  }
  const text = to.replace(/^tcp:/, '');
  if (/^\d+$/.test(text)) return `localhost:${text}`;
  if (/^(?:\[[^\]]+\]|[^\s:[\]\\/]+):\d+$/.test(text)) return text;
  throw new ForwardKeyError('to', `this is nothing to dial: '${to}'; write [HOST:]PORT or unix:PATH`);
}

/** readconf.c, parse_fwd_field(): a backslash takes the next character as it is. */
function pathField(path: string): string {
  return path.replaceAll(/[\\:]/g, String.raw`\$&`);
}
