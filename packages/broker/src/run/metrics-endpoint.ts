import { type Logger, type NearListener, parseNearEnd, toViasshError } from '@viassh/core';
import type { BrokerStatus } from '../status/broker-status.ts';
import { serveMetrics } from '../status/serve-metrics.ts';

/** Where Prometheus may read, as the configuration says it now. That it cannot be served is a warning and ends nothing. */
export class MetricsEndpoint {
  readonly #read: () => BrokerStatus;
  readonly #log: Logger;
  #place: string | undefined;
  #listener: NearListener | undefined;

  constructor(read: () => BrokerStatus, log: Logger) {
    this.#read = read;
    this.#log = log;
  }

  async serveAt(place: string | undefined): Promise<void> {
    if (place === this.#place && (place === undefined || this.#listener !== undefined)) return;
    await this.close();
    this.#place = place;
    if (place === undefined) return;
    try {
      this.#listener = await serveMetrics(parseNearEnd(place), this.#read, { log: this.#log });
    } catch (error) {
      const { message, code } = toViasshError(error);
      this.#log.warning(`metrics are not served: ${message} (${code})`);
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
  }
}
