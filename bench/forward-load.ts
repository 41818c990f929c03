/**
 * The clients of a race, in a process of their own: `forward-load.ts PORT VIA JOB CONNECTIONS REQUESTS` prints the
 * milliseconds that the job took, as JSON. VIA is `direct`, or the port that a SOCKS client asks for.
 */
import { connect, type Socket } from 'node:net';
import { argv } from 'node:process';
import { once } from 'node:events';

/** One keep-alive request, and its answer. */
export const request: Buffer = Buffer.from('GET /index.html HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n');
export const response: Buffer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`);

/** What a load prints: for `keep-alive`, `new` and `open` all of it, for `latency` two quantiles of one request. */
export interface LoadTimes {
  readonly ms: number;
  readonly p50: number;
  readonly p99: number;
}

if (import.meta.main) {
  const [port = 0, connections = 0, requests = 0] = [argv[2], argv[5], argv[6]].map(Number);
  const via = argv[3] === 'direct' ? undefined : Number(argv[3]);
  console.log(JSON.stringify(await load(port, via, argv[4] ?? '', connections, requests)));
  process.exit();
}

async function load(
  port: number,
  via: number | undefined,
  job: string,
  connections: number,
  requests: number,
): Promise<LoadTimes> {
  const took: number[] = [];
  const each = Math.ceil(requests / connections);
  const open = (): Promise<Socket> => dial(port, via);
  let before = performance.now();
  if (job === 'new') {
    const one = async (): Promise<void> => {
      for (let round = 0; round < each; round += 1) {
        const socket = await open();
        await ask(socket, 1, took);
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: connections }, one));
  } else {
    const sockets: Socket[] = [];
    while (sockets.length < connections) {
      const some = await Promise.all(Array.from({ length: Math.min(100, connections - sockets.length) }, open));
      sockets.push(...some);
      await Promise.all(some.map((socket) => ask(socket, 1, []))); // so that no listener has more than these to accept
    }
    if (job !== 'open') before = performance.now();
    await Promise.all(sockets.map((socket) => ask(socket, each, took)));
  }
  const ms = performance.now() - before;
  took.sort((a, b) => a - b);
  const quantile = (part: number): number => took[Math.floor((took.length - 1) * part)] ?? Number.NaN;
  return { ms, p50: quantile(0.5), p99: quantile(0.99) };
}

async function dial(port: number, via: number | undefined): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  if (via === undefined) return socket;
  socket.write(Buffer.from([5, 1, 0]));
  await once(socket, 'data');
  socket.write(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, via >> 8, via & 255]));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  if (reply[1] !== 0 || reply.length !== 10) throw new Error('SOCKS refuses');
  return socket;
}

/** So many requests, one after the other. */
function ask(socket: Socket, count: number, took: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    let came = 0;
    let since = performance.now();
    const onData = (chunk: Buffer): void => {
      came += chunk.length;
      if (came < response.length) return;
      came = 0;
      const now = performance.now();
      took.push(now - since);
      since = now;
      left -= 1;
      if (left > 0) socket.write(request);
      else {
        socket.off('data', onData).off('close', onClose).off('error', onClose);
        resolve();
      }
    };
    const onClose = (): void => reject(new Error('the connection was closed'));
    socket.on('data', onData).once('close', onClose).once('error', onClose);
    socket.write(request);
  });
}
