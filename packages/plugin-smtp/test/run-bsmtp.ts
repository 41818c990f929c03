import { PassThrough, Readable } from 'node:stream';
import {
  createLogger,
  insecureAcceptAnyHostKey,
  isViasshError,
  type LocalContext,
  type ProgramRunner,
  runPlugin,
  silentLogger,
  toViasshError,
  type ViasshError,
} from '@viassh/core';
import { smtpPlugin } from '@viassh/plugin-smtp';
import { createMemoryTransport, type FarSession, memoryRoute, type MemoryTransport } from '@viassh/testing';
import { type Script, ScriptedServer } from './scripted-server.ts';

/** How one run ended and what it said. */
export interface BsmtpOutcome {
  readonly code: number;
  readonly error?: ViasshError;
  readonly stdout: string;
  readonly log: readonly string[];
  /** One for each session that was opened. */
  readonly servers: readonly ScriptedServer[];
}

/** What is around one run. */
export interface BsmtpSurroundings {
  /** The server of each session in turn; the last one goes on. Default: one that takes everything. */
  readonly scripts?: readonly Script[];
  readonly raw?: Readonly<Record<string, unknown>>;
  readonly json?: boolean;
  readonly signal?: AbortSignal;
  readonly input?: Readable;
  /** Fails instead of connecting. */
  readonly unreachable?: ViasshError;
  /** Called with the transport before it connects. */
  readonly onTransport?: (transport: MemoryTransport) => void;
}

/** Runs `smtp --bsmtp` as the command line does, over the memory transport. */
export async function runBsmtp(batch: string | Buffer, around: BsmtpSurroundings = {}): Promise<BsmtpOutcome> {
  const { scripts = [{}], raw = {}, json = false, signal = new AbortController().signal } = around;
  const servers: ScriptedServer[] = [];
  const transport = createMemoryTransport({
    session: () => {
      const server = new ScriptedServer(scripts[Math.min(servers.length, scripts.length - 1)] ?? {});
      servers.push(server);
      return farSession(server);
    },
  });
  around.onTransport?.(transport);
  const log: string[] = [];
  const output = new PassThrough();
  const bytes = typeof batch === 'string' ? Buffer.from(batch, 'latin1') : batch;
  const context: LocalContext = {
    stdio: {
      input: around.input ?? Readable.from(bytes.length === 0 ? [] : [bytes]),
      output,
      error: new PassThrough(),
    },
    programs: undefined as unknown as ProgramRunner,
    signal,
    log: createLogger('debug', (level, message) => log.push(`${level}: ${message}`)),
    json,
    ready: () => undefined,
  };
  const said = (): string => (output.read() as Buffer | null)?.toString() ?? '';
  const prepared = smtpPlugin.prepare({ bsmtp: true, command: 'server', ...raw }, []);
  try {
    await prepared.runHere(context);
    if (around.unreachable !== undefined) throw around.unreachable;
    const connection = await transport.connect(memoryRoute(), {
      verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
      log: silentLogger,
    });
    const exit = await runPlugin(prepared, connection, context);
    if (exit.kind !== 'status') throw new Error(`ended by ${exit.kind}`);
    return { code: exit.code, stdout: said(), log, servers };
  } catch (thrown) {
    if (!isViasshError(thrown)) throw thrown;
    const error = toViasshError(thrown);
    await prepared.reportFailure(context, error);
    return { code: prepared.exitCodeOf(error) ?? 255, error, stdout: said(), log, servers };
  }
}

function farSession({ channel }: ScriptedServer): FarSession {
  const done = new Promise<void>((resolve) => channel.once('close', resolve).once('end', resolve));
  return {
    input: channel,
    output: channel,
    exit: done.then(() => ({ kind: 'status', code: 0 }) as const),
    done,
    signal: () => undefined,
    changeWindow: () => undefined,
    close: () => channel.destroy(),
  };
}
