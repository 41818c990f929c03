import { dialThroughProxy, type ProxyAddress } from '@viassh/core';
import t from 'tap';
import { type Peer, readText, startScriptedServer } from './scripted-server.ts';

const { signal } = new AbortController();
const target = { host: 'far.example', port: 2222 };
const bound = [1, 0, 0, 0, 0, 0, 0];

function at(port: number, rest: Partial<ProxyAddress> = {}): ProxyAddress {
  return { protocol: 'socks5', host: '127.0.0.1', port, ...rest };
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const askPassword = async (): Promise<string> => 'asked';

async function acceptWithoutLogin(peer: Peer): Promise<number[]> {
  const [, count = 0] = await peer.bytes(2);
  const methods = await peer.bytes(count);
  peer.send(5, 0);
  return methods;
}

t.test('a name goes to the proxy as it is, and what the far end said at once is kept', async (t) => {
  const seen: number[][] = [];
  const server = await startScriptedServer(t, async (peer) => {
    seen.push(await acceptWithoutLogin(peer), await peer.bytes(4 + 1 + 11 + 2));
    peer.send(5, 0, 0, ...bound, 'SSH-2.0-x\r\n');
    peer.echo();
  });
  const socket = await dialThroughProxy(at(server.port), target, { signal });
  t.strictSame(seen, [[0], [5, 1, 0, 3, 11, ...Buffer.from('far.example'), 2222 >> 8, 2222 & 255]]);
  t.equal(await readText(socket, 11), 'SSH-2.0-x\r\n');
  socket.write('there and back');
  t.equal(await readText(socket, 14), 'there and back');
  socket.destroy();
  await server.peers[0]?.closed;
});

t.test('addresses go as addresses, in every form of IPv6', async (t) => {
  const seen: number[][] = [];
  const server = await startScriptedServer(t, async (peer) => {
    await acceptWithoutLogin(peer);
    const [, , , type = 0] = await peer.bytes(4);
    seen.push([type, ...(await peer.bytes(type === 1 ? 6 : 18))]);
    peer.send(5, 0, 0, ...bound);
  });
  for (const [host, bytes] of [
    ['192.0.2.7', [1, 192, 0, 2, 7]],
    ['::1', [4, ...zeros(15), 1]],
    ['2001:db8::', [4, 0x20, 1, 0xd, 0xb8, ...zeros(12)]],
    ['2001:db8:1:2:3:4:5:6', [4, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]],
    ['::ffff:192.0.2.7', [4, ...zeros(10), 255, 255, 192, 0, 2, 7]],
    ['fe80::a:0:0:1', [4, 0xfe, 0x80, ...zeros(6), 0, 0xa, ...zeros(4), 0, 1]],
  ] as const) {
    (await dialThroughProxy(at(server.port), { host, port: 22 }, { signal })).destroy();
    t.strictSame(seen.pop(), [...bytes, 0, 22], host);
  }
});

t.test('an answer that names a bound name or an IPv6 address is read to its end, byte by byte too', async (t) => {
  for (const answer of [
    [5, 0, 0, 3, 4, 'name', 0, 22],
    [5, 0, 0, 4, '0123456789abcdef', 0, 22],
    [5, 0, 0, 3, 0, 0, 22],
  ]) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.bytes(3);
      await peer.trickle(5, 0);
      await peer.bytes(18);
      await peer.trickle(...answer, 'next');
    });
    const socket = await dialThroughProxy(at(server.port), target, { signal });
    t.equal(await readText(socket, 4), 'next');
    socket.destroy();
  }
});

t.test('every refusal is told in words', async (t) => {
  for (const [code, words] of [
    [1, /general failure/],
    [2, /rules do not allow/],
    [3, /network unreachable/],
    [4, /host unreachable/],
    [5, /connection refused/],
    [6, /time to live/],
    [7, /know the command/],
    [8, /type of address/],
    [99, /reply 99/],
  ] as const) {
    const server = await startScriptedServer(t, async (peer) => {
      await acceptWithoutLogin(peer);
      await peer.bytes(18);
      peer.send(5, code); // and not one byte more
    });
    await t.rejects(dialThroughProxy(at(server.port), target, { signal }), {
      code: 'PROXY_FAILED',
      message: words,
      hint: /./,
    });
    await server.peers[0]?.closed;
  }
});

t.test('a proxy that wants a login', async (t) => {
  const seen: number[][] = [];
  let verdict = 0;
  const server = await startScriptedServer(t, async (peer) => {
    const [, count = 0] = await peer.bytes(2);
    const methods = await peer.bytes(count);
    if (!methods.includes(2)) return peer.send(5, 0xff);
    peer.send(5, 2);
    const [, nameLength = 0] = await peer.bytes(2);
    const name = await peer.bytes(nameLength);
    const [secretLength = 0] = await peer.bytes(1);
    seen.push(name, await peer.bytes(secretLength));
    peer.send(1, verdict);
    await peer.bytes(18);
    peer.send(5, 0, 0, ...bound);
  });
  const text = (): string[] => seen.splice(0).map((bytes) => Buffer.from(bytes).toString());

  await t.test('gets what the address says', async (t) => {
    (await dialThroughProxy(at(server.port, { user: 'mé', password: 'p:w' }), target, { signal })).destroy();
    t.strictSame(text(), ['mé', 'p:w']);
  });
  await t.test('gets what is asked for when the address has no password', async (t) => {
    (await dialThroughProxy(at(server.port, { user: 'me' }), target, { signal, askPassword })).destroy();
    t.strictSame(text(), ['me', 'asked']);
  });
  const refusal = async (rest: Partial<ProxyAddress>): Promise<unknown> =>
    await dialThroughProxy(at(server.port, rest), target, { signal }).catch((error: unknown) => error);
  await t.test(
    'and nobody knows it, nobody is named, or it is wrong: AUTH_FAILED, for trying again does not help',
    async (t) => {
      t.match(await refusal({ user: 'me' }), { code: 'AUTH_FAILED', message: /nobody gave it/ });
      t.match(await refusal({}), { code: 'AUTH_FAILED', message: /wants a user/, hint: /socks5:\/\/user:password@/ });
      verdict = 1;
      const wrong = await refusal({ user: 'me', password: 'hunter2' });
      t.match(wrong, { code: 'AUTH_FAILED', message: /refused the user or the password/ });
      t.notMatch(String(wrong), /hunter2/);
      t.match(await refusal({ user: 'me', password: 'x'.repeat(256) }), {
        code: 'OPTION_INVALID',
        message: /256 bytes/,
      });
      await Promise.all(server.peers.map(({ closed }) => closed));
    },
  );
});

t.test('a proxy that takes no login by password, or one that we do not know', async (t) => {
  for (const [method, words] of [
    [0xff, /no login by user and password/],
    [1, /login method 1/],
  ] as const) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.bytes(4);
      peer.send(5, method);
    });
    await t.rejects(dialThroughProxy(at(server.port, { user: 'me', password: 'x' }), target, { signal }), {
      code: 'AUTH_FAILED',
      message: words,
    });
  }
});

t.test('what is no SOCKS proxy, at each place', async (t) => {
  const after: ((peer: Peer) => Promise<void>)[] = [
    async (peer) => peer.send('HTTP/1.1 400 Bad Request\r\n\r\n'),
    async (peer) => peer.send(4, 0),
    async (peer) => {
      await acceptWithoutLogin(peer);
      await peer.bytes(18);
      peer.send(4, 0, 0, ...bound);
    },
    async (peer) => {
      await acceptWithoutLogin(peer);
      await peer.bytes(18);
      peer.send(5, 0, 0, 9, 0, 0);
    },
  ];
  for (const serve of after) {
    const server = await startScriptedServer(t, serve);
    await t.rejects(dialThroughProxy(at(server.port), target, { signal }), {
      code: 'PROXY_FAILED',
      message: /does not speak SOCKS/,
      hint: /http:\/\//,
    });
    await server.peers[0]?.closed;
  }
});

t.test('a proxy that closes in the middle, at each byte', async (t) => {
  const whole = [5, 0, 5, 0, 0, ...bound];
  for (let kept = 0; kept < whole.length; kept += 1) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.bytes(3);
      peer.send(...whole.slice(0, Math.min(kept, 2)));
      if (kept >= 2) await peer.bytes(18);
      peer.socket.end(Buffer.from(whole.slice(2, Math.max(kept, 2))));
    });
    await t.rejects(
      dialThroughProxy(at(server.port), target, { signal }),
      { code: 'PROXY_FAILED', message: /closed the connection in the middle/ },
      `after ${kept} bytes`,
    );
  }
});
