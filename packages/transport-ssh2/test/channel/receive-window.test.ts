import t from 'tap';
import { ConnectionWindows } from '../../src/channel/connection-windows.ts';
import type { ReceiveWindow } from '../../src/channel/receive-window.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A server that sends all that it may, and a reader that takes all of it; a round trip each. */
class Flow {
  readonly window: ReceiveWindow;
  /** What the server may send, by what it was told. */
  mayStillSend: number;
  received = 0;
  grants = 0;

  constructor(window: ReceiveWindow) {
    this.window = window;
    this.mayStillSend = window.size;
  }

  /** Everything that was granted comes in packets, and is taken at once when `read`. */
  burst(read = true): void {
    const coming = this.mayStillSend;
    this.mayStillSend = 0;
    for (let sent = 0; sent < coming; sent += 32 * KIB) {
      const bytes = Math.min(32 * KIB, coming - sent);
      this.received += bytes;
      if (!this.window.received(bytes)) throw new Error('more than was granted');
      if (read) this.take(bytes);
    }
  }

  take(bytes: number): void {
    const grant = this.window.consumed(bytes);
    if (grant > 0) this.grants += 1;
    this.mayStillSend += grant;
  }
}

function windowsAt(limit?: number): { windows: ConnectionWindows; clock: { now: number } } {
  const clock = { now: 0 };
  const windows = new ConnectionWindows(limit, () => clock.now);
  windows.answeredAfter(100);
  return { windows, clock };
}

t.test('64 MiB on a long line take no more than four round trips', async (t) => {
  const { windows, clock } = windowsAt();
  const flow = new Flow(windows.open());
  let roundTrips = 0;
  while (flow.received < 64 * MIB) {
    roundTrips += 1;
    clock.now += 100;
    flow.burst();
  }
  t.ok(roundTrips <= 4, `${roundTrips} round trips`);
  t.ok(flow.window.size <= 32 * MIB);
  t.ok(windows.total <= 64 * MIB);
  t.ok(flow.grants < (64 * MIB) / (64 * KIB), `${flow.grants} messages`);
});

t.test('a slow flow does not grow', async (t) => {
  const { windows, clock } = windowsAt();
  const flow = new Flow(windows.open());
  const before = flow.window.size;
  for (let packets = 0; packets < 200; packets += 1) {
    clock.now += 50; // 640 KiB/s: a window of 2 MiB lasts longer than two round trips
    flow.mayStillSend -= 32 * KIB;
    flow.window.received(32 * KIB);
    flow.take(32 * KIB);
  }
  t.equal(flow.window.size, before);
  t.ok(flow.mayStillSend <= before && flow.mayStillSend >= before / 2, 'and its window stays open');
});

t.test('a reader that stops gets what was granted, and no more, however large it had grown', async (t) => {
  const { windows, clock } = windowsAt();
  const flow = new Flow(windows.open());
  for (let round = 0; round < 4; round += 1) {
    clock.now += 100;
    flow.burst();
  }
  const { size } = flow.window;
  const before = flow.received;
  flow.burst(false);
  t.ok(flow.received - before <= size);
  t.equal(flow.mayStillSend, 0);
  t.equal(flow.window.size, size);
});

t.test('one byte more than was granted is too much', async (t) => {
  const { windows } = windowsAt();
  const window = windows.open();
  t.equal(window.received(window.size), true);
  t.equal(window.received(1), false);
  const taken = windows.open();
  taken.received(taken.size);
  const granted = taken.consumed(taken.size);
  t.ok(granted >= taken.size / 2);
  t.equal(taken.received(granted), true);
  t.equal(taken.received(1), false);
});

t.test('10,000 idle channels promise no more than the limit', async (t) => {
  const { windows } = windowsAt();
  const sizes = Array.from({ length: 10_000 }, () => windows.open().size);
  t.ok(windows.total <= 64 * MIB, `${windows.total / MIB} MiB`);
  t.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    windows.total,
  );
  t.ok(Math.min(...sizes) >= KIB / 2);
  t.ok((sizes[0] ?? 0) >= MIB);
  t.ok((sizes[100] ?? 0) >= 32 * KIB, `the hundredth: ${sizes[100]}`);
});

t.test('a server that fills every window of many channels that are read, then of all at once unread', async (t) => {
  const limit = 8 * MIB;
  const { windows, clock } = windowsAt(limit);
  const flows = Array.from({ length: 200 }, () => new Flow(windows.open()));
  for (let round = 0; round < 20; round += 1) {
    clock.now += 100;
    for (const flow of flows) flow.burst();
    t.ok(windows.total <= limit);
  }
  const before = flows.map(({ received }) => received);
  for (const flow of flows) flow.burst(false);
  const unread = flows.reduce((sum, flow, index) => sum + flow.received - (before[index] ?? 0), 0);
  t.ok(unread <= limit, `${unread / MIB} MiB wait unread`);
  t.equal(
    flows.reduce((sum, { mayStillSend }) => sum + mayStillSend, 0),
    0,
  );
});

t.test('a channel that ended gives its window back; a fixed one is held', async (t) => {
  const { windows, clock } = windowsAt();
  const flow = new Flow(windows.open());
  for (let round = 0; round < 5; round += 1) {
    clock.now += 100;
    flow.burst();
  }
  t.ok(windows.total > 8 * MIB);
  flow.window.release();
  flow.window.release();
  t.equal(windows.total, 0);
  t.equal(flow.window.consumed(MIB), 0, 'nothing is granted after the end');
  const giveBack = windows.hold(2 * MIB);
  t.equal(windows.total, 2 * MIB);
  giveBack();
  t.equal(windows.total, 0);
});

t.test('of a channel that was closed unread counts what waits, until it is taken or given up', async (t) => {
  const { windows } = windowsAt();
  const [read, left] = [windows.open(), windows.open()];
  for (const window of [read, left]) window.received(100_000);
  for (const window of [read, left]) window.closed();
  t.equal(windows.total, 200_000);
  t.equal(read.consumed(60_000), 0, 'nothing is granted');
  t.equal(windows.total, 140_000);
  read.consumed(40_000);
  t.equal(windows.total, 100_512, 'it is not gone yet');
  read.release();
  left.release();
  t.equal(left.consumed(100_000), 0);
  t.equal(windows.total, 0);
});

t.test('the round trip is the shortest of the last few answers', async (t) => {
  const { windows } = windowsAt();
  windows.answeredAfter(20);
  t.equal(windows.roundTripMs, 20);
  for (let count = 0; count < 8; count += 1) windows.answeredAfter(300);
  t.equal(windows.roundTripMs, 300, 'a line that became longer is noticed');
});

t.test('what the login knows of the line is not forgotten', async (t) => {
  const { windows } = windowsAt();
  windows.knownRoundTrip(3);
  for (let count = 0; count < 8; count += 1) windows.answeredAfter(300);
  t.equal(windows.roundTripMs, 3);
});

t.test('on a short line a window stays as it is, however fast it is used', async (t) => {
  const { windows, clock } = windowsAt();
  windows.knownRoundTrip(3);
  const flow = new Flow(windows.open());
  const { size } = flow.window;
  for (let round = 0; round < 20; round += 1) {
    clock.now += 1;
    flow.burst();
  }
  t.equal(flow.window.size, size);
});
