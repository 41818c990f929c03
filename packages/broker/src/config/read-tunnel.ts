import { formatNearEnd, parseDestination, toViasshError } from '@viassh/core';
import type { TunnelConfig } from './broker-config.ts';
import type { ConfigFault } from './config-fault.ts';
import { readPipe } from './read-pipe.ts';
import { readPlugin } from './read-plugin.ts';
import {
  textList,
  type TunnelFault,
  type TunnelPlace,
  type TunnelReading,
  type WrittenTunnel,
} from './tunnel-reading.ts';

/** A tunnel that was read, and what it takes of this machine. */
export interface ReadTunnel {
  readonly config: TunnelConfig;
  readonly places: readonly TunnelPlace[];
}

/** Reads one tunnel; what is wrong goes to `faults`, and then there is no result. */
export async function readTunnel(
  written: WrittenTunnel,
  reading: TunnelReading,
  faults: ConfigFault[],
): Promise<ReadTunnel | undefined> {
  const before = faults.length;
  const { name, yaml } = reading;
  const fault: TunnelFault = (key, sentence, at = 'value') => {
    const path = ['tunnels', name, ...(key === undefined ? [] : key.split('.'))];
    faults.push(yaml.fault(path, sentence, key === undefined ? 'key' : at));
    return undefined;
  };
  try {
    parseDestination(written.via);
  } catch (error) {
    fault('via', toViasshError(error).message);
  }
  checkProbe(written, fault);
  const what =
    written.plugin === undefined && written.forward === undefined
      ? fault(undefined, 'it says neither plugin nor forward')
      : written.plugin !== undefined && written.forward !== undefined
        ? fault('forward', 'forward stands in place of plugin: say one of them', 'key')
        : written.plugin === 'pipe'
          ? readPipe(written, reading, fault)
          : await readPlugin(written, reading, fault);
  if (what === undefined) return undefined;
  const listensHere = what.places.length > 0;
  if (written.lazy === true && !listensHere)
    fault('lazy', 'nobody on this machine could ask for it: it does not listen here');
  if (faults.length > before) return undefined;
  const { probe, keepalive, wait = 30, manual = false } = written;
  const { line } = yaml.fault(['tunnels', name], '', 'key');
  const known = what.places.filter(({ place }) => place.kind === 'unix' || place.port !== 0);
  return {
    places: what.places,
    config: {
      via: written.via,
      ssh: [
        ...textList(yaml, name, 'ssh', written.ssh),
        ...(keepalive === undefined ? [] : ['-o', `ServerAliveInterval=${keepalive}`]),
      ],
      plugin: what.plugin,
      options: what.options,
      words: what.words,
      ...(known.length === 0 ? {} : { listensAt: known.map(({ place }) => formatNearEnd(place)) }),
      ...(what.listen === undefined ? {} : { listen: what.listen }),
      lazy: written.lazy ?? (listensHere && !what.listensThere),
      manual,
      wait,
      ...(probe === undefined ? {} : { probe: { every: 60, timeout: 10, ...probe } }),
      line,
    },
  };
}

function checkProbe({ probe }: WrittenTunnel, fault: TunnelFault): void {
  if (probe === undefined) return;
  if (probe.kind === 'command' && probe.command === undefined)
    fault('probe', 'kind: command wants command: what runs on the far end', 'key');
  if (probe.kind !== 'command' && probe.command !== undefined)
    fault('probe.command', `kind: ${probe.kind} runs no command`, 'key');
}
