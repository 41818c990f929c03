import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Authenticator,
  type ConnectOptions,
  type Connection,
  fingerprint,
  type HostKey,
  type ResolvedDestination,
  type Route,
  silentLogger,
  verifyByFingerprint,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { descendantsOf, listProcesses, missingForSshd, waitUntil, watchLeaks } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { failureOf, outputOf, routeOf, startChain } from './chain.ts';

const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-c-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
const transport = createOpensshTransport({ programs: createProgramRunner(), runtimeFolder });
const skip = (await missingForSshd()) ?? false;

const connectBy = (route: Route, overrides: Partial<ConnectOptions> = {}): Promise<Connection> =>
  transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger, ...overrides });
const peers = (route: Route): string[] =>
  route.hops.map(({ user, hostName, port }: ResolvedDestination) => `${user}@${hostName}:${port}`);

t.test('three hops', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await using chain = await startChain({}, {}, {});
  const { route, sshds } = chain;
  t.equal(route.hops.length, 3);

  await t.test('each has its own login, and all that is known of it is told', async (t) => {
    await using connection = await connectBy(route);
    t.equal(await outputOf(connection, 'id -un'), `${sshds[2]?.user}\n`);
    const { hops } = connection.info;
    t.strictSame(
      hops.map(({ peer }) => peer),
      peers(route),
    );
    for (const [index, hop] of hops.entries()) {
      t.equal(hop.hostKey, `ssh-ed25519 ${sshds[index]?.hostKeyFingerprint}`);
      t.match(hop, {
        state: 'up',
        serverVersion: /^SSH-2\.0-OpenSSH_/,
        kex: /\w/,
        cipher: /\w/,
        compression: 'none',
        authenticatedBy: 'publickey',
      });
      t.ok(hop.mac, 'mac');
      t.ok(hop.roundTripMs !== undefined && hop.roundTripMs > 0, `round trip ${hop.roundTripMs}`);
    }
    t.equal(connection.info.peer, peers(route)[2]);
  });

  await t.test('closing ends all, and the state of each says so', async (t) => {
    const connection = await connectBy(route);
    await connection.close();
    t.strictSame(
      [connection.info, ...connection.info.hops].map(({ state }) => state),
      ['ended', 'ended', 'ended', 'ended'],
    );
    t.strictSame(await readdir(runtimeFolder), []);
  });

  await t.test('a custom verifier sees the key of each, in order', async (t) => {
    const seen: string[] = [];
    const verify = async (key: HostKey, { port }: ResolvedDestination): Promise<{ accepted: true }> => {
      seen.push(`${port} ${fingerprint(key.blob)}`);
      return { accepted: true };
    };
    await using connection = await connectBy(route, { verifyHostKey: { kind: 'custom', verify } });
    t.equal(await outputOf(connection, 'echo in'), 'in\n');
    t.strictSame(
      seen,
      sshds.map(({ port, hostKeyFingerprint }) => `${port} ${hostKeyFingerprint}`),
    );
  });

  await t.test(
    'a custom verifier that knows only the last refuses the first, which is then not logged in to',
    async (t) => {
      const before = (await sshds[0]?.log())?.match(/Accepted publickey/g)?.length;
      const only = verifyByFingerprint(sshds[2]?.hostKeyFingerprint ?? '');
      const error = await failureOf(connectBy(route, { verifyHostKey: only }));
      t.equal(error.code, 'HOST_KEY_REFUSED');
      t.match(error.message, /name0/);
      t.equal((await sshds[0]?.log())?.match(/Accepted publickey/g)?.length, before);
    },
  );

  await t.test('an abort in the middle: ABORTED, and nothing is left', async (t) => {
    const controller = new AbortController();
    const verify = async (key: HostKey): Promise<{ accepted: true }> => {
      if (fingerprint(key.blob) === sshds[1]?.hostKeyFingerprint) controller.abort();
      return { accepted: true };
    };
    const connecting = connectBy(route, { verifyHostKey: { kind: 'custom', verify }, signal: controller.signal });
    t.equal((await failureOf(connecting)).code, 'ABORTED');
    t.strictSame(await readdir(runtimeFolder), []);
  });

  await t.test('a hop that is not there: PROXY_FAILED naming both ends of the gap', async (t) => {
    const [first, second, third] = route.hops as [ResolvedDestination, ResolvedDestination, ResolvedDestination];
    const error = await failureOf(connectBy({ hops: [first, second, { ...third, port: 1 }] }));
    t.equal(error.code, 'PROXY_FAILED');
    t.equal(error.message, `the jump host ${peers(route)[1]} did not reach 127.0.0.1 port 1: Connection refused`);
    t.ok(error.hint);
    const alone = await failureOf(connectBy({ hops: [first, { ...second, hostName: '::1' }, third] }));
    t.match(alone, { code: 'PROXY_FAILED', message: `the jump host ${peers(route)[0]} did not reach ::1 port` });
  });

  for (const [index, name] of ['first', 'second', 'last'].entries()) {
    await t.test(`the ${name} is lost: CONNECTION_LOST names it, and nothing is left`, async (t) => {
      await using own = await startChain({}, {}, {});
      const connection = await connectBy(own.route);
      const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
      const failed = once(channel, 'error');
      await own.sshds[index]?.kill();
      const [error] = (await failed) as [Error];
      const who = `${index < 2 ? 'the jump host ' : ''}${peers(own.route)[index]}`;
      t.match(error, { code: 'CONNECTION_LOST', message: `connection lost: ${who}` });
      t.match(await connection.closed, { kind: 'lost', error: { message: `connection lost: ${who}` } });
      await connection.close();
      t.strictSame(await readdir(runtimeFolder), []);
    });
  }
});

t.test('what one hop lacks is said of that hop', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await t.test('an unknown key of the first', async (t) => {
    await using chain = await startChain({ knownHosts: 'empty' }, {});
    const error = await failureOf(connectBy(chain.route));
    t.match(error, {
      code: 'HOST_KEY_UNKNOWN',
      message: `name0 is not known: ssh-ed25519 ${chain.sshds[0]?.hostKeyFingerprint}`,
    });
    t.notMatch(await chain.sshds[0]?.log(), /Accepted/);
  });
  await t.test('an unknown key of the second', async (t) => {
    await using chain = await startChain({}, { knownHosts: 'empty' }, {});
    const error = await failureOf(connectBy(chain.route));
    t.match(error, {
      code: 'HOST_KEY_UNKNOWN',
      message: `name1 is not known: ssh-ed25519 ${chain.sshds[1]?.hostKeyFingerprint}`,
    });
    t.notMatch(await chain.sshds[1]?.log(), /Accepted/);
  });
  await t.test('a login that the second refuses', async (t) => {
    await using chain = await startChain({}, { authorize: false }, {});
    const error = await failureOf(connectBy(chain.route));
    t.match(error, { code: 'AUTH_FAILED', message: `${peers(chain.route)[1]}: permission denied; tried publickey` });
  });
  await t.test('a first that forbids forwarding: CHANNEL_REFUSED with the setting', async (t) => {
    await using chain = await startChain({ config: ['AllowTcpForwarding no'] }, {});
    const error = await failureOf(connectBy(chain.route));
    t.match(error, {
      code: 'CHANNEL_REFUSED',
      message: `the jump host ${peers(chain.route)[0]}: the server refused a channel to 127.0.0.1 port ${chain.sshds[1]?.port}: administratively prohibited`,
      hint: /AllowTcpForwarding/,
    });
  });
});

t.test('an unreadable known_hosts of a jump host is refused before anything is dialled', { skip }, async (t) => {
  await using chain = await startChain({}, {});
  const [first, second] = chain.route.hops as [ResolvedDestination, ResolvedDestination];
  const hops: Route['hops'] = [{ ...first, userKnownHostsFiles: [runtimeFolder] }, second];
  t.equal((await failureOf(connectBy({ hops }))).code, 'KNOWN_HOSTS_UNREADABLE');
  t.notMatch(await chain.sshds[0]?.log(), /Connection from/);
});

t.test('the questions of every hop reach the Authenticator', { skip }, async (t) => {
  await using chain = await startChain({ authorize: false }, { authorize: false });
  const hops: ResolvedDestination[] = [];
  for (const [index, sshd] of chain.sshds.entries()) {
    const key = await sshd.generateKey({ passphrase: `secret ${index}` });
    await sshd.authorize(key.publicKey);
    const hop = chain.route.hops[index] ?? chain.route.hops[0];
    // As a caller of the library may: typed options of its own for each hop.
    hops.push({ ...hop, typed: { ...hop.typed, identityFiles: [key.file] } });
  }
  const asked: string[] = [];
  const authenticate: Authenticator = {
    ask: async ({ text }) => {
      asked.push(text);
      return `secret ${asked.length - 1}`;
    },
  };
  await using connection = await connectBy({ hops: hops as unknown as Route['hops'] }, { authenticate });
  t.equal(await outputOf(connection, 'id -un'), `${chain.sshds[1]?.user}\n`);
  t.equal(asked.length, 2, asked.join('; '));
  t.match(asked[0], /key_1/);
});

t.test('typed options reach the hop that they are of, and no other', { skip }, async (t) => {
  await using chain = await startChain({}, {});
  const [sshd] = chain.sshds;
  await t.test('with resolveRoute that is the last', async (t) => {
    const route = await routeOf(chain.configFile, { options: ['Compression=yes'] });
    await using connection = await connectBy(route);
    t.strictSame(
      connection.info.hops.map(({ compression }) => compression),
      ['none', 'zlib@openssh.com'],
    );
  });
  await t.test('with a route made by hand, any', async (t) => {
    const [first, second] = chain.route.hops as [ResolvedDestination, ResolvedDestination];
    const typed = { ...first.typed, options: ['Ciphers=aes256-ctr', 'MACs=hmac-sha2-256'] };
    await using connection = await connectBy({ hops: [{ ...first, typed }, second] });
    t.match(connection.info.hops, [{ cipher: 'aes256-ctr', mac: 'hmac-sha2-256' }, { cipher: /^(?!aes256-ctr$)/ }]);
  });
  await t.test('no ProxyCommand or ProxyJump of a later hop acts', async (t) => {
    const [first, second] = chain.route.hops as [ResolvedDestination, ResolvedDestination];
    const mark = join(t.testdir(), 'ran');
    const typed = { ...second.typed, options: [`ProxyCommand=touch ${mark}`], proxyJump: 'nowhere.invalid' };
    await using connection = await connectBy({ hops: [first, { ...second, typed }] });
    t.equal(await outputOf(connection, 'echo in'), 'in\n');
    await t.rejects(readFile(mark), { code: 'ENOENT' });
    t.match(await sshd?.log(), /direct-tcpip|server_request_direct_tcpip/);
  });
});

t.test('the first hop keeps its own ProxyCommand', { skip }, async (t) => {
  await using chain = await startChain({ mode: 'inetd' }, {});
  t.match(chain.route.hops[0].proxyCommand, /sshd -i/);
  await using connection = await connectBy(chain.route);
  t.equal(await outputOf(connection, 'id -un'), `${chain.sshds[1]?.user}\n`);
});

t.test('a passenger whose master is gone never logs in by itself', { skip }, async (t) => {
  await using chain = await startChain({}, {});
  const verify = async (key: HostKey): Promise<{ accepted: true }> => {
    // The second shows its key: the first's ssh is ended under it.
    if (fingerprint(key.blob) === chain.sshds[1]?.hostKeyFingerprint) await chain.sshds[0]?.kill();
    return { accepted: true };
  };
  const error = await failureOf(connectBy(chain.route, { verifyHostKey: { kind: 'custom', verify } }));
  t.match(error, { code: 'CONNECTION_LOST', message: `connection lost: the jump host ${peers(chain.route)[0]}` });
  t.strictSame(await readdir(runtimeFolder), []);
  t.strictSame(
    descendantsOf(process.pid, await listProcesses()).filter(({ command }) => command.startsWith('ssh ')),
    [],
  );
});

t.test('SIGKILL on us leaves nothing of three masters', { skip }, async (t) => {
  await using chain = await startChain({}, {}, {});
  const file = fileURLToPath(import.meta.resolve('./hold-connection.ts'));
  const args = [...process.execArgv, '--conditions=@viassh/source', file, chain.configFile, runtimeFolder];
  const program = await createProgramRunner().start({
    file: process.execPath,
    args,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = (await once(program.stdout ?? process.stdin, 'data')) as [Buffer];
  t.equal(said.toString(), '3\n');
  t.equal((await readdir(runtimeFolder)).length, 3);
  program.kill('SIGKILL');
  await program.exit;
  await waitUntil('keepers, masters and passengers to end', async () => {
    const left = (await listProcesses()).filter(({ command }) => command.includes(runtimeFolder));
    return left.length === 0 && (await readdir(runtimeFolder)).length === 0;
  });
});
