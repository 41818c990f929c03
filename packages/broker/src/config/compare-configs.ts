import { isDeepStrictEqual } from 'node:util';
import type { BrokerConfig, TunnelConfig } from './broker-config.ts';

/** What a reload has to do: names of tunnels, in the order of the file that each is in. */
export interface ConfigDifference {
  /** They are let be. */
  readonly kept: readonly string[];
  /** Only what does not need the tunnel to begin anew: `manual`, `probe`. */
  readonly adjusted: readonly string[];
  readonly changed: readonly string[];
  readonly added: readonly string[];
  /** They end. */
  readonly gone: readonly string[];
  /** What is not of a tunnel. */
  readonly settings: readonly ('share' | 'idle' | 'metrics')[];
}

/** Compares two configurations. Where a tunnel stands in the file does not matter. */
export function compareConfigs(before: BrokerConfig, after: BrokerConfig): ConfigDifference {
  const names = [...after.tunnels.keys()];
  const kinds = new Map(names.map((name) => [name, kindOf(before.tunnels.get(name), after.tunnels.get(name))]));
  const of = (kind: Kind): readonly string[] => names.filter((name) => kinds.get(name) === kind);
  return {
    kept: of('kept'),
    adjusted: of('adjusted'),
    changed: of('changed'),
    added: of('added'),
    gone: [...before.tunnels.keys()].filter((name) => !after.tunnels.has(name)),
    settings: (['share', 'idle', 'metrics'] as const).filter((key) => before[key] !== after[key]),
  };
}

type Kind = 'kept' | 'adjusted' | 'changed' | 'added';

function kindOf(before: TunnelConfig | undefined, after: TunnelConfig | undefined): Kind {
  if (before === undefined || after === undefined) return 'added';
  if (!isDeepStrictEqual(running(before), running(after))) return 'changed';
  return before.manual === after.manual && isDeepStrictEqual(before.probe, after.probe) ? 'kept' : 'adjusted';
}

/** What a running tunnel was made from. */
function running({ manual: _manual, probe: _probe, line: _line, ...rest }: TunnelConfig): object {
  return rest;
}
