import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { imapPlugin } from '@viassh/plugin-imap';
import { makePuppet, runImap } from './run-imap.ts';

const ok = { kind: 'status', code: 0 };

/** A server of this machine; each client is given to `serve`. */
async function serveTcp(serve: (client: Socket) => void): Promise<AsyncDisposable & { readonly to: string }> {
  const clients = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.on('error', () => undefined).once('close', () => clients.delete(client));
    serve(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    to: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

t.test('--to takes any greeting that is no refusal, and its bytes pass unchanged', async (t) => {
  for (const [protocol, greeting] of [
    ['imap', '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n'],
    ['imap', '* PREAUTH hi\r\n'],
    ['pop3', '+OK <1@x>\r\n'],
    ['sieve', '"IMPLEMENTATION" "x"\r\nOK "ready"\r\n'],
  ] as const) {
    const received = new PassThrough();
    await using server = await serveTcp((client) => {
      client.write(greeting);
      client.pipe(received);
      client.once('end', () => client.end('bye\r\n'));
    });
    const { exit, error, stdout } = await runImap({ protocol, to: server.to }, { input: 'LOGOUT\r\n' });
    t.strictSame(exit, ok, error?.message ?? '');
    t.equal(stdout, `${greeting}bye\r\n`);
    t.equal(String(received.read()), 'LOGOUT\r\n', 'nothing is added for the server');
  }
});

t.test('--to: a server that closes ends the run while the input is still open', async (t) => {
  await using server = await serveTcp((client) => {
    client.end('* OK hi\r\n* BYE so long\r\n');
  });
  const { exit, stdout } = await runImap({ to: server.to }, { input: new PassThrough() });
  t.strictSame(exit, ok);
  t.equal(stdout, '* OK hi\r\n* BYE so long\r\n');
});

t.test(
  '--to: refusals, noise, silence and an end are told, and nothing of them reaches the mail program',
  async (t) => {
    for (const [protocol, said, code, message] of [
      ['imap', '* BYE too many of you\r\n', 'IMAP_BYE', /too many of you/],
      ['imap', '+OK pop\r\n', 'IMAP_NOISE', /no IMAP greeting: "\+OK pop"/],
      ['pop3', '-ERR [SYS/TEMP] later\r\n', 'IMAP_BYE', /POP3 server at 127.*: later/],
      ['pop3', '220 mail ESMTP\r\n', 'IMAP_NOISE', /no POP3 greeting/],
      ['sieve', 'BYE (TRYLATER) "busy"\r\n', 'IMAP_BYE', /ManageSieve.*: busy/],
      ['imap', '', 'IMAP_NO_GREETING', /closed the connection/],
    ] as const) {
      await using server = await serveTcp((client) => void client.end(said));
      const { error, stdout } = await runImap({ protocol, to: server.to });
      t.match(error, { code, message });
      t.equal(stdout, '');
    }
    await using silent = await serveTcp(() => undefined);
    t.match(await runImap({ to: silent.to, greetingTimeout: 0.05 }), {
      error: { code: 'IMAP_GREETING_TIMEOUT', hint: /TLS/ },
      stdout: '',
    });
  },
);

t.test('POP3 of a command that greets is served as it is', async (t) => {
  const { exit, stdout } = await runImap(
    { protocol: 'pop3', command: `printf '+OK hi\\r\\n'; read -r line; printf '+OK %s\\r\\n' "\${line%?}"` },
    { input: 'QUIT\r\n' },
  );
  t.strictSame(exit, ok);
  t.equal(stdout, '+OK hi\r\n+OK QUIT\r\n', 'the first it hears is the client');
});

for (const [protocol, opening, greeting] of [
  ['pop3', 'NOOP\r\n', '+OK\r\n'],
  ['sieve', 'CAPABILITY\r\n', '"SIEVE" "fileinto"\r\nOK "Capability completed."\r\n'],
] as const) {
  for (const command of [undefined, 'exec  /usr/lib/dovecot/pop3 -c x', `'/opt/dovecot/managesieve'`]) {
    t.test(
      `Dovecot's ${protocol} is made to greet, once and before all else: ${command ?? 'looked for'}`,
      async (t) => {
        const puppet = makePuppet();
        const run = runImap({ protocol, command }, { transport: puppet.transport, input: 'LOGOUT\r\n' });
        await puppet.started;
        t.equal(String(await once(puppet.received, 'data')), opening);
        puppet.output.write(greeting);
        t.equal(String(await once(puppet.received, 'data')), 'LOGOUT\r\n');
        puppet.output.write('OK\r\n');
        puppet.end({ kind: 'status', code: 0 });
        t.match(await run, { exit: ok, stdout: `${greeting}OK\r\n` });
      },
    );
  }
}

t.test('another server is not: the answer would be one too many', async (t) => {
  for (const command of ['popserver', '/usr/lib/dovecot/libexec/popserver', 'imapd-dovecot/pop3x/y']) {
    const puppet = makePuppet();
    const run = runImap({ protocol: 'pop3', command, greetingTimeout: 0.05 }, { transport: puppet.transport });
    t.match(await run, {
      error: { code: 'IMAP_GREETING_TIMEOUT', hint: /greets only when it is asked.*dovecot\/pop3/ },
    });
    t.equal(puppet.received.readableLength, 0);
  }
});

t.test('what does not go together is refused before anything is dialled', async (t) => {
  const refused = (raw: Record<string, unknown>, message: RegExp, words: readonly string[] = []): void =>
    void t.throws(() => imapPlugin.prepare(raw, words), { code: 'OPTION_INVALID', message });
  refused({ to: '143', command: 'imapd' }, /named twice/);
  refused({ to: '143' }, /named twice/, ['imapd']);
  refused({ to: 'mail.example' }, /no host and port/);
  refused({ to: '0' }, /no host and port/);
  refused({ protocol: 'nntp' }, /imap, pop3, sieve, not 'nntp'/);
  refused({ protocol: 'toString' }, /imap, pop3, sieve/);
  refused({ listen: 'here' }, /no place to listen/);
  refused({ listen: 'tcp:0', orLocal: true }, /--or-local does not go with --listen/);
  refused({ to: '143', orLocal: true }, /--or-local does not go with --to/);
});

t.test('what is needed and how long it lives follow from the options', async (t) => {
  t.match(imapPlugin.prepare({ to: '143' }, []), { needs: ['direct-tcpip'], lifetime: 'one-shot', keepalive: true });
  t.match(imapPlugin.prepare({ listen: 'tcp:0' }, []), { needs: ['exec'], lifetime: 'resident', keepalive: true });
});
