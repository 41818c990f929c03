import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createProgramRunner } from '@viassh/program';
import { descendantsOf, findProgram, listProcesses, startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

const skip = skipWithoutSshd || ((await findProgram('microsocks')) === undefined ? 'no microsocks here' : false);
const secret = 'hunter2-0451';

/** microsocks on a free port, for `me` with the secret alone. */
async function startMicrosocks(): Promise<{ readonly port: number; said(): string } & AsyncDisposable> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const program = await createProgramRunner().start({
    file: 'microsocks',
    args: ['-i', '127.0.0.1', '-p', String(port), '-u', 'me', '-P', secret],
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  program.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil('microsocks to listen', () => answers(port));
  return {
    port,
    said: () => said,
    async [Symbol.asyncDispose]() {
      program.kill('SIGTERM');
      await program.exit;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

onBothTransports(
  'through a SOCKS proxy that wants a password: the server is dialled by it, and nothing shows the password',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    await using proxy = await startMicrosocks();
    const env = { VIASSH_PROXY: `socks5://me:${secret}@127.0.0.1:${proxy.port}` };
    const args = ['-o', 'SendEnv=VIASSH_*', ...at(sshd, transport)];
    const good = await viassh(['pipe', '-vv', ...args, '--', 'cat; env; exit 7'], { env, input: 'to and fro\n' });
    t.equal(good.code, 7, good.stderr);
    t.match(good.stdout.toString(), /^to and fro\n/);
    t.ok(proxy.said().includes(`connected to 127.0.0.1:${sshd.port}`), proxy.said());
    const wrong = { VIASSH_PROXY: env.VIASSH_PROXY.replace(secret, `${secret}-wrong`) };
    const refused = await viassh(['pipe', ...args, '--', 'true'], { env: wrong });
    assertFailure(t, refused, { error: 'AUTH_FAILED', says: /proxy socks5:\/\/me@127/, hint: /password/ });
    const loud = await viassh(['pipe', '-vv', '--json', ...args, '--', 'true'], { env: wrong });
    for (const { stdout, stderr } of [good, refused, loud]) t.notOk(`${stdout.toString()}${stderr}`.includes(secret));
  },
  skip,
);

onBothTransports(
  'no program that we start is given the password of the proxy',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen', config: ['AcceptEnv *'] });
    await using proxy = await startMicrosocks();
    const env = { VIASSH_PROXY: `socks5://me:${secret}@127.0.0.1:${proxy.port}` };
    const args = ['pipe', '-o', 'SendEnv=*', ...at(sshd, transport), '--', 'env; echo up; cat'];
    await using running = startViassh(args, { env });
    let heard = '';
    running.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await waitUntil('the command to run', () => heard.includes('up\n'));
    t.notOk(heard.includes(secret), 'the far end');
    const all = await listProcesses();
    const started = descendantsOf(running.pid, all);
    if (transport === 'openssh') t.not(started.length, 0);
    for (const { pid } of started)
      t.notOk((await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')).includes(secret), 'an environment');
    for (const { command } of all.filter(({ pid }) => pid === running.pid).concat(started))
      t.notOk(command.includes(secret), 'a command line');
    running.stdin.end();
    t.strictSame(await running.exit, { code: 0, signal: null });
  },
  skip,
);

onBothTransports('a proxy that is not there, and one typed over the usual one', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const proxy = 'http://me@127.0.0.1:1';
  const env = { VIASSH_PROXY: `socks5://me:${secret}@127.0.0.1:2` };
  const run = (...more: string[]): ReturnType<typeof viassh> =>
    viassh(['pipe', ...more, ...at(sshd, transport), '--', 'echo no'], { env });
  assertFailure(t, await run('--proxy', proxy), {
    error: 'CONNECTION_REFUSED',
    says: /http:\/\/me@127\.0\.0\.1:1 /,
    hint: /proxy/,
  });
  t.equal((await run('--proxy', 'none')).code, 0);
});
