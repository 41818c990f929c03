import { ViasshError } from '@viassh/core';
import t, { type Test } from 'tap';
import { type ControlClient, type MuxForward, openControlClient } from '../../src/mux/control-client.ts';
import { control, mux } from '../../src/mux/messages.ts';
import { encode } from '../../src/mux/wire.ts';
import { type FakeMaster, fakeMaster } from './fake-master.ts';

const forward: MuxForward = { kind: 'remote', listen: { host: '*', port: 0 }, connect: { path: '/a' } };

async function shakeHands(t: Test, master: FakeMaster): Promise<ControlClient> {
  const opening = openControlClient(master.socketPath);
  t.strictSame([...(await master.next())], [...encode(mux.hello, mux.version)], 'our hello');
  master.send(mux.hello, mux.version, 'info', '0');
  return await opening;
}

t.test('requests are written as PROTOCOL.mux says, and answers find theirs by number, in any order', async (t) => {
  await using master = await fakeMaster({ handshake: false });
  const client = await shakeHands(t, master);
  const alive = client.alive();
  const opened = client.openForward(forward);
  const closed = client.closeForward({ kind: 'local', listen: { path: '/l' }, connect: { host: 'h', port: 7 } });
  t.strictSame([...(await master.next())], [...encode(control.clientAliveCheck, 0)]);
  t.strictSame([...(await master.next())], [...encode(control.clientOpenForward, 1, 2, '*', 0, '/a', 0xfffffffe)]);
  t.strictSame([...(await master.next())], [...encode(control.clientCloseForward, 2, 1, '/l', 0xfffffffe, 'h', 7)]);
  master.send(mux.serverFailure, 2, 'port not forwarded');
  master.send(control.serverRemotePort, 1, 4321);
  master.send(control.serverAlive, 0, 99);
  t.strictSame(await closed, { granted: false, said: 'port not forwarded' });
  t.strictSame(await opened, { granted: true, port: 4321 });
  t.equal(await alive, 99);
  client.close();
  await client.closed;
  await t.rejects(client.alive(), { code: 'CONNECTION_LOST' });
});

t.test('both refusals carry their words', async (t) => {
  await using master = await fakeMaster({ handshake: false });
  const client = await shakeHands(t, master);
  const answers = [client.openForward(forward), client.openForward(forward), client.openForward(forward)];
  master.send(mux.serverPermissionDenied, 0, 'Permission denied');
  master.send(mux.serverFailure, 1, 'Port forwarding failed');
  master.send(control.serverOk, 2);
  t.strictSame(await Promise.all(answers), [
    { granted: false, said: 'Permission denied' },
    { granted: false, said: 'Port forwarding failed' },
    { granted: true },
  ]);
  client.close();
});

t.test('an abort and a deadline end the waiting, a late answer is dropped, the client serves on', async (t) => {
  await using master = await fakeMaster({ handshake: false });
  const client = await shakeHands(t, master);
  const reason = new ViasshError('ABORTED', 'enough');
  const stop = new AbortController();
  const aborted = client.openForward(forward, { signal: stop.signal });
  stop.abort(reason);
  await t.rejects(aborted, reason);
  await t.rejects(client.alive({ signal: stop.signal }), reason, 'aborted before');
  await t.rejects(client.alive({ deadlineMs: 1 }), { code: 'CONNECTION_LOST', message: /no answer within 1 ms/ });
  const alive = client.alive();
  master.send(control.serverOk, 0);
  master.send(control.serverAlive, 1, 1);
  master.send(control.serverAlive, 2, 42);
  t.equal(await alive, 42);
  client.close();
});

for (const [what, answer] of [
  ['another kind of answer', [control.serverRemotePort, 0, 1]],
  ['an answer cut short', [control.serverAlive, 0]],
] as const) {
  t.test(`${what} ends the client, and nobody waits on`, async (t) => {
    await using master = await fakeMaster({ handshake: false });
    const client = await shakeHands(t, master);
    const requests = [client.alive(), client.openForward(forward)];
    master.send(...answer);
    for (const outcome of await Promise.allSettled(requests))
      t.match(outcome, { status: 'rejected', reason: { code: 'CONNECTION_LOST' } });
    await client.closed;
  });
}

t.test('a master of another version, one that hangs up, one that is not there', async (t) => {
  await using old = await fakeMaster({ handshake: false });
  const opening = openControlClient(old.socketPath);
  opening.catch(() => undefined);
  await old.next();
  old.send(mux.hello, 3);
  await t.rejects(opening, { code: 'CONNECTION_LOST' });
  await using gone = await fakeMaster({ handshake: false });
  const client = await shakeHands(t, gone);
  const alive = client.alive();
  alive.catch(() => undefined);
  gone.hangUp();
  await t.rejects(alive, { code: 'CONNECTION_LOST' });
  await client.closed;
  await t.rejects(openControlClient(`${gone.socketPath}.none`), { code: 'CONNECTION_LOST', cause: { code: 'ENOENT' } });
  await t.rejects(openControlClient(gone.socketPath, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
});
