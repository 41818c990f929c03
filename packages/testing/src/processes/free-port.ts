import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const FIRST = 10_000;

/**
 * A TCP port of 127.0.0.1 that is free now. It is none of those that the system gives to outgoing connections: a test that
 * opens thousands of them takes it away from nobody.
 *
 * @throws Error when twenty in a row were taken
 */
export async function freePort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768');
  const end = Math.max(Number.parseInt(range, 10), FIRST + 1000);
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (end - FIRST));
    if (await isFree(port)) return port;
  }
  throw new Error('twenty ports in a row were taken');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const taken = new Promise<false>((resolve) => server.once('error', () => resolve(false)));
  const free = once(server.listen(port), 'listening').then(
    () => true,
    () => false,
  ); // every address, of both families
  if (!(await Promise.race([taken, free]))) return false;
  server.close();
  await once(server, 'close');
  return true;
}
