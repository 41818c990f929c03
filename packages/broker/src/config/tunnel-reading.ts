import type { NearEnd, PluginRegistry } from '@viassh/core';
import type { ProbeConfig, TunnelConfig } from './broker-config.ts';
import { tunnelKeys } from './config-schema.ts';
import type { YamlText } from './read-yaml.ts';
import type { WrittenForward } from './written-forward.ts';

/** A tunnel as it is in the file; the schema has seen it. */
export interface WrittenTunnel {
  readonly via: string;
  readonly ssh?: readonly (string | number)[];
  readonly plugin?: string;
  readonly forward?: WrittenForward['forward'];
  readonly listen?: string | number;
  readonly to?: string | number;
  readonly command?: string;
  readonly words?: readonly (string | number)[];
  readonly keepalive?: number;
  readonly lazy?: boolean;
  readonly manual?: boolean;
  readonly wait?: number;
  readonly probe?: {
    readonly kind: ProbeConfig['kind'];
    readonly every?: number;
    readonly timeout?: number;
    readonly command?: string;
  };
}

/** What reading a tunnel needs beside it. */
export interface TunnelReading {
  readonly name: string;
  readonly yaml: YamlText;
  readonly plugins: PluginRegistry;
  readonly runtimeFolder: string;
}

/** Keys that are a tunnel's own and never options of its plugin; `listen`, `to` and `command` may be either. */
export const ownKeys: ReadonlySet<string> = new Set(
  tunnelKeys.filter((key) => !['listen', 'to', 'command'].includes(key)),
);

/** Where it listens on this machine, and the key that says so. */
export interface TunnelPlace {
  readonly key: string;
  readonly place: NearEnd;
}

/** What rides on the connection, as one of the two kinds of tunnel reads it. */
export interface TunnelBody extends Pick<TunnelConfig, 'plugin' | 'options' | 'words' | 'listen'> {
  readonly places: readonly TunnelPlace[];
  /** It has to be connected before anybody on the far end can come. */
  readonly listensThere: boolean;
}

/** Tells a fault at a key of the tunnel (`probe.command`), or of the tunnel itself. */
export type TunnelFault = (key: string | undefined, sentence: string, at?: 'key' | 'value') => undefined;

/** A text that may be written as a number: with its zeros. */
export function textAt(
  written: WrittenTunnel,
  { yaml, name }: TunnelReading,
  key: 'listen' | 'to',
): string | undefined {
  const value = written[key];
  return typeof value === 'number' ? (yaml.written(['tunnels', name, key]) ?? String(value)) : value;
}

/** `words` of the tunnel. */
export function wordsOf({ words }: WrittenTunnel, { yaml, name }: TunnelReading): readonly string[] {
  return textList(yaml, name, 'words', words);
}

/** A list of such texts. */
export function textList(
  yaml: YamlText,
  name: string,
  key: string,
  items: readonly (string | number)[] = [],
): readonly string[] {
  return items.map((item, at) =>
    typeof item === 'number' ? (yaml.written(['tunnels', name, key, at]) ?? String(item)) : item,
  );
}
