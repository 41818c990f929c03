import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import process from 'node:process';
import t from 'tap';

/**
 * Prints how many of 60 clients, which another process makes, were let in with 96 descriptors, what was said, and whether the
 * next one gets in once they have gone.
 */
const crowd = `
import { listen } from '@viassh/core';
const said = [];
const clients = new Set();
let came = 0;
const listener = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, (client) => {
  came += 1;
  clients.add(client);
  client.on('close', () => clients.delete(client)).resume().on('end', () => client.end());
}, { onTurnedAway: ({ code, message, hint }, again) => said.push({ code, message, hint, again }) });
const { connect } = await import('node:net');
const program = \`
import { connect } from 'node:net';
const dial = () => new Promise((resolve) => {
  const client = connect(Number(process.argv[1]), '127.0.0.1').on('error', () => undefined).resume();
  client.once('connect', () => setImmediate(resolve, client));
});
const all = [];
for (let index = 0; index < 60; index += 1) all.push(await dial());
process.send('there');
process.once('message', () => process.exit());
\`;
const { spawn } = await import('node:child_process');
const others = spawn(process.execPath, ['--input-type=module', '-e', program, String(listener.nearEnd.port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
const { once } = await import('node:events');
await once(others, 'message');
while (came + said.length < 60) await new Promise((resolve) => setImmediate(resolve));
const crowded = { letIn: came, said: said.length };
others.send('go');
await once(others, 'exit');
while (clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
const late = connect(listener.nearEnd.port, '127.0.0.1');
while (came === crowded.letIn) await new Promise((resolve) => setImmediate(resolve));
late.destroy();
await listener.close();
process.stdout.write(JSON.stringify({ ...crowded, first: said[0], again: said.filter(({ again }) => again).length }));
`;

t.test(
  'clients for whom there is no descriptor are turned away with a word, and the next ones get in again',
  { skip: existsSync('/proc/self/limits') ? false : 'limits are read on Linux only' },
  async (t) => {
    const { stdout } = await promisify(execFile)(
      '/bin/sh',
      [
        '-c',
        'ulimit -n 96 && exec "$0" --conditions=@viassh/source --input-type=module -e "$1"',
        process.execPath,
        crowd,
      ],
      { cwd: import.meta.dirname },
    );
    const { letIn, said, first, again } = JSON.parse(stdout) as Record<'letIn' | 'said' | 'again', number> & {
      first: unknown;
    };
    t.ok(letIn >= 10 && letIn < 60, `${letIn} were let in`);
    t.equal(letIn + said, 60, 'no client was dropped in silence');
    t.equal(again, said - 1, 'the first of them is told apart');
    t.match(first, { code: 'TOO_MANY_CLIENTS', message: /96 descriptors/, hint: /ulimit -n/, again: false });
  },
);
