import { dirname } from 'node:path';
import { type NearEnd, type OptionTable, type OptionValues, parseNearEnd, parseOptions } from '@viassh/core';
import type { BrokerConfig } from '@viassh/broker';

/** What a recipe for the broker is written for. */
export interface BrokerSituation {
  /** The `viassh` command: its name, or a path. Not quoted. */
  readonly viassh: string;
  /** Folders in which a service finds viassh, Node and ssh. */
  readonly path: readonly string[];
  /** $VIASSH_CONFIG, $VIASSH_RUNTIME_DIR and $VIASSH_STATE_DIR, where they are set. */
  readonly configFile: string | undefined;
  readonly runtimeFolder: string | undefined;
  readonly stateFolder: string | undefined;
  /** Reads `config.yaml`; the default is the user's own. @throws ViasshError CONFIG_INVALID */
  readOwnConfig(options: { readonly file?: string | undefined; readonly runtimeFolder: string }): Promise<BrokerConfig>;
}

/** A recipe that starts `viassh up`, for which there is no destination. */
export interface BrokerRecipe {
  readonly program: string;
  readonly summary: string;
  readonly options?: OptionTable;
  /** @throws ViasshError OPTION_INVALID, CONFIG_INVALID */
  script(situation: BrokerSituation, raw: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Makes one; the types of its options are checked here and erased after. */
export function defineBrokerRecipe<const T extends OptionTable>(definition: {
  readonly program: string;
  readonly summary: string;
  readonly options: T;
  script(situation: BrokerSituation, options: OptionValues<T>): Promise<string>;
}): BrokerRecipe {
  return {
    ...definition,
    script: async (situation, raw) => await definition.script(situation, parseOptions(definition.options, raw)),
  };
}

/** Where tunnels of a configuration listen on this machine, as far as that is known before they do. */
export function listenersOf({ tunnels }: BrokerConfig): readonly NearEnd[] {
  return [...tunnels.values()].flatMap(({ listensAt = [] }) => listensAt.map(parseNearEnd));
}

/** The search path of a service, which has none of what a login sets: first what runs here now. */
export function servicePath(node: string, viassh: string | undefined): readonly string[] {
  const own = [node, ...(viassh === undefined ? [] : [viassh])].map((file) => dirname(file));
  return [...new Set([...own, '/usr/local/bin', '/usr/bin', '/bin'])];
}
