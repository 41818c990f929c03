/**
 * Runs a database client against a database that only a bastion can reach: the forward lives as long as the client.
 *
 *     node database-through-a-bastion.ts [-F SSH_CONFIG] [--transport openssh|ssh2] DEST HOST:PORT [PROGRAM ARGS…]
 *
 * PROGRAM (default: psql) finds the near end of the forward in PGHOST and PGPORT. A client inside of this program takes
 * `host` and `port` of the same address: `new pg.Client({ host, port, … })`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { connect, forwardLocal, isViasshError, type LibraryOptions } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string', short: 'F' }, transport: { type: 'string' } },
});
const [destination, database = '', program = 'psql', ...args] = positionals;
const [, host, port] = /^(.+):(\d+)$/.exec(database) ?? [];

try {
  if (destination === undefined || host === undefined)
    throw new Error('usage: database-through-a-bastion.ts [-F SSH_CONFIG] DEST HOST:PORT [PROGRAM ARGS…]');
  await using connection = await connect(destination, {
    configFile: values.config,
    transport: values.transport as LibraryOptions['transport'],
  });
  await using forward = await forwardLocal(connection, {
    listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, // one that is free
    to: { kind: 'tcp', host, port: Number(port) }, // the bastion resolves the name
  });
  const { address } = forward;
  if (address.kind !== 'tcp') throw new Error('a forward of this kind listens on a port');
  const client = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, PGHOST: address.host, PGPORT: String(address.port) },
  });
  const [code] = (await once(client, 'exit')) as [number | null];
  const { accepted, sent, received } = forward.counters;
  console.error(`${accepted} connections; ${sent} bytes there, ${received} bytes back`);
  process.exitCode = code ?? 1;
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}
