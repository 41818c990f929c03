import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HandOverWishes,
  type ResolvedDestination,
  type Route,
  type SessionRequest,
  silentLogger,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, missingForXvfb, startXvfb, waitUntil, watchLeaks } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { failureOf, routeOf, startChain } from './master/chain.ts';
import { startProxyServer } from './master/proxy-server.ts';
import { startAgent } from './start-agent.ts';

const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-g-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
const transport = createOpensshTransport({ programs: createProgramRunner(), runtimeFolder });
const skip = (await missingForSshd()) ?? false;

async function handOver(
  route: Route,
  request: SessionRequest,
  { input = '', signal, x11 }: { input?: string; signal?: AbortSignal } & HandOverWishes = {},
): Promise<{ exit: unknown; output: string }> {
  const files = { input: join(runtimeFolder, 'in'), output: join(runtimeFolder, 'out') };
  writeFileSync(files.input, input);
  const [stdin, stdout] = [openSync(files.input, 'r'), openSync(files.output, 'w')];
  try {
    const options = { log: silentLogger, signal, x11 };
    const exit = await transport.handOver?.(route, request, [stdin, stdout, 'ignore'], options);
    return { exit, output: readFileSync(files.output, 'utf8') };
  } finally {
    for (const fd of [stdin, stdout]) closeSync(fd);
    await Promise.all([rm(files.input), rm(files.output)]);
  }
}

t.test('handed over', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  const config = ['AcceptEnv VIASSH_*', 'Subsystem echo /bin/cat', 'X11Forwarding yes'];
  await using chain = await startChain({}, { config });
  await using lone = await startChain({ config });
  await using agent = await startAgent(join(lone.sshds[0]?.folder ?? '', 'agent'), lone.sshds[0]?.identityFile ?? '');
  await using proxy = await startProxyServer({ protocol: 'socks5' });
  const ways: readonly (readonly [name: string, configFile: string, made: Pick<Route, 'proxy'>])[] = [
    ['through a jump host', chain.configFile, {}],
    ['by a proxy', lone.configFile, { proxy: proxy.address }],
    ['by a proxy through a jump host', chain.configFile, { proxy: proxy.address }],
  ];

  for (const [name, configFile, made] of ways) {
    const route: Route = { ...(await routeOf(configFile)), ...made };
    await t.test(`${name}: the descriptors, the exit status, and nothing is left`, async (t) => {
      const { exit, output } = await handOver(
        route,
        { kind: 'exec', command: 'cat; exit 7' },
        { input: 'through files' },
      );
      t.strictSame(exit, { kind: 'status', code: 7 });
      t.equal(output, 'through files');
      t.strictSame(await readdir(runtimeFolder), []);
    });
    await t.test(`${name}: command, environment and subsystem arrive unaltered`, async (t) => {
      const env = { VIASSH_A: 'one "two" \\', VIASSH_B: '%h' };
      const command = `printf '%s|' "$VIASSH_A" "$VIASSH_B" 'a  b'`;
      t.equal((await handOver(route, { kind: 'exec', command, env })).output, 'one "two" \\|%h|a  b|');
      t.equal((await handOver(route, { kind: 'subsystem', subsystem: 'echo' }, { input: 'echoed' })).output, 'echoed');
    });
    await t.test(`${name}: an agent is forwarded when that was asked for`, async (t) => {
      const command = 'test -S "$SSH_AUTH_SOCK" && SSH_AUTH_SOCK=$SSH_AUTH_SOCK ssh-add -l';
      t.equal((await handOver(route, { kind: 'exec', command })).output, '');
      const options = [`IdentityAgent=${agent.socketPath}`, 'ForwardAgent=yes'];
      const asked = await routeOf(configFile, { options });
      t.match((await handOver({ ...asked, ...made }, { kind: 'exec', command })).output, /^256 SHA256:/);
    });
    await t.test(`${name}: an abort ends all`, async (t) => {
      const controller = new AbortController();
      const mark = join(t.testdir(), 'began');
      const request: SessionRequest = { kind: 'exec', command: `echo began; exec sleep 600 # ${mark}` };
      const handed = handOver(route, request, { signal: controller.signal });
      await waitUntil('the command to run', () => readFileSync(join(runtimeFolder, 'out'), 'utf8') !== '');
      controller.abort();
      t.notMatch((await handed.catch((error: unknown) => ({ exit: error }))).exit, { kind: 'status', code: 0 });
      t.strictSame(await readdir(runtimeFolder), []);
    });
  }

  await t.test('X11 as it was asked for, whatever the way', { skip: (await missingForXvfb()) ?? false }, async (t) => {
    await using xvfb = await startXvfb();
    const display = { display: xvfb.display, xauthority: xvfb.authorityFile, timeout: 60 };
    const command = `xdpyinfo | grep -q '^ *XTEST$' && echo all || echo "some of $DISPLAY" | sed 's/:.*//'`;
    const direct = ['directly', lone.configFile, {}] as const;
    for (const [name, configFile, made] of [direct, ...ways]) {
      const route: Route = { ...(await routeOf(configFile, { options: ['ForwardX11Trusted=yes'] })), ...made };
      for (const [trusted, seen] of [[true, 'all\n'] as const, [false, 'some of localhost\n'] as const]) {
        const x11 = { ...display, trusted };
        t.equal(
          (await handOver(route, { kind: 'exec', command }, { x11 })).output,
          seen,
          `${name}, trusted: ${trusted}`,
        );
      }
      const without = await handOver(route, { kind: 'exec', command: 'echo "<$DISPLAY>"' });
      t.equal(without.output, '<>\n', `${name}: none that was not asked for`);
    }
  });

  await t.test('each hop lives by its own typed options', async (t) => {
    const [first, second] = chain.route.hops as [ResolvedDestination, ResolvedDestination];
    const typed = { ...second.typed, proxyJump: 'nowhere.invalid', options: ['ProxyJump=nowhere.invalid'] };
    const refused = { ...first, typed: { ...first.typed, options: ['PubkeyAuthentication=no'] } };
    const request: SessionRequest = { kind: 'exec', command: 'exit 3' };
    const hops: Route['hops'] = [first, { ...second, typed }];
    t.strictSame((await handOver({ hops }, request)).exit, { kind: 'status', code: 3 });
    const error = await failureOf(handOver({ hops: [refused, second] }, request));
    t.match(error, { code: 'AUTH_FAILED', message: `${first.user}@127.0.0.1:${first.port}: permission denied` });
    const last = { ...second, typed: { ...second.typed, options: ['PubkeyAuthentication=no'] } };
    t.strictSame((await handOver({ hops: [first, last] }, request)).exit, { kind: 'status', code: 255 });
  });
});
