import type { Destination } from './destination.ts';
import type { ResolvedDestination } from './resolved-destination.ts';
import type { TypedOptions } from './typed-options.ts';

/** Knows what the configuration makes of a destination. */
export interface ConfigSource {
  /** For messages: `ssh -G`, `typed options only`. */
  readonly name: string;
  /**
   * @throws ViasshError CONFIG_INVALID, CONFIG_NEEDS_SSH, DESTINATION_INVALID
   */
  resolve(destination: Destination, typed: TypedOptions, signal?: AbortSignal): Promise<ResolvedDestination>;
}
