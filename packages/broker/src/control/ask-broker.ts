import { lstat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { abortedError, type ErrorCode, errorCodes, ViasshError } from '@viassh/core';
import { ownUser } from './own-user.ts';
import { parseFields } from './parse-request.ts';
import { broken, readLine } from './read-line.ts';
import { type ControlAnswer, type ControlRequest, controlVersion } from './requests.ts';
import { checkRuntimeFolder, unsafe } from './runtime-folder.ts';

type WithoutVersion<T> = T extends unknown ? Omit<T, 'version'> : never;

/** A {@link ControlRequest}; its version is ours. */
export type Question = WithoutVersion<ControlRequest>;

/** How to ask. */
export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the answer. Default: a minute. */
  readonly withinMs?: number | undefined;
}

const LONGEST_ANSWER = 16 * 1024 * 1024;
const PATIENCE = 60_000;

/**
 * Asks the broker, and takes its answer.
 *
 * @throws ViasshError BROKER_ABSENT, FOLDER_UNSAFE, BROKER_PROTOCOL, ABORTED
 */
export async function askBroker(
  socketPath: string,
  question: Question,
  options: AskOptions = {},
): Promise<ControlAnswer> {
  const { answer, socket } = await openControl(socketPath, question, options);
  socket.destroy();
  return answer;
}

/** The lines of a log, oldest first; with `follow` until the broker or the signal ends. @throws as {@link askBroker}, and the broker's own failure */
export async function* followLogs(
  socketPath: string,
  { name, follow = false, signal }: { name?: string | undefined; follow?: boolean; signal?: AbortSignal | undefined },
): AsyncGenerator<string, void, undefined> {
  const { answer, socket } = await openControl(socketPath, { ask: 'logs', name, follow }, { signal });
  const drop = (): void => void socket.destroy();
  signal?.addEventListener('abort', drop, { once: true });
  try {
    if (!answer.ok) throw failureOf(answer);
    let rest = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    signal?.removeEventListener('abort', drop);
    socket.destroy();
  }
}

/** The broker's own failure, as an error of ours. */
export function failureOf({ code, message, hint }: Extract<ControlAnswer, { ok: false }>): ViasshError {
  return new ViasshError(code in errorCodes ? (code as ErrorCode) : 'INTERNAL', message, { hint });
}

/**
 * Asks, and gives the socket as well: what comes behind the answer is still to be read from it. It is the caller's to
 * destroy, and its errors are handled.
 *
 * @throws as {@link askBroker}
 */
export async function openControl(
  socketPath: string,
  question: Question,
  { signal, withinMs = PATIENCE }: AskOptions = {},
): Promise<{ readonly answer: ControlAnswer; readonly socket: Socket }> {
  await checkSocket(socketPath);
  const socket = await dial(socketPath, signal);
  try {
    socket.write(`${JSON.stringify({ version: controlVersion, ...question })}\n`);
    const answer = parseAnswer(await readLine(socket, { most: LONGEST_ANSWER, withinMs, signal }));
    return { answer, socket };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Where no broker is, that is one look. A socket that is not ours is nobody to tell anything. */
async function checkSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((cause: unknown) => absent(cause));
  if (found instanceof Error) throw found;
  const own = await ownUser();
  if (!found.isSocket()) throw unsafe(`${path} is no socket`);
  if (found.uid !== own) throw unsafe(`${path} belongs to another user (uid ${found.uid})`);
  await checkRuntimeFolder(dirname(path));
}

function dial(path: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const stop = (): void => {
      socket.destroy();
      reject(abortedError(signal?.reason));
    };
    socket
      .once('connect', () => {
        signal?.removeEventListener('abort', stop);
        resolve(socket);
      })
      .on('error', (cause) => reject(absent(cause)));
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

function absent(cause: unknown): ViasshError {
  return new ViasshError('BROKER_ABSENT', 'no broker runs', {
    hint: 'start one with viassh up; VIASSH_RUNTIME_DIR must be the same for both',
    cause,
  });
}

function parseAnswer(line: string): ControlAnswer {
  const fields = parseFields(line);
  if (fields['ok'] === true) return fields as unknown as ControlAnswer;
  if (fields['ok'] === false && typeof fields['code'] === 'string' && typeof fields['message'] === 'string')
    return fields as unknown as ControlAnswer;
  throw broken('the answer is none of a broker');
}
