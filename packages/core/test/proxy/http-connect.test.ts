import { dialThroughProxy, type ProxyAddress } from '@viassh/core';
import t from 'tap';
import { readText, startScriptedServer } from './scripted-server.ts';

const { signal } = new AbortController();
const target = { host: 'far.example', port: 22 };

function at(port: number, rest: Partial<ProxyAddress> = {}): ProxyAddress {
  return { protocol: 'http', host: '127.0.0.1', port, ...rest };
}

const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');

t.test('asks as RFC 9110 has it, and what the far end said at once is kept', async (t) => {
  const seen: string[] = [];
  const server = await startScriptedServer(t, async (peer) => {
    seen.push(await peer.header());
    peer.send('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-x\r\n\r\n');
    peer.echo();
  });
  const socket = await dialThroughProxy(at(server.port), target, { signal });
  t.strictSame(seen, ['CONNECT far.example:22 HTTP/1.1\r\nHost: far.example:22\r\n\r\n']);
  t.equal(await readText(socket, 13), 'SSH-2.0-x\r\n\r\n');
  socket.write(Buffer.from([0, 255, 13, 10]));
  t.equal((await readText(socket, 3)).length, 4);
  socket.destroy();
  await server.peers[0]?.closed;
});

t.test('bytes above 127 right behind the header come through unharmed', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const server = await startScriptedServer(t, async (peer) => {
    await peer.header();
    peer.socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), bytes]));
  });
  const socket = await dialThroughProxy(at(server.port), target, { signal });
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer);
    if (Buffer.concat(chunks).length >= 256) break;
  }
  t.strictSame(Buffer.concat(chunks), bytes);
});

t.test('an IPv6 address stands in brackets', async (t) => {
  const server = await startScriptedServer(t, async (peer) => {
    t.match(await peer.header(), /^CONNECT \[2001:db8::1\]:22 HTTP\/1\.1\r\nHost: \[2001:db8::1\]:22\r\n/);
    peer.send('HTTP/1.0 200\r\n\r\n');
  });
  (await dialThroughProxy(at(server.port), { host: '2001:db8::1', port: 22 }, { signal })).destroy();
});

t.test('answers on the way, a length, a coding and bare line feeds do no harm; byte by byte', async (t) => {
  for (const answer of [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n',
    'HTTP/1.1 204 No Content\n\n',
  ]) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.header();
      await peer.trickle(answer, 'zz\r\nrest');
    });
    const socket = await dialThroughProxy(at(server.port), target, { signal });
    t.equal(await readText(socket, 8), 'zz\r\nrest');
    socket.destroy();
  }
});

t.test('407', async (t) => {
  const seen: string[] = [];
  const accepted = `Basic ${basic('me', 'p:wé')}`;
  const server = await startScriptedServer(t, async (peer) => {
    const header = await peer.header();
    seen.push(/^Proxy-Authorization: (.*)\r$/m.exec(header)?.[1] ?? 'none');
    if (seen.at(-1) === accepted) return peer.send('HTTP/1.1 200 OK\r\n\r\n');
    peer.send(
      'HTTP/1.1 407 Who?\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: Digest realm="a, b", Basic realm="x"\r\n\r\n',
    );
  });
  let asked = 0;
  const askPassword = async (): Promise<string> => {
    asked += 1;
    return 'p:wé';
  };

  await t.test('is not met when the password is given', async (t) => {
    (await dialThroughProxy(at(server.port, { user: 'me', password: 'p:wé' }), target, { signal })).destroy();
    t.strictSame(seen.splice(0), [accepted]);
  });
  await t.test('without a password: it is asked for, once, and goes over a new connection', async (t) => {
    (await dialThroughProxy(at(server.port, { user: 'me' }), target, { signal, askPassword })).destroy();
    t.strictSame(seen.splice(0), ['none', accepted]);
    t.equal(asked, 1);
  });
  await t.test('and nobody knows it, nobody is named, or it is wrong: AUTH_FAILED', async (t) => {
    t.match(await failureOf(server.port, { user: 'me' }), { code: 'AUTH_FAILED', message: /nobody gave it/ });
    t.match(await failureOf(server.port, {}), {
      code: 'AUTH_FAILED',
      message: /wants a user/,
      hint: /http:\/\/user:password@/,
    });
    const wrong = await failureOf(server.port, { user: 'me', password: 'hunter2' });
    t.match(wrong, { code: 'AUTH_FAILED', message: /refused the user or the password/ });
    t.notMatch(String(wrong), /hunter2/);
    t.match(await failureOf(server.port, { user: 'a:b', password: 'x' }), { code: 'OPTION_INVALID', message: /colon/ });
  });
  await Promise.all(server.peers.map(({ closed }) => closed));
});

t.test('407 of a proxy that has no Basic: AUTH_FAILED that names its schemes, and nobody is asked', async (t) => {
  const server = await startScriptedServer(t, async (peer) => {
    await peer.header();
    peer.send('HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate, NTLM\r\nX: Basic realm=x\r\n\r\n');
  });
  const askPassword = async (): Promise<string> => t.fail('asked') as never;
  await t.rejects(dialThroughProxy(at(server.port, { user: 'me' }), target, { signal, askPassword }), {
    code: 'AUTH_FAILED',
    message: /login by negotiate, ntlm/,
  });
});

t.test('401 is the same to credentials, and nothing without them', async (t) => {
  const server = await startScriptedServer(t, async (peer) => {
    await peer.header();
    peer.send('HTTP/1.1 401 Unauthorized\r\n\r\n');
  });
  await t.rejects(dialThroughProxy(at(server.port, { user: 'me', password: 'x' }), target, { signal }), {
    code: 'AUTH_FAILED',
  });
  await t.rejects(dialThroughProxy(at(server.port), target, { signal }), { code: 'PROXY_FAILED' });
});

t.test('every other answer is told with its words, made harmless', async (t) => {
  for (const [line, words] of [
    ['HTTP/1.1 403 Filtered', /it answered 403 Filtered/],
    ['HTTP/1.1 502 Bad\u001b[31mGateway', /502 Bad\\u001b\[31mGateway/],
    ['HTTP/1.0 503', /it answered 503$/],
    [`HTTP/1.1 500 ${'x'.repeat(1000)}`, /500 x{200}$/],
    ['HTTP/1.1 302 Found', /302/],
  ] as const) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.header();
      peer.send(`${line}\r\nConnection: close\r\n\r\nand a page`);
    });
    await t.rejects(
      dialThroughProxy(at(server.port), target, { signal }),
      { code: 'PROXY_FAILED', message: words },
      line,
    );
    await server.peers[0]?.closed;
  }
});

t.test('what is no HTTP proxy, and a header without end', async (t) => {
  for (const [said, words] of [
    ['SSH-2.0-x\r\n\r\n', /does not speak HTTP/],
    ['\r\n\r\n', /does not speak HTTP/],
    ['HTTP/2 200 OK\r\n\r\n', /does not speak HTTP/],
    [`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`, /longer than 16384/],
    ['HTTP/1.1 100 Go on\r\n\r\n'.repeat(1000), /longer than 16384/],
  ] as const) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.header();
      peer.send(said);
    });
    await t.rejects(dialThroughProxy(at(server.port), target, { signal }), { code: 'PROXY_FAILED', message: words });
    await server.peers[0]?.closed;
  }
});

t.test('a proxy that closes in the middle of its header', async (t) => {
  for (const said of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\nVia: x\r\n']) {
    const server = await startScriptedServer(t, async (peer) => {
      await peer.header();
      peer.socket.end(said);
    });
    await t.rejects(dialThroughProxy(at(server.port), target, { signal }), {
      code: 'PROXY_FAILED',
      message: /closed the connection in the middle/,
    });
  }
});

async function failureOf(port: number, rest: Partial<ProxyAddress>): Promise<unknown> {
  return await dialThroughProxy(at(port, rest), target, { signal }).catch((error: unknown) => error);
}
