import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createMailbox, missingForDovecot, missingForSshd, startSshd } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { type Overheard, overhear } from './overheard.ts';
import { at, type RunningViassh, startViassh } from './run-viassh.ts';

const skip = (await missingForSshd()) ?? (await missingForDovecot()) ?? false;
const skipUnlessRoot = skip || (process.getuid?.() !== 0 && 'only root can be another user');

/** Where it listens, as it says. */
async function listening({ stdout }: RunningViassh): Promise<string> {
  const [, where = ''] = /^listening on (.+)\n$/.exec(await overhear(stdout).until(/\n/)) ?? [];
  return where;
}

interface Client {
  readonly socket: Socket;
  readonly said: Overheard;
}

function client(where: string): Client {
  const [, path, port] = /^(?:unix:(.+)|tcp:127\.0\.0\.1:(\d+))$/.exec(where) ?? [];
  const socket = path === undefined ? connect(Number(port), '127.0.0.1') : connect(path);
  return { socket: socket.on('error', () => undefined), said: overhear(socket) };
}

onBothTransports(
  '--listen: each client has a session of its own, LOGOUT ends that one, SIGTERM all and the socket',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command } = await createMailbox(sshd);
    const path = join(sshd.folder, 'mail.sock');
    await using running = startViassh([
      'imap',
      ...at(sshd, transport),
      '--command',
      command,
      '--listen',
      `unix:${path}`,
    ]);
    const where = await listening(running);
    t.equal(where, `unix:${path}`);
    t.equal((await stat(path)).mode & 0o777, 0o600);
    const [one, two] = [client(where), client(where)];
    for (const { said } of [one, two]) await said.until(/^\* PREAUTH .*\r\n$/);
    one.socket.write('a SELECT INBOX\r\n');
    await one.said.until(/a OK/);
    two.socket.write('a CLOSE\r\n');
    t.match(await two.said.until(/\na /), /\na BAD /, 'nothing is selected in the other one');
    const gone = once(one.socket, 'end');
    one.socket.write('b LOGOUT\r\n');
    await gone;
    t.match(one.said.text(), /\nb OK [^\r\n]*\r\n$/);
    two.socket.write('b NOOP\r\n');
    await two.said.until(/\nb OK/);
    const ended = once(two.socket, 'close');
    running.kill('SIGTERM');
    t.strictSame(await running.exit, { code: 143, signal: null });
    await ended;
    t.notOk(existsSync(path));
    t.equal(running.stderr(), '');
  },
  skip,
);

onTransport(
  'ssh2',
  '--listen tcp: clients of other users are turned away with a word, our own are served',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command } = await createMailbox(sshd);
    const args = ['imap', ...at(sshd, transport), '--command', command, '--listen', 'tcp:0'];
    await using running = startViassh(args);
    const where = await listening(running);
    const port = where.replace('tcp:127.0.0.1:', '');
    const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3`;
    const stranger = spawn('bash', ['-c', script], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const heard = overhear(stranger.stdout);
    await once(stranger, 'close');
    t.match(heard.text(), /^\* BYE viassh: [^\r\n]*uid 65534[^\r\n]* \(CLIENT_REFUSED\)\r\n$/);
    const own = client(where);
    await own.said.until(/^\* PREAUTH .*\r\n$/);
    own.socket.end('a LOGOUT\r\n');
    await own.said.until(/\na OK/);
    t.match(running.stderr(), /^viassh: warning: a client was not served: .*CLIENT_REFUSED\)\n$/);
  },
  skipUnlessRoot,
);

onBothTransports(
  '--listen: a client that gets no session is told why in the words of its protocol, and the next is served as well',
  async (t, transport) => {
    await using sshd = await startSshd();
    const words: readonly (readonly [protocol: string, farewell: RegExp])[] = [
      ['imap', /^\* BYE viassh: [^\r\n]*status 127[^\r\n]*\(IMAP_NO_GREETING\)\r\n$/],
      ['pop3', /^-ERR viassh: [^\r\n]*status 127[^\r\n]*\r\n$/],
      ['sieve', /^BYE "viassh: [^\r\n"]*status 127[^\r\n"]*"\r\n$/],
    ];
    for (const [protocol, farewell] of words) {
      const args = ['imap', ...at(sshd, transport), '--protocol', protocol, '--command', 'viassh-no-such-server'];
      await using running = startViassh([...args, '--listen', 'tcp:0']);
      const where = await listening(running);
      for (let round = 0; round < 2; round += 1) {
        const { socket, said } = client(where);
        await once(socket, 'end');
        t.match(said.text(), farewell);
        socket.destroy();
      }
      running.kill('SIGTERM');
      t.strictSame(await running.exit, { code: 143, signal: null });
    }
  },
);

onTransport(
  'openssh',
  '--listen --once ends with 255 when the connection is lost, and takes its socket away',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    const path = join(sshd.folder, 'mail.sock');
    await using running = startViassh(['imap', ...at(sshd, transport), '--listen', `unix:${path}`, '--once']);
    await listening(running);
    await sshd.kill();
    t.strictSame(await running.exit, { code: 255, signal: null });
    t.match(running.stderr(), /\(CONNECTION_LOST\)/);
    t.notOk(existsSync(path));
  },
);
