import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { fingerprint, type HostKey, type ResolvedDestination } from '@viassh/core';
import { type Sshd, startSshd } from '@viassh/testing';
import t from 'tap';
import { connectBy, failureOf, output, routeBy } from './connect-to.ts';

/** An ssh_config with `t` (the inner server) behind `jump`. */
async function chain(inner: Sshd, outer: Sshd): Promise<string> {
  const jump = (await readFile(outer.configFile, 'utf8')).replace('Host t', 'Host jump');
  await appendFile(inner.configFile, `  ProxyJump jump\n${jump}`);
  return inner.configFile;
}

/** A fixture's client configuration under another name. */
async function named(sshd: Sshd, name: string): Promise<string> {
  return (await readFile(sshd.configFile, 'utf8')).replace('Host t', `Host ${name}`);
}

t.test('two hops', async (t) => {
  await using outer = await startSshd({ mode: 'listen' });
  await using inner = await startSshd({ mode: 'listen' });
  const route = await routeBy({ configFile: await chain(inner, outer) });
  t.equal(route.hops.length, 2);

  await t.test('carry a session; each is asked for its own key', async (t) => {
    await using connection = await connectBy(route);
    t.equal(await output(connection, 'id -un'), `${inner.user}\n`);
    t.equal(connection.info.hostKey, `ssh-ed25519 ${inner.hostKeyFingerprint}`);
    t.match(await outer.log(), /Accepted publickey/);
  });
  await t.test('closing closes both', async (t) => {
    const connection = await connectBy(route);
    await connection.close();
    t.strictSame(await connection.closed, { kind: 'closed' });
  });
  await t.test('an inner server that is not there: PROXY_FAILED naming both', async (t) => {
    const [first, second] = route.hops as [ResolvedDestination, ResolvedDestination];
    const error = await failureOf(connectBy({ hops: [first, { ...second, port: 1 }] }));
    t.equal(error.code, 'PROXY_FAILED');
    t.match(error.message, /did not reach 127\.0\.0\.1 port 1/);
  });
  await t.test('an abort in the middle: ABORTED, and the first hop is closed', async (t) => {
    const controller = new AbortController();
    const verifyHostKey = {
      kind: 'custom' as const,
      verify: async (key: HostKey) => {
        if (fingerprint(key.blob) === inner.hostKeyFingerprint) controller.abort();
        return { accepted: true } as const;
      },
    };
    t.equal((await failureOf(connectBy(route, { verifyHostKey, signal: controller.signal }))).code, 'ABORTED');
  });
  await t.test('the first is lost: the connection is lost', async (t) => {
    const connection = await connectBy(route);
    const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
    const failed = once(channel, 'error');
    await outer.kill();
    t.match(await failed, [{ code: 'CONNECTION_LOST' }]);
    t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
    await connection.close();
  });
});

t.test('three hops', async (t) => {
  await using first = await startSshd({ mode: 'listen', config: ['Ciphers aes256-ctr'] });
  await using middle = await startSshd({ mode: 'listen', hostKeyTypes: ['ecdsa'], clientConfig: ['Compression yes'] });
  await using last = await startSshd({ mode: 'listen', hostKeyTypes: ['rsa'] });
  const configFile = last.configFile;
  await appendFile(
    configFile,
    `  ProxyJump middle\n${await named(middle, 'middle')}  ProxyJump first\n${await named(first, 'first')}`,
  );
  const route = await routeBy({ configFile });
  const servers = [first, middle, last];
  t.equal(route.hops.length, 3);

  await t.test('each is verified and logged in to by its own configuration, and tells of itself', async (t) => {
    await using connection = await connectBy(route);
    t.equal(await output(connection, 'id -un'), `${last.user}\n`);
    const { hops } = connection.info;
    t.strictSame(
      hops.map(({ peer, hostKey }) => ({ peer, hostKey })),
      servers.map((sshd, index) => ({
        peer: `${sshd.user}@127.0.0.1:${sshd.port}`,
        hostKey: `${['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'][index]} ${sshd.hostKeyFingerprint}`,
      })),
    );
    t.match(hops, [
      { cipher: 'aes256-ctr', mac: /^hmac-/, compression: 'none' },
      { cipher: /gcm/, mac: 'implicit', compression: 'zlib@openssh.com' },
      { cipher: /gcm/, mac: 'implicit', compression: 'none' },
    ]);
    for (const hop of hops) {
      t.match(hop, { state: 'up', serverVersion: /^SSH-2\.0-OpenSSH_/, kex: /./, authenticatedBy: 'publickey' });
      t.ok((hop.roundTripMs ?? 0) > 0);
    }
    const { hops: _own, ...own } = connection.info;
    t.strictSame(own, { ...hops[2] }, 'the connection is its last hop');
    for (const sshd of servers) t.equal((await sshd.log()).match(/Accepted publickey/g)?.length, 1);
  });
  await t.test('the middle one is lost: all are ended, and say so', async (t) => {
    const connection = await connectBy(route);
    const states = (): string[] => [connection.info, ...connection.info.hops].map(({ state }) => state);
    t.strictSame(states(), ['up', 'up', 'up', 'up']);
    await middle.kill();
    t.match(await connection.closed, { kind: 'lost' });
    t.strictSame(states(), ['ended', 'ended', 'ended', 'ended']);
  });
  await t.test('the middle one is not there: PROXY_FAILED names the one before it', async (t) => {
    const error = await failureOf(connectBy(route));
    t.match(error, { code: 'PROXY_FAILED' });
    t.ok(error.message.includes(`${first.user}@127.0.0.1:${first.port} did not reach`), error.message);
  });
});

t.test('a jump host that forbids forwarding: CHANNEL_REFUSED with the setting', async (t) => {
  await using outer = await startSshd({ mode: 'listen', config: ['AllowTcpForwarding no'] });
  await using inner = await startSshd({ mode: 'listen' });
  const error = await failureOf(connectBy(await routeBy({ configFile: await chain(inner, outer) })));
  t.match(error, { code: 'CHANNEL_REFUSED', message: /administratively prohibited/, hint: /AllowTcpForwarding/ });
});

t.test('a jump host with an unknown key is not logged in to', async (t) => {
  await using outer = await startSshd({ mode: 'listen', knownHosts: 'empty' });
  await using inner = await startSshd({ mode: 'listen' });
  t.equal(
    (await failureOf(connectBy(await routeBy({ configFile: await chain(inner, outer) })))).code,
    'HOST_KEY_UNKNOWN',
  );
  t.notMatch(await outer.log(), /Accepted publickey/);
});
