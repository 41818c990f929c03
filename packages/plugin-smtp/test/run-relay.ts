import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { Test } from 'tap';
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
import { smtpPlugin } from '@viassh/plugin-smtp';
import { createMemoryTransport, memoryRoute, type MemoryTransport } from '@viassh/testing';

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
  readonly transport?: MemoryTransport;
  readonly signal?: AbortSignal;
  readonly words?: readonly string[];
  /** Called with all of stdout so far. */
  readonly onOutput?: (text: string) => void;
}

/** Runs `smtp` with these options over the memory transport, whose far end is this machine. */
export async function runSmtp(raw: Readonly<Record<string, unknown>>, around: Surroundings = {}): Promise<Run> {
  const { input = '', signal = new AbortController().signal, transport = createMemoryTransport(), words = [] } = around;
  const log: string[] = [];
  let stdout = '';
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stdout += chunk.toString('latin1');
      around.onOutput?.(stdout);
      done();
    },
  });
  try {
    const exit = await runPlugin(smtpPlugin.prepare(raw, words), await connect(transport), {
      stdio: {
        input: typeof input === 'string' ? Readable.from(input === '' ? [] : [Buffer.from(input)]) : input,
        output,
        error: new PassThrough(),
      },
      signal,
      json: false,
      ready: () => undefined,
      log: createLogger('debug', (level, message) => log.push(`${level}: ${message}`)),
      programs: undefined as unknown as ProgramRunner,
    });
    return { exit, stdout, log };
  } catch (error) {
    if (!isViasshError(error)) throw error;
    return { error, stdout, log };
  }
}

/** A connection to the memory transport's server. */
export function connect(transport: MemoryTransport = createMemoryTransport()): Promise<Connection> {
  return transport.connect(memoryRoute(), { verifyHostKey: insecureAcceptAnyHostKey(silentLogger), log: silentLogger });
}

/** A TCP server of this test alone; gives its port. */
export async function serve(t: Test, onClient: (client: Socket) => void): Promise<number> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client.on('error', () => undefined));
    onClient(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
