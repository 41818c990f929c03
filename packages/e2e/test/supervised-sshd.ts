import {
  type Connection,
  createLogger,
  supervise,
  type SuperviseOptions,
  type Supervisor,
  type SupervisorState,
} from '@viassh/core';
import { type FaultyRelay, type Sshd, type SshdOptions, startFaultyRelay, startSshd, waitUntil } from '@viassh/testing';
import { connect } from 'viassh';
import { restartSshd } from './restart-sshd.ts';
import type { transports } from './run-viassh.ts';

/** A supervised connection to a real sshd behind a wire that can be bad. */
export interface SupervisedSshd extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly relay: FaultyRelay;
  readonly supervisor: Supervisor;
  readonly states: readonly SupervisorState[];
  readonly log: readonly string[];
  /** From now on this port of 127.0.0.1 is dialled, and not the relay. */
  dial(port: number): void;
  /** Starts the server that was killed again: the same port, the keys that are in its files now. */
  restart(): Promise<void>;
  /** The connection that comes up after this one, once a command ran on it; and the milliseconds that took. */
  back(after: Connection): Promise<{ readonly connection: Connection; readonly ms: number }>;
}

/** Starts all of it; the supervisor waits a tenth of a second and more between attempts. */
export async function startSupervised(
  transport: (typeof transports)[number],
  {
    server = {},
    options = [],
    ...more
  }: Partial<SuperviseOptions> & { readonly server?: SshdOptions; readonly options?: readonly string[] } = {},
): Promise<SupervisedSshd> {
  await using undo = new AsyncDisposableStack();
  const sshd = undo.use(await startSshd({ mode: 'listen', ...server }));
  const relay = undo.use(await startFaultyRelay({ to: sshd.port }));
  const log: string[] = [];
  let port = relay.port;
  const supervisor = undo.use(
    supervise(
      async (signal) =>
        await connect(sshd.destination, { configFile: sshd.configFile, transport, port, options, signal }),
      {
        log: createLogger('info', (_, line) => log.push(line)),
        keepTrying: true,
        backoff: { baseMs: 100, capMs: 1000, penaltyMs: 200 },
        ...more,
      },
    ),
  );
  const states: SupervisorState[] = [supervisor.state];
  supervisor.onState((state) => states.push(state));
  const owned = undo.move();
  return {
    sshd,
    relay,
    supervisor,
    states,
    log,
    dial(next) {
      port = next;
    },
    restart: () => restartSshd(sshd),
    async back(after) {
      const began = performance.now();
      const connection = await waitUntil(
        'another connection',
        async () => {
          const now = await supervisor.current();
          return now !== after && now;
        },
        { withinMs: 30_000, everyMs: 1 },
      );
      const session = await connection.openSession({ kind: 'exec', command: 'true' });
      session.resume();
      session.stderr.resume();
      await session.exit;
      return { connection, ms: performance.now() - began };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
