import {
  type Connection,
  createLogger,
  insecureAcceptAnyHostKey,
  type NetworkChange,
  silentLogger,
  supervise,
  type SuperviseOptions,
  type Supervisor,
  type ViasshError,
} from '@viassh/core';
import {
  createFakeClock,
  createMemoryTransport,
  type FakeClock,
  memoryRoute,
  type MemoryServer,
  waitUntil,
} from '@viassh/testing';
import type { Test } from 'tap';

/** A supervisor on the memory transport: each attempt meets a server of its own, and time is the test's. */
export interface Supervised {
  readonly supervisor: Supervisor;
  readonly clock: FakeClock;
  /** Each state since the beginning: `connecting 1`, `up`, `waiting 1 500 CONNECTION_LOST`, `stopped CODE`, `idle`. */
  readonly states: readonly string[];
  readonly log: readonly string[];
  readonly connections: readonly Connection[];
  /** What the next attempts meet instead of a server. `hang`: nothing, until it is given up. */
  readonly ahead: (ViasshError | 'hang')[];
  /** No ping is answered any more, on any connection. */
  silent: boolean;
  /** How often was pinged. */
  readonly pings: number;
  /** How many attempts were made, and how many were given up. */
  readonly attempts: number;
  readonly givenUp: number;
  /** The server of the newest connection dies, and what it has set off has settled. */
  cut(): Promise<void>;
  /** The network of this machine changes. */
  network(change: Partial<NetworkChange>): Promise<void>;
  reached(state: string): Promise<void>;
}

/** Jitter is half of what it may be, unless `random` says otherwise. */
export function supervised(
  t: Test,
  options: Partial<SuperviseOptions> = {},
  ahead: (ViasshError | 'hang')[] = [],
): Supervised {
  const clock = createFakeClock();
  const states: string[] = [];
  const log: string[] = [];
  const connections: Connection[] = [];
  const servers: MemoryServer[] = [];
  let [attempts, givenUp, pings] = [0, 0, 0];
  let changed: ((change: NetworkChange) => void) | undefined;

  async function connect(signal: AbortSignal): Promise<Connection> {
    attempts += 1;
    signal.addEventListener('abort', () => (givenUp += 1));
    const next = ahead.shift();
    if (next === 'hang')
      return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
    if (next !== undefined) throw next;
    const transport = createMemoryTransport();
    const connection = await transport.connect(memoryRoute(), {
      signal,
      verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
      log: silentLogger,
    });
    const ping = connection.ping.bind(connection);
    connection.ping = async (pingOptions) => {
      pings += 1;
      return bench.silent ? await new Promise(() => undefined) : await ping(pingOptions);
    };
    servers.push(transport.server);
    connections.push(connection);
    return connection;
  }

  const supervisor = supervise(connect, {
    log: createLogger('info', (_, line) => log.push(line)),
    clock,
    random: () => 0.5,
    watchNetwork: (listener) => {
      changed = listener;
      return { [Symbol.dispose]: () => (changed = undefined) };
    },
    ...options,
  });
  note();
  supervisor.onState(note);
  t.teardown(() => supervisor.close());
  const bench: Supervised = {
    supervisor,
    clock,
    states,
    log,
    connections,
    ahead,
    silent: false,
    get pings() {
      return pings;
    },
    get attempts() {
      return attempts;
    },
    get givenUp() {
      return givenUp;
    },
    async cut() {
      servers.at(-1)?.cut();
      await clock.advance(0);
    },
    async network(change) {
      changed?.({ gone: [], come: [], ...change });
      await clock.advance(0);
    },
    reached: async (state) => void (await waitUntil(`state ${state}`, () => states.at(-1) === state)),
  };
  return bench;

  function note(): void {
    const { state } = supervisor;
    const words = {
      idle: () => [],
      connecting: () => ['attempt' in state && state.attempt],
      up: () => [],
      waiting: () =>
        state.kind === 'waiting' ? [state.attempt, Math.round(state.until - state.since), state.error.code] : [],
      stopped: () => (state.kind === 'stopped' && state.error !== undefined ? [state.error.code] : []),
    };
    states.push([state.kind, ...words[state.kind]()].join(' '));
  }
}
