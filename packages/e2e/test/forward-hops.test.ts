import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createProgramRunner } from '@viassh/program';
import { findProgram, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { curl, skipWithoutCurl } from './curl.ts';
import { portOf, type RunningForward, startForward } from './forwarding.ts';
import { type ChainNode, joinConfigs, skipWithoutChain, startChain, startHop } from './network-chain.ts';

const skip = skipWithoutCurl || (await skipWithoutChain());
const without = async (program: string): Promise<string | false> =>
  skip || ((await findProgram(program, ['/usr/bin'])) === undefined ? `no ${program} here` : false);

const from = (node: ChainNode, ...args: string[]): ReturnType<typeof curl> => curl(args, node.inside);

/** A web server inside a node, on loopback of both families; each page is `NAME PATH`. */
async function startWebIn(stack: AsyncDisposableStack, node: ChainNode, name: string, port: number): Promise<void> {
  const script = `const page = (request, response) => response.end('${name} ' + request.url);
    const { createServer } = require('node:http');
    createServer(page).listen(${port}, '::1', () => createServer(page).listen(${port}, '127.0.0.1', () => console.log('up')));`;
  const args = [...node.inside.slice(1), process.execPath, '-e', script];
  await start(stack, 'ip', args, /up/);
}

/** A program that goes with the stack; resolves once it has said `ready`, or at once. */
async function start(
  stack: AsyncDisposableStack,
  file: string,
  args: readonly string[],
  ready?: RegExp,
): Promise<void> {
  const program = await createProgramRunner().start({ file, args, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  program.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  stack.defer(async () => {
    program.kill('SIGTERM');
    await program.exit;
  });
  if (ready !== undefined) await waitUntil(`${file} to be ready`, () => ready.test(said));
}

/** `viassh forward` as started inside a node. */
async function forwardIn(
  node: ChainNode,
  config: { configFile: string; destination: string },
  transport: string,
  args: readonly string[],
  options: { readonly count: number; readonly env?: Readonly<Record<string, string>> },
): Promise<RunningForward> {
  return await startForward(config, transport, args, { ...options, shell: `exec ${node.inside.join(' ')} "$@"` });
}

onBothTransports(
  'three hops of which only neighbours reach each other: -L, -D with names of the far end, -R back from there',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const nodes = await startChain(stack, 4);
    const [here, one, two, far] = nodes as unknown as [ChainNode, ChainNode, ChainNode, ChainNode];
    const hops = [
      await startHop(stack, one, 'one'),
      await startHop(stack, two, 'two'),
      await startHop(stack, far, 'far'),
    ];
    await startWebIn(stack, far, 'far', 8080);
    await startWebIn(stack, here, 'here', 8081);
    t.not((await curl(['--connect-timeout', '1', `http://${two.address}:22/`], here.inside)).code, 0, 'no other way');
    const args = ['-v', '-J', 'one,two', '-L', '0:localhost:8080', '-D', '0', '-R', '9090:localhost:8081'];
    const forward = stack.use(await forwardIn(here, await joinConfigs(hops), transport, args, { count: 3 }));
    const [local, socks, remote] = forward.places.map(portOf);
    t.match(await from(here, `http://127.0.0.1:${local}/a`), { page: 'far /a' }, forward.stderr());
    const byName = 'http://only-there.test:8080/b';
    t.match(await from(here, '--socks5-hostname', `127.0.0.1:${socks}`, byName), { page: 'far /b' });
    t.match(await from(here, '--socks4a', `127.0.0.1:${socks}`, byName), { page: 'far /b' });
    t.equal(remote, 9090);
    t.match(await from(far, 'http://127.0.0.1:9090/c'), { page: 'here /c' });
    for (const { sshd } of hops) t.equal((await sshd.log()).match(/Accepted publickey/g)?.length, 1);
    const lines = forward.stderr().match(/^viassh: (through|connected to) .*$/gm) ?? [];
    t.equal(lines.length, 3, forward.stderr());
  },
  skip,
);

onBothTransports(
  'the first hop stands behind microsocks with a password',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    await behindProxy(t, transport, stack, 'socks5', async ({ address, inside }) => {
      const [file = '', ...words] = inside;
      await start(stack, file, [...words, 'microsocks', '-i', address, '-p', '1080', '-u', 'me', '-P', 'secret-7']);
      return 1080;
    });
  },
  await without('microsocks'),
);

onBothTransports(
  'the first hop stands behind tinyproxy with a password',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    await behindProxy(t, transport, stack, 'http', async ({ address, inside }, folder) => {
      const config = join(folder, 'tinyproxy.conf');
      const lines = ['Port 8888', `Listen ${address}`, 'BasicAuth me secret-7', 'ConnectPort 22', 'LogLevel Critical'];
      await writeFile(config, `${lines.join('\n')}\n`);
      await chown(config, 0, 0);
      const [file = '', ...words] = inside;
      await start(stack, file, [...words, 'tinyproxy', '-d', '-c', config]);
      return 8888;
    });
  },
  await without('tinyproxy'),
);

async function behindProxy(
  t: import('tap').Test,
  transport: string,
  stack: AsyncDisposableStack,
  protocol: 'socks5' | 'http',
  startProxy: (node: ChainNode, folder: string) => Promise<number>,
): Promise<void> {
  const [here, gate, one, far] = (await startChain(stack, 4)) as unknown as [
    ChainNode,
    ChainNode,
    ChainNode,
    ChainNode,
  ];
  const hops = [await startHop(stack, one, 'one'), await startHop(stack, far, 'far')];
  await startWebIn(stack, far, 'far', 8080);
  const folder = hops[0]?.sshd.folder ?? '';
  const port = await startProxy(gate, folder);
  const reached = async (): Promise<boolean> =>
    (await curl(['--connect-timeout', '1', `telnet://${gate.address}:${port}`], [...here.inside, 'timeout', '1']))
      .code === 124;
  await waitUntil('the proxy to listen', reached, { withinMs: 20_000 });
  const env = { VIASSH_PROXY: `${protocol}://me:secret-7@${gate.address}:${port}` };
  const args = ['-J', 'one', '-L', '0:only-there.test:8080'];
  const forward = stack.use(await forwardIn(here, await joinConfigs(hops), transport, args, { count: 1, env }));
  const { page, stderr } = await curl([`http://127.0.0.1:${portOf(forward.places[0])}/through`], here.inside);
  t.equal(page, 'far /through', `${stderr}${forward.stderr()}`);
}
