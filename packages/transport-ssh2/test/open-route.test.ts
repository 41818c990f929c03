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
