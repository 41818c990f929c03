import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isViasshError, ViasshError } from '@viassh/core';
import t, { type Test } from 'tap';
import { parseDestinationRule } from '../../src/negotiate/destination-rules.ts';
import { negotiate } from '../../src/negotiate/negotiate.ts';
import { bytes } from './spoken.ts';

const request = bytes(5, 1, 0, 5, 1, 0, 3, 8, 'far.test', 0, 80);
const succeeded = bytes(5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0);

/** Both ends of a connection of TCP. */
async function startPair(t: Test): Promise<{ client: Socket; peer: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  peer.on('error', () => undefined);
  const [client] = (await once(server, 'connection')) as [Socket];
  t.teardown(async () => {
    client.destroy();
    peer.destroy();
    server.close();
    await once(server, 'close');
  });
  return { client, peer };
}

function listeners(stream: Duplex): number {
  return ['readable', 'data', 'end', 'close'].reduce((sum, name) => sum + stream.listenerCount(name), 0);
}

t.test('what a client sends ahead, and its EOF, are there for the target', async (t) => {
  const { client, peer } = await startPair(t);
  const before = listeners(client);
  peer.end(Buffer.concat([request, bytes('GET / early')]));
  const negotiation = await negotiate(client, 'socks');
  t.strictSame(negotiation.target, { kind: 'tcp', host: 'far.test', port: 80 });
  t.equal(listeners(client), before, 'nobody listens any more');
  const heard: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => heard.push(chunk));
  negotiation.accepted();
  t.equal(await text(client), 'GET / early');
  client.end('and the answer');
  await once(peer, 'end');
  t.strictSame(Buffer.concat(heard), Buffer.concat([succeeded, bytes('and the answer')]));
});

t.test('EOF right behind the request leaves an ended stream that can still be written', async (t) => {
  const [client, peer] = duplexPair();
  peer.end(request);
  const { accepted } = await negotiate(client, 'socks');
  accepted();
  client.end();
  t.strictSame(await text(client), '');
  t.strictSame(Buffer.from(await peer.toArray().then((all) => Buffer.concat(all))), succeeded);
});

t.test('a byte at a time reaches the same target', async (t) => {
  const [client, peer] = duplexPair();
  const negotiation = negotiate(client, 'socks');
  for (const byte of Buffer.concat([request, bytes('x')])) {
    peer.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal((await negotiation).target.host, 'far.test');
  peer.end();
  t.equal(await text(client), 'x');
});

t.test('a target that is denied or not reached is told to the client, and its writable half is ended', async (t) => {
  const rules = { deny: [parseDestinationRule('far.test:1-100')] };
  const { client, peer } = await startPair(t);
  peer.write(request);
  await t.rejects(negotiate(client, 'socks', { rules }), { code: 'TARGET_DENIED' });
  const first = await peer.toArray();
  t.strictSame(Buffer.concat(first as Buffer[]), bytes(5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0));

  const [other, otherPeer] = duplexPair();
  otherPeer.write('CONNECT far.test:80 HTTP/1.0\r\n\r\n');
  const { refused } = await negotiate(other, 'http');
  refused(new ViasshError('CONNECTION_LOST', 'the wire is gone'));
  t.match(await text(otherPeer), /^HTTP\/1\.1 503 .*the wire is gone \(CONNECTION_LOST\)\n$/s);
  t.doesNotThrow(() => refused(new ViasshError('INTERNAL', 'a second time')), 'what is ended is not written again');
});

t.test('a client that says it too slowly is let go, however often it says a little', async (t) => {
  const [client, peer] = duplexPair();
  const drip = setInterval(() => void (peer.writable && peer.write('X: y\r\n')), 5);
  t.teardown(() => clearInterval(drip));
  peer.write('CONNECT far.test:80 HTTP/1.1\r\n');
  await t.rejects(negotiate(client, 'http', { deadlineMs: 60 }), {
    code: 'CLIENT_PROTOCOL',
    message: /within 0.06 sec/,
  });
  t.match(await text(peer), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  t.equal(listeners(client), listeners(duplexPair()[0]));

  const silent = await startPair(t);
  await t.rejects(negotiate(silent.client, 'socks', { deadlineMs: 20 }), { code: 'CLIENT_PROTOCOL' });
  t.equal(await text(silent.peer), '');
});

t.test('who has said it in time is not let go later', async (t) => {
  const [client, peer] = duplexPair();
  peer.write(request);
  await negotiate(client, 'socks', { deadlineMs: 20 });
  const { client: slow } = await startPair(t); // a socket keeps the process, the deadline does not
  await t.rejects(negotiate(slow, 'socks', { deadlineMs: 40 }), { code: 'CLIENT_PROTOCOL' }); // the other deadline is over
  t.equal(client.writable, true);
});

t.test('a client that goes away in the middle is an error of its own, by EOF, reset or destroy', async (t) => {
  const gone = { code: 'CLIENT_PROTOCOL', message: /went away/ };
  const { client, peer } = await startPair(t);
  peer.end(request.subarray(0, 5));
  await t.rejects(negotiate(client, 'socks'), gone);
  await once(peer.resume(), 'end');
  const reset = await startPair(t);
  reset.peer.write(request.subarray(0, 5));
  const negotiation = negotiate(reset.client, 'socks');
  await once(reset.peer, 'data'); // the method that was chosen
  reset.peer.resetAndDestroy();
  await t.rejects(negotiation, gone);
  const [late] = duplexPair();
  late.destroy();
  await t.rejects(negotiate(late, 'socks'), gone);
  const [ended, endedPeer] = duplexPair();
  endedPeer.end();
  await once(ended.resume(), 'end');
  await t.rejects(negotiate(ended, 'http'), gone);
});

t.test('an error of a client ends no process, before its request and behind it', async (t) => {
  const [client, peer] = duplexPair();
  peer.on('error', () => undefined);
  const negotiation = negotiate(client, 'socks');
  client.destroy(new Error('broken'));
  await t.rejects(negotiation, { code: 'CLIENT_PROTOCOL' });
  const [later, laterPeer] = duplexPair();
  laterPeer.on('error', () => undefined).write(request);
  const { accepted, refused } = await negotiate(later, 'socks');
  later.destroy(new Error('broken'));
  await new Promise((resolve) => later.once('close', resolve)); // once() of node:events would take the error
  t.doesNotThrow(() => accepted());
  t.doesNotThrow(() => refused(new ViasshError('INTERNAL', 'x')));
});

t.test('an abort ends it at once, with the reason of the one who aborts, and says nothing to the client', async (t) => {
  const [client, peer] = duplexPair();
  const ending = new AbortController();
  const reason = new ViasshError('CONNECTION_LOST', 'the wire is gone');
  const negotiation = negotiate(client, 'http', { signal: ending.signal });
  ending.abort(reason);
  t.equal(await negotiation.catch((error: unknown) => error), reason);
  t.equal(client.writable, true);
  client.end();
  t.equal(await text(peer), '');
  const already = negotiate(duplexPair()[0], 'http', { signal: AbortSignal.abort() });
  t.ok(isViasshError(await already.catch((error: unknown) => error), 'ABORTED'));
});
