import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { type Connection, type ExitStatus, isViasshError, type SessionChannel } from '@viassh/core';

/** What a remote command said and how it ended. */
export interface Collected {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: ExitStatus;
}

/** Reads a session to its end. */
export async function collect(channel: SessionChannel): Promise<Collected> {
  const [stdout, stderr, exit] = await Promise.all([textOf(channel), textOf(channel.stderr), channel.exit]);
  return { stdout, stderr, exit };
}

/** All of a stream as UTF-8. */
export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!stream.readableEnded) await once(stream, 'end');
  return Buffer.concat(chunks).toString('utf8');
}

/** Length and sha256 of all that a stream gives. */
export async function digestOf(stream: Readable): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  await once(stream, 'end');
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads until `text` has come. The rest stays in the stream. */
export async function readUntil(stream: Readable, text: string): Promise<string> {
  let seen = '';
  while (!seen.includes(text)) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) seen += chunk.toString('utf8');
    else if (stream.readableEnded || stream.destroyed) throw new Error(`the stream ended before '${text}': '${seen}'`);
    else await Promise.race([once(stream, 'readable'), once(stream, 'end'), once(stream, 'close')]);
  }
  return seen;
}

/** Resolves when the stream has emitted `close`, with the error that it emitted before, if any. */
export function closeOf(stream: Readable | Writable): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    stream.once('error', (error) => (failure = error));
    if (stream.closed) resolve(failure);
    else stream.once('close', () => resolve(failure));
  });
}

/** The code of the ViasshError with which a promise rejects; words when it does otherwise. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error at all';
  } catch (error) {
    return isViasshError(error) ? error.code : `not an error of ours: ${String(error)}`;
  }
}

/** The ViasshError with which a promise rejects. @throws Error when it does otherwise. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string | undefined }> {
  try {
    await promise;
  } catch (error) {
    if (isViasshError(error)) return { code: error.code, message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('no error at all');
}

/** Tries everything that the connection says it can open; gives the codes of the errors, one of each. */
export async function codesOfOpening(connection: Connection, signal?: AbortSignal): Promise<string[]> {
  const { capabilities } = connection;
  const codes = [await codeOf(connection.openSession({ kind: 'exec', command: 'true', signal }))];
  if (capabilities.has('direct-tcpip'))
    codes.push(await codeOf(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }, { signal })));
  if (capabilities.has('direct-streamlocal'))
    codes.push(await codeOf(connection.openDirectStreamlocal('/nowhere', { signal })));
  return [...new Set(codes)];
}
