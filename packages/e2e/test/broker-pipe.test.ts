import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { brokerCaller } from './broker-caller.ts';

onBothTransports(
  'a raw endpoint: a session waits for each client, also for the first; what a program without ssh says and hears is whole',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { sshd, runtime, configure, up, logins } = await brokerCaller(stack, transport);
    const sessions = async (): Promise<number> => (await sshd.log()).match(/session_new:/g)?.length ?? 0;
    await configure({ raw: 'plugin: pipe, listen: unix:raw.sock, command: cat; echo end, lazy: false' });
    await up();
    const place = join(runtime, 'raw.sock');
    await waitUntil('the raw endpoint', () => existsSync(place));
    for (const [index, input] of ['one', 'x'.repeat(1_000_000), ''].entries()) {
      await waitUntil('a session to be ready', async () => (await sessions()) === index + 1, { withinMs: 20_000 });
      const client = connect({ path: place, allowHalfOpen: true });
      client.end(input);
      const heard = await text(client);
      t.ok(heard === `${input}end\n`, `${heard.length} bytes`);
    }
    t.equal(await logins(), 1);
  },
);
