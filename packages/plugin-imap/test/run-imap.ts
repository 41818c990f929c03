import { PassThrough, Readable, Writable } from 'node:stream';
import {
  type Connection,
  createLogger,
  type ExitStatus,
  insecureAcceptAnyHostKey,
  isViasshError,
  type ProgramRunner,
  runPlugin,
  silentLogger,
  type ViasshError,
} from '@viassh/core';
import { imapPlugin } from '@viassh/plugin-imap';
import { createMemoryTransport, type FarSession, memoryRoute, type MemoryTransport } from '@viassh/testing';

/** How one run of the plugin ended and what it left behind. */
export interface Run {
  readonly exit?: ExitStatus;
  readonly error?: ViasshError;
  readonly stdout: string;
  readonly log: readonly string[];
}

/** What is around one run. */
export interface Surroundings {
  readonly input?: Readable | string;
  readonly output?: Writable;
  readonly transport?: MemoryTransport;
  readonly signal?: AbortSignal;
  /** Called with each line of the log. */
  readonly onLog?: (line: string) => void;
}

/** Runs `imap` with these options over the memory transport, whose far end is /bin/sh here. */
export async function runImap(
  raw: Readonly<Record<string, unknown>>,
  around: Surroundings = {},
  words: readonly string[] = [],
): Promise<Run> {
  const { input = '', signal = new AbortController().signal, transport = createMemoryTransport() } = around;
  const chunks: Buffer[] = [];
  const log: string[] = [];
  const output = around.output ?? collect(chunks);
  const logger = createLogger('debug', (level, message) => {
    log.push(`${level}: ${message}`);
    around.onLog?.(message);
  });
  const ends = {
    input: typeof input === 'string' ? Readable.from(input === '' ? [] : [Buffer.from(input)]) : input,
    output,
    error: new PassThrough(),
  };
  const result = await connect(transport)
    .then((connection) =>
      runPlugin(imapPlugin.prepare(raw, words), connection, {
        stdio: ends,
        signal,
        json: false,
        ready: () => undefined,
        log: logger,
        programs: undefined as unknown as ProgramRunner,
      }),
    )
    .then((exit) => ({ exit }))
    .catch((error: unknown) => {
      if (isViasshError(error)) return { error };
      throw error;
    });
  return { ...result, stdout: Buffer.concat(chunks).toString(), log };
}

function collect(chunks: Buffer[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
}

/** A connection to the memory transport's server. */
export function connect(transport: MemoryTransport = createMemoryTransport()): Promise<Connection> {
  return transport.connect(memoryRoute(), { verifyHostKey: insecureAcceptAnyHostKey(silentLogger), log: silentLogger });
}

/** A far end under the hand of the test: what it writes, what it gets, when it ends. */
export interface Puppet {
  readonly transport: MemoryTransport;
  readonly output: PassThrough;
  readonly error: PassThrough;
  readonly received: PassThrough;
  /** The command runs. */
  readonly started: Promise<void>;
  /** We closed the channel. */
  readonly closed: Promise<void>;
  end(exit: ExitStatus): void;
}

/** A memory transport with a {@link Puppet} behind it. */
export function makePuppet(): Puppet {
  const [output, received, error] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const started = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const exit = Promise.withResolvers<ExitStatus>();
  const end = (status: ExitStatus): void => {
    output.end();
    error.end();
    exit.resolve(status);
  };
  const session: FarSession = {
    input: received,
    output,
    error,
    exit: exit.promise,
    done: exit.promise,
    signal: () => undefined,
    changeWindow: () => undefined,
    close: () => {
      closed.resolve();
      end({ kind: 'missing' });
    },
  };
  const transport = createMemoryTransport({
    session: () => {
      started.resolve();
      return session;
    },
  });
  return { transport, output, error, received, started: started.promise, closed: closed.promise, end };
}
