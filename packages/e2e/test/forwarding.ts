import { once } from 'node:events';
import { connect, type ListenOptions, type Server, createServer, type Socket } from 'node:net';
import { waitUntil } from '@viassh/testing';
import { overhear } from './overheard.ts';
import { at, type RunningViassh, startViassh, type StartOptions } from './run-viassh.ts';

/** Where something listens on this machine: what {@link connect} takes. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** A `viassh forward` of which everything stands. */
export interface RunningForward extends RunningViassh {
  /** Where each forward listens, in the order of its lines on stdout: of -L, -D, --http, -R. */
  readonly places: readonly Place[];
  /** All of stdout so far. */
  said(): string;
}

/**
 * Starts `viassh forward … ARGS…` and waits until `count` forwards stand.
 *
 * @throws Error with what it said when it ends before
 */
export async function startForward(
  sshd: Parameters<typeof at>[0],
  transport: string,
  args: readonly string[],
  options: StartOptions & { readonly count?: number } = {},
): Promise<RunningForward> {
  const { count = 1, ...start } = options;
  const running = startViassh(['forward', ...at(sshd, transport), ...args], { stdin: 'ignore', ...start });
  const stdout = overhear(running.stdout);
  let ended = false;
  void running.exit.then(() => (ended = true));
  const lines = (): string[] =>
    stdout
      .text()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('listening '));
  try {
    await waitUntil('the forwards to stand', () => ended || lines().length >= count, { withinMs: 20_000 });
    if (lines().length < count) throw new Error('it ended before');
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw new Error(`viassh forward ${args.join(' ')}: ${stdout.text()}${running.stderr()}`, { cause: error });
  }
  return { ...running, places: lines().map(placeOf), said: stdout.text };
}

/** @throws Error when the line names no place */
function placeOf(line: string): Place {
  const [, path, v6, host = '', port] = /(?:unix:(\S+)|tcp:(?:\[([^\]]*)\]|([^\s:]*)):(\d+))/.exec(line) ?? [];
  if (path !== undefined) return { path };
  if (port === undefined) throw new Error(`no place in '${line}'`);
  return { host: dialled(v6 ?? host), port: Number(port) };
}

function dialled(host: string): string {
  if (host === '*' || host === '0.0.0.0' || host === '') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** The place as a URL's host has it. @throws Error for a Unix socket */
export function portOf(place: Place | undefined): number {
  if (place === undefined || !('port' in place)) throw new Error('no port');
  return place.port;
}

/** A server of this process; it goes with the stack, and its connections with it. */
export async function serve(
  stack: AsyncDisposableStack,
  where: ListenOptions,
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
    onSocket(socket);
  });
  await once(server.listen({ backlog: 511, ...where }), 'listening');
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return server;
}

/** Answers once all has come, and its end: `name` and what came. */
export function answering(name: string): (socket: Socket) => void {
  return (socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => socket.end(`${name}: ${Buffer.concat(chunks).toString()}`));
  };
}

/** Says it, ends its half, and gives all that comes back. @throws Error when it cannot connect or is cut off */
export async function say(place: Place, text: string): Promise<string> {
  const socket = connect({ ...place, allowHalfOpen: true });
  socket.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Whether somebody listens there. */
export async function answers(place: Place): Promise<boolean> {
  const socket = connect(place);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
