import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { type MailServer, missingForExim, startExim, startSshd } from '@viassh/testing';
import type { Test } from 'tap';
import { connect as connectTo } from 'viassh';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { addAccount, sshdConfigOf } from './recipes-and-accounts.ts';
import { runProgram } from './run-program.ts';
import { at, type Outcome, startViassh, viassh } from './run-viassh.ts';

const skip = skipWithoutSshd || ((await missingForExim()) ?? false);

/** Commands of a client that waits for each answer, as a shell script that is given the filter. */
const client = `
  mkfifo "$TMPDIR/answers" && exec 3<>"$TMPDIR/answers"
  said() { line=; while :; do case $line in [0-9][0-9][0-9]' '*) break;; esac; read -r line <&3 || break; done; printf '%s\\n' "$line" >&2; }
  { said; printf 'EHLO near.example\\r\\n'; said; printf 'QUIT\\r\\n'; said; } | "$@" >"$TMPDIR/answers"`; // opened anew: Node makes what it writes to non-blocking

/** In place of `sendmail -bs`: ends when the server has hung up. */
function before({ port }: MailServer): string {
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&0 >&3 & cat <&3; kill $! 2>/dev/null; exit 0'`;
}

async function talk(t: Test, args: readonly string[]): Promise<Outcome> {
  return await viassh(['smtp', ...args], { shell: client, env: { TMPDIR: t.testdir() }, stdin: 'ignore' });
}

/** A socket before the port of a server. */
async function listenBefore(exim: MailServer, path: string): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(exim.port, '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  await once(server.listen(path), 'listening');
  await chmod(path, 0o666);
  return server;
}

onBothTransports(
  'smtp: a whole dialogue through a port, a Unix socket and a command of the far end',
  async (t, transport) => {
    await using sshd = await startSshd();
    await using exim = await startExim();
    const path = join(sshd.folder, 'smtp');
    const server = await listenBefore(exim, path);
    const command = before(exim);
    for (const [name, farEnd] of [
      ['port', ['--to', `127.0.0.1:${exim.port}`]],
      ['socket', ['--unix', path]],
      ['command', ['--command', command]],
      ['words', ['--', command]],
    ] as const) {
      const { code, stderr } = await talk(t, [...at(sshd, transport), ...farEnd]);
      t.equal(code, 0, `${name}: ${stderr}`);
      t.match(stderr, /^220 \S+ ESMTP Exim[^\n]*\n250 [^\n]*\n221 /, name);
      t.notMatch(stderr, /viassh:/, name);
    }
    const looked = await viassh(['smtp', ...at(sshd, transport), '--to', `127.0.0.1:${exim.port}`]);
    t.equal(looked.code, 0, looked.stderr);
    t.match(looked.stdout.toString(), /^220 /, 'also where stdin ends before the greeting');
    server.close();
  },
  skip,
);

onBothTransports(
  'smtp: what is wrong is said, and nothing but SMTP comes on stdout',
  async (t, transport) => {
    await using sshd = await startSshd();
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    unused.close();
    await once(unused, 'close');
    for (const [farEnd, code, said] of [
      [['--to', `127.0.0.1:${port}`], 255, /CHANNEL_REFUSED/],
      [['--unix', join(sshd.folder, 'none')], 255, /CHANNEL_REFUSED/],
      [['--command', 'no-such-program -bs'], 127, /was not found[^]*hint: /],
      [['--command', 'echo Welcome; cat'], 255, /"Welcome"[^]*SMTP_PROTOCOL[^]*hint: /],
      [['--command', 'exit 3'], 255, /ended with status 3 before an SMTP greeting/],
      [['--command', 'sleep 600', '--greeting-timeout', '0.2'], 255, /SMTP_TIMEOUT/],
      [['--to', 'localhost:25', '--command', 'x'], 64, /named twice/],
      [['--listen', '25'], 64, /no place to listen on/],
    ] as const) {
      const run = await viassh(['smtp', ...at(sshd, transport), ...farEnd]);
      t.equal(run.code, code, run.stderr);
      t.match(run.stderr, said);
      t.equal(run.stdout.toString(), '', farEnd.join(' '));
    }
  },
  skipWithoutSshd,
);

onBothTransports(
  'smtp account: the key sends mail by one port, and can do nothing else',
  async (t, transport) => {
    await using exim = await startExim();
    const account = ['smtp', '--to', `127.0.0.1:${exim.port}`];
    await using sshd = await startSshd({ config: await sshdConfigOf(account) });
    const far = { ...sshd, ...(await addAccount(sshd, account)) };
    const server = await listenBefore(exim, join(sshd.folder, 'smtp'));
    const there = at(far, transport);
    t.match((await talk(t, [...there, '--to', `127.0.0.1:${exim.port}`])).stderr, /^220 [^]*\n221 /);
    const run = await viassh(['pipe', ...there, '--', 'id']);
    t.equal(run.code, 1);
    t.match(run.stderr, /this key may send mail/);
    t.equal(run.stdout.toString(), '');
    for (const farEnd of [
      ['--to', `localhost:${exim.port}`],
      ['--to', '127.0.0.1:22'],
      ['--unix', join(sshd.folder, 'smtp')],
    ])
      t.match((await viassh(['smtp', ...there, ...farEnd])).stderr, /CHANNEL_REFUSED/, farEnd.join(' '));
    server.close();
    await using connection = await connectTo(far.destination, { configFile: far.configFile, transport });
    for (const request of [
      { kind: 'tcpip', port: 0 },
      { kind: 'tcpip', port: 1 },
      { kind: 'tcpip', port: 2525 },
      { kind: 'streamlocal', path: join(sshd.home, 'listener') },
    ] as const)
      await t.rejects(
        connection.requestForward(request, (channel) => channel.refuse()),
        { code: 'FORWARD_REFUSED' },
        JSON.stringify(request),
      );
  },
  skip,
);

onTransport(
  'ssh2',
  'smtp account --command: whatever the key asks for, it speaks SMTP',
  async (t, transport) => {
    await using exim = await startExim();
    await using sshd = await startSshd();
    const command = before(exim);
    const far = { ...sshd, ...(await addAccount(sshd, ['smtp', '--command', command])) };
    const there = at(far, transport);
    t.match((await talk(t, [...there, '--command', 'id'])).stderr, /^220 [^]*\n221 /);
    t.match((await viassh(['smtp', ...there, '--to', `127.0.0.1:${exim.port}`])).stderr, /CHANNEL_REFUSED/);
    t.match((await viassh(['smtp', ...there, '--unix', '/run/none'])).stderr, /CHANNEL_REFUSED/);
  },
  skip,
);

onTransport(
  'ssh2',
  'smtp --listen: behind a command other users of this machine are turned away, behind a port not',
  async (t, transport) => {
    await using sshd = await startSshd();
    await using exim = await startExim();
    const to = ['--to', `127.0.0.1:${exim.port}`];
    const command = ['--command', before(exim)];
    for (const [farEnd, others] of [
      [command, /^554 5\.7\.1 viassh: .*uid 65534.*\(CLIENT_REFUSED\)\r\n$/],
      [to, /^220 .*\r\n221 /],
    ] as const) {
      await using listener = startViassh(['smtp', ...at(sshd, transport), ...farEnd, '--listen', 'tcp:0']);
      const [said] = (await once(listener.stdout, 'data')) as [Buffer];
      const port = /^listening on tcp:127\.0\.0\.1:(\d+)\n$/.exec(said.toString())?.[1];
      const client = [
        'bash',
        '-c',
        `exec 3<>/dev/tcp/127.0.0.1/${port}; read -r line <&3; echo "$line"; echo QUIT >&3; cat <&3`,
      ];
      const other = await runProgram('setpriv', ['--reuid=65534', '--clear-groups', ...client]);
      t.match(other.stdout.toString().replace('\r\n\n', '\r\n'), others);
      t.match((await runProgram('env', client)).stdout.toString(), /^220 [^]*221 /);
      listener.kill('SIGTERM');
      t.equal((await listener.exit).code, 143, listener.stderr());
    }
  },
  skip || (process.getuid?.() === 0 ? false : 'only root can be another user'),
);
