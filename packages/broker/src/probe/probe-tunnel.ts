import type { Duplex } from 'node:stream';
import { type Clock, describeExit, type ExitStatus, sanitize, toViasshError, ViasshError } from '@viassh/core';
import type { ProbeConfig } from '../config/broker-config.ts';
import { LineReader } from './line-reader.ts';

/** The two ends of a tunnel, for a probe. */
export interface ProbeEnds {
  /** Becomes a client of the tunnel. What it gives is ended by the probe. */
  dial(signal: AbortSignal): Promise<Duplex>;
  /** Runs a command on the far end, over the tunnel's connection. */
  exec(command: string, signal: AbortSignal): Promise<ExitStatus>;
}

/** How a probe ended. */
export interface ProbeResult {
  readonly ok: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** One line: the banner, the status, or what is wrong. */
  readonly said: string;
}

/** Tries a tunnel from end to end, once. Never rejects; an abort is a result, too. */
export async function probeTunnel(
  probe: ProbeConfig,
  ends: ProbeEnds,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<ProbeResult> {
  const limit = new AbortController();
  const late = new ViasshError('CONNECT_TIMEOUT', `no answer within ${probe.timeout} seconds`);
  const timer = clock.setTimeout(() => limit.abort(late), probe.timeout * 1000);
  timer.unref();
  const either = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  try {
    const said = await untilAborted(
      probe.kind === 'command' ? run(probe, ends, either) : talk(probe.kind, ends, either),
      either,
    );
    return { ok: true, at: clock.wall(), said: sanitize(said) };
  } catch (error) {
    return { ok: false, at: clock.wall(), said: toViasshError(error, 'CONNECTION_LOST').message };
  } finally {
    clock.clearTimeout(timer);
    limit.abort();
  }
}

async function run(probe: ProbeConfig, ends: ProbeEnds, signal: AbortSignal): Promise<string> {
  const exit = await ends.exec(probe.command ?? 'true', signal);
  if (exit.kind === 'status' && exit.code === 0) return 'status 0';
  throw wrong(`the command ended: ${describeExit(exit)}`);
}

async function talk(kind: 'banner' | 'http' | 'imap', ends: ProbeEnds, signal: AbortSignal): Promise<string> {
  const stream = await ends.dial(signal);
  const drop = (): void => void stream.destroy();
  stream.on('error', () => undefined); // it is read from: the reader tells
  signal.addEventListener('abort', drop);
  try {
    if (signal.aborted) throw toViasshError(signal.reason);
    return await dialogues[kind](stream, new LineReader(stream));
  } finally {
    signal.removeEventListener('abort', drop);
    drop();
  }
}

const dialogues = { banner: readBanner, http: askHttp, imap: askImap } as const;

async function readBanner(_stream: Duplex, lines: LineReader): Promise<string> {
  const { text } = await lines.some();
  return text === '' ? 'bytes came' : text;
}

async function askHttp(stream: Duplex, lines: LineReader): Promise<string> {
  stream.write('GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: viassh\r\nAccept: */*\r\nConnection: close\r\n\r\n');
  const line = await lines.line();
  const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(line)?.[1]);
  if (Number.isNaN(status)) throw wrong(`this is no HTTP: ${line}`);
  if (status >= 500) throw wrong(line);
  return line;
}

/** RFC 9051 §6.1.2, §7.1; also before a login. */
async function askImap(stream: Duplex, lines: LineReader): Promise<string> {
  const greeting = await lines.line();
  if (!/^\* (?:OK|PREAUTH)\b/i.test(greeting)) throw wrong(`this is no greeting of IMAP: ${greeting}`);
  stream.write('p1 NOOP\r\n');
  const answer = await lines.lineThat((line) => line.startsWith('p1 '));
  if (!/^p1 OK\b/i.test(answer)) throw wrong(answer);
  stream.write('p2 LOGOUT\r\n');
  stream.end();
  await lines.lineThat((line) => line.startsWith('p2 ')).catch(() => undefined); // it did answer
  return greeting;
}

function wrong(said: string): ViasshError {
  return new ViasshError('CONNECTION_LOST', said);
}

/** What is not done by then is left to end by itself: its stream is destroyed. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(toViasshError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
