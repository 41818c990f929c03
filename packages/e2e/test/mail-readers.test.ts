import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { onBothTransports, onTransport } from './both-transports.ts';
import { makeMailBench, readMbox, skipWithout } from './mail-bench.ts';

const each = [1, 1, 1, 1];

for (const program of ['mutt', 'neomutt'] as const) {
  onBothTransports(
    `${program} opens the inbox without a login and saves every mail, by the recipe`,
    async (t, transport) => {
      await using bench = await makeMailBench(transport);
      // As somebody has it who reads mail from elsewhere, too: TLS, and a tunnel that is none.
      await bench.write(`.${program}rc`, 'set ssl_force_tls=yes tunnel_is_secure=no\nset spoolfile=/nowhere # mine');
      await bench.apply(program);
      await bench.apply(program);
      const rc = await bench.read(`.${program}rc`);
      t.equal(rc.match(/^account-hook '\^imap/gm)?.length, 1, 'run twice: one tunnel');
      const quiet =
        'set mbox_type=mbox confirmcreate=no confirmappend=no copy=no beep=no sleep_time=0 quit=yes delete=no';
      const saved = join(bench.home, 'saved');
      const keys = `push "<tag-pattern>~A<enter><tag-prefix><copy-message>${saved}<enter><quit>"`;
      const { code, stdout } = await bench.onTerminal(`${program} -n -e '${quiet}' -e '${keys}'`);
      t.equal(code, 0, stdout.toString());
      t.strictSame(bench.count(await readMbox(saved)), each, stdout.toString());
    },
    await skipWithout(program),
  );

  onTransport(
    'ssh2',
    `${program} dials any other IMAP server as before: the recipe's tunnel leads to its own host alone`,
    async (t) => {
      await using bench = await makeMailBench('ssh2');
      await using other = await startImapServer();
      await bench.apply(program);
      const { stdout } = await bench.onTerminal(`${program} -n -f imap://127.0.0.1:${other.port}/ -e 'push "<quit>"'`);
      t.equal(other.connections(), 1, stdout.toString());
    },
    await skipWithout(program),
  );
}

onBothTransports(
  'alpine opens the inbox without a login and exports every mail, by the recipe',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    const keys = 'i,;,a,a,e,"saved",CR,q,y';
    const own = [
      'last-version-used=6.26',
      'feature-list=enable-aggregate-command-set',
      `initial-keystroke-list=${keys}`,
    ];
    await bench.write('.pinerc', [...own, 'ssh-path=/nowhere/ssh', 'ssh-command=%s no %s %s %s'].join('\n'));
    await bench.apply('alpine');
    await bench.apply('alpine');
    t.equal((await bench.read('.pinerc')).match(/^inbox-path=/gm)?.length, 1, 'run twice: one inbox');
    const { code, stdout } = await bench.onTerminal('alpine');
    t.equal(code, 0, stdout.toString());
    const saved = await bench.read('saved'); // without Message-Ids, as it shows no such line
    const found = bench.mailbox.messages.map((_, index) => saved.split(`This is message ${index + 1}.`).length - 1);
    t.strictSame(found, each, stdout.toString());
  },
  await skipWithout('alpine'),
);

/** Somebody else's IMAP server, which serves nobody. */
async function startImapServer(): Promise<AsyncDisposable & { readonly port: number; connections(): number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).end('* BYE not today\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
