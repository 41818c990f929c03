import { ViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { ProxySession } from '../../src/channel/proxy-session.ts';
import { message } from '../../src/mux/messages.ts';
import { type MuxProxy, openMuxProxy } from '../../src/mux/open-mux-proxy.ts';
import { WireReader } from '../../src/mux/wire.ts';
import { type FakeMaster, fakeMaster } from './fake-master.ts';

const LANES = 8;
const db = { host: 'db', port: 5432 };

interface Bench extends AsyncDisposable {
  /** The far end of each lane. */
  readonly ends: readonly FakeMaster[];
  end(lane: number): FakeMaster;
  readonly session: ProxySession;
  /** How many further lanes were asked for. */
  asked(): number;
}

/** `come` says what becomes of the further lane with this number; default: it comes. */
async function startBench(come: (lane: number) => Promise<unknown> = async () => undefined): Promise<Bench> {
  await using undo = new AsyncDisposableStack();
  const ends: FakeMaster[] = [];
  for (let lane = 0; lane < LANES; lane += 1) ends.push(undo.use(await fakeMaster({ handshake: true })));
  let asked = 0;
  const open = async (lane: number): Promise<MuxProxy> => await openMuxProxy(ends[lane]?.socketPath ?? '');
  const openLane = async (): Promise<MuxProxy> => {
    const lane = (asked += 1);
    await come(lane);
    return await open(lane);
  };
  const session = new ProxySession(await open(0), { openLane });
  const owned = undo.move();
  const dispose = async (): Promise<void> => {
    session.end(new ViasshError('CONNECTION_CLOSED', 'closed'), false);
    await owned.disposeAsync();
    await session.lanes.closed();
  };
  const end = (lane: number): FakeMaster => ends.at(lane) as FakeMaster;
  return { ends, end, session, asked: () => asked, [Symbol.asyncDispose]: dispose };
}

/** The number of the next channel that is asked for on this lane. */
async function nextOpen(end: FakeMaster): Promise<number> {
  const fields = new WireReader(await end.next(), 2);
  t.equal(fields.text(), 'direct-tcpip');
  return fields.uint32();
}

function openMany(session: ProxySession, count: number): Promise<unknown>[] {
  return Array.from({ length: count }, async () => {
    return await session.openDirectTcpip(db).catch((error: unknown) => error);
  });
}

/** The same, once the further lanes are there. */
async function openAll({ session }: Bench, count: number): Promise<{ readonly openings: Promise<unknown>[] }> {
  const openings = openMany(session, count);
  await session.lanes.arrival();
  return { openings };
}

t.test('who opens few channels pays for one lane', async (t) => {
  await using bench = await startBench();
  openMany(bench.session, 2);
  t.strictSame([await nextOpen(bench.end(0)), await nextOpen(bench.end(0))], [0, 1]);
  t.equal(bench.asked(), 0);
});

t.test('a burst is spread evenly, and each channel stays on its lane', async (t) => {
  await using bench = await startBench();
  const { openings } = await openAll(bench, 3 * LANES);
  const remoteIds: number[] = [];
  for (const [lane, end] of bench.ends.entries()) {
    for (const round of [1, 2, 3]) {
      const remoteId = 100 * lane + round;
      end.sendPacket(message.channelOpenConfirmation, await nextOpen(end), remoteId, 1000, 1000);
      remoteIds.push(remoteId);
    }
  }
  t.equal(bench.asked(), LANES - 1);
  for (const channel of await Promise.all(openings)) (channel as NodeJS.WritableStream).write('x');
  const sentTo: number[] = [];
  for (const end of bench.ends)
    for (let round = 0; round < 3; round += 1) sentTo.push(new WireReader(await end.next(), 2).uint32());
  t.strictSame(sentTo, remoteIds);
});

t.test('a place that was left is taken again: refused and closed channels count no more', async (t) => {
  await using bench = await startBench();
  const { openings } = await openAll(bench, 2 * LANES);
  const firsts: number[] = [];
  for (const end of bench.ends) {
    const first = await nextOpen(end);
    firsts.push(first);
    end.sendPacket(message.channelOpenConfirmation, first, 1, 1000, 1000);
    const second = await nextOpen(end);
    if (end === bench.end(3)) end.sendPacket(message.channelOpenFailure, second, 2, 'no', '');
    else end.sendPacket(message.channelOpenConfirmation, second, 2, 1000, 1000);
  }
  await Promise.all(openings);
  openMany(bench.session, 1);
  t.equal(await nextOpen(bench.end(3)), 2 * LANES);
  bench.end(5).sendPacket(message.channelClose, firsts[5] ?? 0);
  await bench.end(5).next(); // our close
  openMany(bench.session, 1);
  t.equal(await nextOpen(bench.end(5)), 2 * LANES + 1);
});

t.test('sessions and tun stay on the first lane, where one that ends comes before the next', async (t) => {
  await using bench = await startBench();
  await openAll(bench, 3);
  const first = bench.end(0);
  for (let round = 0; round < 2; round += 1) await nextOpen(first);
  void bench.session.openTun({ mode: 'ethernet' }).catch(() => undefined);
  t.equal(new WireReader(await first.next(), 2).text(), 'tun@openssh.com', 'the fullest');
});

t.test('lanes that cannot be opened are done without, and not asked for again', async (t) => {
  await using bench = await startBench(async (lane) => {
    if (lane !== 4) throw new Error('EMFILE');
  });
  await openAll(bench, 4);
  const [first, fourth] = [bench.end(0), bench.end(4)];
  t.strictSame([await nextOpen(first), await nextOpen(first)], [0, 1]);
  t.strictSame([await nextOpen(fourth), await nextOpen(fourth)], [2, 3]);
  openMany(bench.session, 1);
  await nextOpen(first);
  t.equal(bench.asked(), LANES - 1);
});

t.test('who waits for lanes can be aborted, and hears of the end', async (t) => {
  const never = Promise.withResolvers<void>();
  await using bench = await startBench(() => never.promise);
  const openings = openMany(bench.session, 3);
  const controller = new AbortController();
  const aborted = bench.session.openDirectTcpip(db, controller.signal);
  controller.abort();
  await t.rejects(aborted, { code: 'ABORTED' });
  const first = bench.end(0);
  for (const id of [await nextOpen(first), await nextOpen(first)]) {
    first.sendPacket(message.channelOpenConfirmation, id, 1, 1000, 1000);
    first.sendPacket(message.channelClose, id);
    await first.next(); // our close
  }
  let isIdle = false;
  void bench.session.idle().then(() => (isIdle = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(isIdle, false, 'one is being opened');
  bench.session.end(new ViasshError('CONNECTION_LOST', 'gone'), true);
  t.match(await openings[2], { code: 'CONNECTION_LOST' });
  t.equal(isIdle, true);
  never.resolve();
});

t.test('a lane that comes after the end is closed', async (t) => {
  const later = Promise.withResolvers<void>();
  await using bench = await startBench(() => later.promise);
  openMany(bench.session, 3);
  await waitUntil('the lanes', () => bench.asked() === LANES - 1);
  bench.session.end(new ViasshError('CONNECTION_CLOSED', 'closed'), false);
  bench.end(0).hangUp();
  later.resolve();
  await t.resolves(bench.session.lanes.closed());
});

/** Why all of them are broken when this happens to one. */
async function whyBroken(cut: (end: FakeMaster) => void): Promise<Error | undefined> {
  await using bench = await startBench();
  await openAll(bench, 2 * LANES);
  for (const end of bench.ends) await nextOpen(end);
  cut(bench.end(6));
  return await bench.session.lanes.broken;
}

t.test('one lane that is cut breaks them all, with the reason where the rules were broken', async (t) => {
  await t.resolves(whyBroken((end) => end.hangUp()));
  const reason = await whyBroken((end) => end.sendPacket(message.channelOpenConfirmation, 999, 1, 1, 1));
  t.match(reason, { name: 'RangeError' });
});
