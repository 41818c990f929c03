import { join } from 'node:path';
import { formatNearEnd, type PluginRegistry, toViasshError } from '@viassh/core';
import { controlSocketName } from '../control/requests.ts';
import type { BrokerConfig, TunnelConfig } from './broker-config.ts';
import { type ConfigFault, configInvalid } from './config-fault.ts';
import { isLoopback, nearPlaceKey, parseNearPlace } from './near-place.ts';
import { type ReadTunnel, readTunnel } from './read-tunnel.ts';
import type { WrittenTunnel } from './tunnel-reading.ts';
import type { ConfigPath, YamlText } from './read-yaml.ts';

/** What a configuration is held against. */
export interface LoadConfigOptions {
  /** Only those that the file names are loaded. */
  readonly plugins: PluginRegistry;
  /** Where sockets with relative names are. */
  readonly runtimeFolder: string;
}

interface WrittenConfig {
  readonly share?: BrokerConfig['share'];
  readonly idle?: number;
  readonly metrics?: string | number;
  readonly tunnels?: Readonly<Record<string, WrittenTunnel>> | null;
}

/**
 * Reads `config.yaml`: an empty one is all defaults. `file` is its name for messages.
 *
 * @throws ViasshError CONFIG_INVALID with every fault, `FILE:LINE:COLUMN key: sentence`; see `configFaults`
 */
export async function loadBrokerConfig(
  file: string,
  text: string,
  { plugins, runtimeFolder }: LoadConfigOptions,
): Promise<BrokerConfig> {
  // Who asks a broker for a lease has no use for a parser and a validator, and starts faster without them.
  const [{ readYaml }, { checkSchema }] = await Promise.all([import('./read-yaml.ts'), import('./check-schema.ts')]);
  const yaml = readYaml(text);
  if (yaml.faults.length > 0) throw configInvalid(file, yaml.faults);
  const schemaFaults = checkSchema(yaml);
  const faults: ConfigFault[] = [...schemaFaults];
  const isMap = typeof yaml.value === 'object' && !Array.isArray(yaml.value);
  const written = ((isMap ? yaml.value : undefined) ?? {}) as WrittenConfig;
  const places = new Places(yaml, faults);
  places.take(formatNearEnd({ kind: 'unix', path: join(runtimeFolder, controlSocketName) }), 'the broker itself');
  const metrics =
    written.metrics === undefined || schemaFaults.some(({ path }) => path[0] === 'metrics')
      ? undefined
      : readMetrics(yaml, runtimeFolder, faults, places);
  const tunnels = new Map<string, TunnelConfig>();
  for (const name of yaml.keys(['tunnels'])) {
    const tunnel = written.tunnels?.[name];
    if (tunnel === undefined) continue;
    const sound = soundPart(
      tunnel,
      schemaFaults.flatMap(({ path }) => (inTunnel(path, name) ? [path[2]] : [])),
    );
    const read = sound && (await readTunnel(sound, { name, yaml, plugins, runtimeFolder }, faults));
    if (read === undefined) continue;
    places.takeAll(name, read);
    tunnels.set(name, read.config);
  }
  if (faults.length > 0) throw configInvalid(file, faults);
  return {
    share: written.share ?? 'yes',
    idle: written.idle ?? 600,
    ...(metrics === undefined ? {} : { metrics }),
    tunnels,
  };
}

function inTunnel(path: ConfigPath, name: string): boolean {
  return path[0] === 'tunnels' && path[1] === name;
}

/**
 * What of a tunnel can be read on, that its other faults are told together with those of the schema; undefined where they
 * would only follow from them. `faulty`: keys that the schema is against, and undefined for the tunnel itself.
 */
function soundPart(tunnel: WrittenTunnel, faulty: readonly (string | number | undefined)[]): WrittenTunnel | undefined {
  const decisive = ['plugin', 'forward', 'listen', 'to', 'command', 'words'];
  if (typeof tunnel !== 'object' || tunnel === null || Array.isArray(tunnel)) return undefined;
  if (faulty.some((key) => decisive.includes(String(key)))) return undefined;
  const sound = Object.entries(tunnel).filter(([key]) => !faulty.includes(key));
  return { via: 'nowhere', ...(Object.fromEntries(sound) as Partial<WrittenTunnel>) };
}

function readMetrics(yaml: YamlText, runtimeFolder: string, faults: ConfigFault[], places: Places): string | undefined {
  try {
    const place = parseNearPlace(yaml.written(['metrics']) ?? '', runtimeFolder);
    if (!isLoopback(place)) {
      faults.push(
        yaml.fault(['metrics'], 'others than this machine could read them there: take loopback or unix:PATH'),
      );
      return undefined;
    }
    places.take(nearPlaceKey(place), 'metrics', ['metrics']);
    return formatNearEnd(place);
  } catch (error) {
    faults.push(yaml.fault(['metrics'], toViasshError(error).message));
    return undefined;
  }
}

/** Who listens where: nobody may twice. */
class Places {
  readonly #yaml: YamlText;
  readonly #faults: ConfigFault[];
  readonly #takenBy = new Map<string, string>();

  constructor(yaml: YamlText, faults: ConfigFault[]) {
    this.#yaml = yaml;
    this.#faults = faults;
  }

  take(place: string | undefined, by: string, path: readonly string[] = []): void {
    if (place === undefined) return;
    const other = this.#takenBy.get(place);
    if (other === undefined) this.#takenBy.set(place, by);
    else this.#faults.push(this.#yaml.fault(path, `${other} listens there already`));
  }

  takeAll(name: string, { places }: ReadTunnel): void {
    for (const { key, place } of places) this.take(nearPlaceKey(place), `tunnel ${name}`, ['tunnels', name, key]);
  }
}
