import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForPrivateNetwork, missingForTun, type PrivateNetwork, startPrivateNetwork } from '@viassh/testing';

const child = fileURLToPath(new URL('device-child.ts', import.meta.url));
const programs = createProgramRunner();
const words = (...deed: string[]): string[] => [process.execPath, '--conditions=@viassh/source', child, ...deed];
const skip = (await missingForPrivateNetwork()) ?? (await missingForTun());

t.test('a name that the kernel cannot have is refused before it is asked', async (t) => {
  const { openTunDevice } = await import('@viassh/linux');
  for (const name of ['', '..', 'a b', 'a/b', 'a%s', 'ü'.repeat(8), 'sixteen-letters!'])
    await t.rejects(openTunDevice({ mode: 'point-to-point', name }), { code: 'OPTION_INVALID' }, name);
});

t.test('devices', skip === undefined ? {} : { skip }, async (t) => {
  const network = await startPrivateNetwork();
  t.teardown(() => network[Symbol.asyncDispose]());
  const inside = [...network.inside];

  async function run(before: readonly string[], ...deed: string[]): Promise<ProgramOutput> {
    const [file = '', ...args] = [...inside, ...before, ...words(...deed)];
    return programs.run({ file, args });
  }
  async function deed(...deed: string[]): Promise<unknown> {
    const { stdout, stderr } = await run([], ...deed);
    return stdout === '' ? stderr : JSON.parse(stdout);
  }

  t.test('the kernel answers what we write, whole and in order; what is no packet is counted', async (t) => {
    t.strictSame(await deed('echo'), { name: 'vt0', mtu: '1300', written: 200, answers: true, dropped: 1 });
  });

  t.test('a device that is deleted is DEVICE_LOST, whatever is done with it at that time', async (t) => {
    t.strictSame(await deed('deleted'), ['DEVICE_LOST', 'DEVICE_LOST', 'DEVICE_LOST']);
  });

  t.test('nothing is read while it is paused, and nothing is lost by it', async (t) => {
    t.strictSame(await deed('pause'), { whilePaused: 0 });
  });

  t.test('a process with an open device ends when it wants to', async (t) => {
    t.match(await run([], 'exit', 'exit'), { exit: { code: 7 }, stdout: 'exits\n' });
    t.match(await run([], 'exit', 'close'), { exit: { code: 0 }, stdout: '"ends"\nexits\n' });
  });

  t.test('what cannot be opened has a code and a hint', async (t) => {
    t.equal(await deed('open', 'tap:'), 'tap0');
    t.match(await deed('open', 'tun:lo'), /^DEVICE_BUSY lo is there already, and is not a tun device; .*--device/);
    await network.run('ip', ['tuntap', 'add', 'dev', 'mine0', 'mode', 'tun', 'user', '65534']);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    t.match((await run(nobody, 'open', 'tun:')).stdout, /TUN_FORBIDDEN.*CAP_NET_ADMIN.*ip tuntap add .* user NAME/);
    t.equal((await run(nobody, 'open', 'tun:mine0')).stdout, '"mine0"\n', 'which the hint promises');
    const [file = '', ...args] = [...inside, ...words('hold', 'mine0')];
    const holder = await programs.start({ file, args, stdio: ['pipe', 'pipe', 'inherit'] });
    if (holder.stdout !== undefined) await once(holder.stdout, 'data');
    t.match(await deed('open', 'tun:mine0'), /^DEVICE_BUSY somebody else has mine0 open; /);
    holder.stdin?.end();
    t.match(await holder.exit, { code: 0 });
  });

  t.test('without koffi the error says so, and what to do', async (t) => {
    const hooks = `import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) { if (name === 'koffi') throw new Error('gone'); return next(name, context); } });`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hooks)}` };
    const [file = '', ...args] = [...inside, ...words('open', 'tun:')];
    t.match((await programs.run({ file, args, env })).stdout, /LIBRARY_MISSING .*install viassh again on this machine/);
  });

  t.test('a machine without /dev/net/tun, and one that forbids it', async (t) => {
    const without = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'];
    t.match((await run(without, 'open', 'tun:')).stdout, /TUN_MISSING .*ENOENT.*modprobe tun/);
    const forbidden = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount --bind -o ro,nodev /dev/net /dev/net && mount -o remount,bind,nodev /dev/net && exec "$@"',
      'sh',
    ];
    t.match((await run(forbidden, 'open', 'tun:')).stdout, /TUN_FORBIDDEN .*EACCES/);
  });

  for (const kind of ['vnet', 'plain'])
    t.test(`TCP passes two ${kind} devices unchanged`, async (t) => {
      await using far = await startPrivateNetwork();
      const signal = AbortSignal.timeout(30_000);
      try {
        await passes(t, kind, far, signal);
      } finally {
        if (signal.aborted)
          for (const { run } of [network, far])
            t.comment((await run('sh', ['-c', 'ip -s link; ip route; ss -tinoa || true'])).stdout);
      }
    });

  async function passes(t: Test, kind: string, far: PrivateNetwork, signal: AbortSignal): Promise<void> {
    const [file = '', ...args] = [...inside, ...words('offload', kind, `${far.pid}`)];
    const carrier = await programs.start({ file, args, stdio: ['pipe', 'pipe', 'inherit'], signal });
    const said = carrier.stdout === undefined ? '' : text(carrier.stdout);
    await t.resolves(once(carrier.stdout ?? process.stdin, 'readable', { signal }));
    await far.run('ip', ['address', 'add', '10.9.0.2', 'peer', '10.9.0.1', 'dev', 'there']);
    await far.run('ip', ['link', 'set', 'there', 'up']);
    const body = randomBytes(8 << 20);
    const echo = `require('node:net').createServer((s) => s.pipe(s)).listen(7, '10.9.0.2', () => console.log('up'))`;
    const server = await far.serve(process.execPath, ['-e', echo], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout ?? process.stdin, 'data', { signal });
    const [enter, ...rest] = [...inside, process.execPath, '-e', client];
    const there = await programs.start({ file: enter, args: rest, stdio: ['pipe', 'pipe', 'inherit'], signal });
    there.stdin?.on('error', () => undefined).end(body);
    const hash = await text(there.stdout ?? process.stdin);
    t.equal(hash, createHash('sha256').update(body).digest('hex'));
    carrier.stdin?.end();
    const { longest } = JSON.parse((await said).replace('moved\n', '')) as { longest: number };
    t.equal(longest > 1500, kind === 'vnet', `segments stay whole only there: ${longest}`);
  }
});

const client = `const s = require('node:net').connect({ host: '10.9.0.2', port: 7 });
const hash = require('node:crypto').createHash('sha256');
process.stdin.pipe(s);
s.on('data', (d) => hash.update(d)).on('end', () => process.stdout.write(hash.digest('hex')));`;
