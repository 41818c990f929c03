import { type NearEnd, type Plugin, toViasshError } from '@viassh/core';
import { tunnelKeys } from './config-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import { inWordsOfTheFile, readOptions } from './plugin-options.ts';
import {
  ownKeys,
  textAt,
  type TunnelBody,
  type TunnelFault,
  type TunnelReading,
  wordsOf,
  type WrittenTunnel,
} from './tunnel-reading.ts';
import { ForwardKeyError, readForward, type WrittenForward } from './written-forward.ts';

/** A tunnel of a plugin, also by `forward:`. */
export async function readPlugin(
  written: WrittenTunnel,
  reading: TunnelReading,
  fault: TunnelFault,
): Promise<TunnelBody | undefined> {
  const { plugins, yaml, name, runtimeFolder } = reading;
  const pluginName = written.plugin ?? 'forward';
  const at = written.plugin === undefined ? 'forward' : 'plugin';
  const names = plugins.entries.map((entry) => entry.name);
  if (!names.includes(pluginName))
    return fault(at, `there is no plugin '${pluginName}'${didYouMean(pluginName, [...names, 'pipe'])}`);
  let plugin: Plugin;
  try {
    plugin = await plugins.load(pluginName);
  } catch (error) {
    return fault(at, toViasshError(error).message);
  }
  let wrong = false;
  const faulty: TunnelFault = (...words) => {
    wrong = true;
    return fault(...words);
  };
  const sugar = written.forward === undefined ? undefined : sugarOf(written, written.forward, reading, faulty);
  const raw = Object.fromEntries(
    Object.entries(written).filter(
      ([key]) => !ownKeys.has(key) && (written.forward === undefined || (key !== 'listen' && key !== 'to')),
    ),
  );
  if (written.forward !== undefined && Object.hasOwn(raw, written.forward))
    faulty(written.forward, `forward: ${written.forward} says it already: make it a tunnel of its own`, 'key');
  const read = readOptions(
    plugin.options,
    raw,
    {
      plugin: pluginName,
      known: tunnelKeys,
      written: (key, item) => yaml.written(['tunnels', name, key, ...(item === undefined ? [] : [item])]),
      runtimeFolder,
    },
    (key, sentence) => faulty(key, sentence, Object.hasOwn(plugin.options, key) ? 'value' : 'key'),
  );
  if (wrong) return undefined;
  const options: Record<string, unknown> = { ...read.options, ...sugar?.options };
  const words = wordsOf(written, reading);
  try {
    if (plugin.prepare(options, words).lifetime !== 'resident')
      return fault(
        undefined,
        Object.hasOwn(plugin.options, 'listen') && options['listen'] === undefined
          ? `${pluginName} wants listen here: without it, it serves one client on stdin and stdout`
          : `as it stands ${pluginName} serves one call and ends: it is nothing for a tunnel`,
      );
  } catch (error) {
    return fault(undefined, inWordsOfTheFile(toViasshError(error).message, plugin.options));
  }
  const named = read.places.map(({ name: key, place }) => ({ key, place }));
  const places = sugar?.place === undefined ? named : [...named, { key: 'listen', place: sugar.place }];
  return { plugin: pluginName, options, words, places, ...forwardEnds(pluginName, options, places) };
}

/** The plugin forward's own options say where it listens as ssh does: what can be told of them without reading them. */
function forwardEnds(
  plugin: string,
  options: Readonly<Record<string, unknown>>,
  places: TunnelBody['places'],
): EndsOfForward {
  if (plugin !== 'forward') return { listensThere: false };
  const hereToo = ['local', 'dynamic', 'http'].some((name) => options[name] !== undefined);
  return {
    listensThere: options['remote'] !== undefined,
    ...(hereToo && places.length === 0 ? { places: [anyPlace] } : {}),
  };
}

type EndsOfForward = Pick<TunnelBody, 'listensThere'> & Partial<Pick<TunnelBody, 'places'>>;
/** Somewhere on this machine: in nobody's way, as far as is known. */
const anyPlace: TunnelBody['places'][number] = { key: 'plugin', place: { kind: 'tcp', host: '127.0.0.1', port: 0 } };

interface Sugar {
  readonly options: Readonly<Record<string, unknown>>;
  readonly place: NearEnd | undefined;
}

function sugarOf(
  written: WrittenTunnel,
  forward: WrittenForward['forward'],
  reading: TunnelReading,
  fault: TunnelFault,
): Sugar | undefined {
  try {
    const [listen, to] = [textAt(written, reading, 'listen'), textAt(written, reading, 'to')];
    const { spec, place } = readForward({ forward, listen, to }, reading.runtimeFolder);
    return { options: { [forward]: [spec] }, place };
  } catch (error) {
    const key = error instanceof ForwardKeyError ? error.key : 'listen';
    fault(written[key] === undefined ? undefined : key, toViasshError(error).message);
    return undefined;
  }
}
