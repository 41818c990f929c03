import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { longestPacket, type TunMode } from '@viassh/core';
import type { Client } from 'ssh2';
import t from 'tap';
import type { RawChannel } from '../../src/ssh2-private/raw-channel.ts';
import { TunChannel, tunWindow } from '../../src/tun/tun-channel.ts';
import { WireBacklog } from '../../src/wire/wire-backlog.ts';

/** A raw channel that keeps account and sends nothing. */
class Ledger {
  window: number;
  readonly packetSize = 32 * 1024;
  readonly written: { head: string; length: number; debit: number }[] = [];
  granted = 0;
  closes = 0;

  constructor(window = 1_000_000) {
    this.window = window;
  }

  get room(): { window: number; packetSize: number } {
    return { window: this.window, packetSize: this.packetSize };
  }

  writePacket(body: Buffer, head: Buffer | undefined, debit: number): void {
    this.written.push({ head: head?.toString('hex') ?? '', length: body.length, debit });
    this.window -= debit;
  }

  grant(bytes: number): void {
    this.granted += bytes;
  }

  close(): void {
    this.closes += 1;
  }
}

function tunOn(
  ledger: Ledger,
  { mode = 'point-to-point', countsHead = true }: { mode?: TunMode; countsHead?: boolean } = {},
): { channel: TunChannel; released: () => number } {
  let releases = 0;
  const client = Object.assign(new EventEmitter(), { _protocol: {} }) as unknown as Client;
  const backlog = new WireBacklog(client, new PassThrough());
  const setup = { mode, countsHead, backlog, release: () => void (releases += 1) };
  return { channel: new TunChannel(ledger as unknown as RawChannel, setup), released: () => releases };
}

const ipv4 = (length: number): Buffer => Buffer.alloc(length, 0x45);
const ipv6 = (length: number): Buffer => Buffer.alloc(length, 0x60);
const onWire = (family: number, packet: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, family]), packet]);

t.test('the family stands before each packet, and OpenSSH counts four bytes more than came', async (t) => {
  const ledger = new Ledger();
  const { channel } = tunOn(ledger);
  t.equal(channel.send([ipv4(84), ipv6(100)]), 2);
  t.strictSame(ledger.written, [
    { head: '00000002', length: 84, debit: 92 },
    { head: '00000018', length: 100, debit: 108 },
  ]);
  const plain = new Ledger();
  tunOn(plain, { countsHead: false }).channel.send([ipv4(84)]);
  t.equal(plain.written[0]?.debit, 88);
  const frames = new Ledger();
  tunOn(frames, { mode: 'ethernet' }).channel.send([Buffer.alloc(60)]);
  t.strictSame(frames.written, [{ head: '', length: 60, debit: 64 }]);
});

t.test('without room the rest is dropped and counted; what is no packet, alone', async (t) => {
  const ledger = new Ledger(300);
  const { channel } = tunOn(ledger);
  t.equal(channel.send([Buffer.alloc(0), ipv4(84), Buffer.alloc(9), ipv4(84), ipv4(200), ipv4(20)]), 2);
  t.match(channel.counters, { sent: 2, droppedOut: 4 });
  t.equal(ledger.window, 300 - 2 * 92);
  const wide = tunOn(new Ledger()).channel;
  t.equal(wide.send([ipv4(longestPacket + 1), ipv4(longestPacket)]), 1);
});

t.test('ready waits for room, and not after the end', async (t) => {
  const ledger = new Ledger(100_000);
  const { channel } = tunOn(ledger);
  await channel.ready();
  ledger.window = 10;
  let ready = false;
  const waiting = channel.ready().then(() => (ready = true));
  await turn();
  channel.sink().roomCame?.();
  await turn();
  t.equal(ready, false, 'a little is not enough');
  ledger.window = 100_000;
  channel.sink().roomCame?.();
  await waiting;
  ledger.window = 0;
  const last = channel.ready();
  await channel.close();
  await last;
  t.equal(ledger.closes, 1);
});

t.test('one batch for what came in one go; exactly what was taken is granted', async (t) => {
  const ledger = new Ledger();
  const { channel } = tunOn(ledger);
  const batches: number[] = [];
  channel.sink().data(onWire(2, ipv4(1000)));
  channel.onPackets((packets) => batches.push(packets.length));
  t.throws(() => channel.onPackets(() => undefined), { code: 'OPTION_INVALID' });
  await turn();
  for (let count = 0; count < 300; count += 1) channel.sink().data(onWire(24, ipv6(996)));
  await turn();
  t.strictSame(batches, [1, 300]);
  t.equal(ledger.granted, 1004 + 300 * 1000);
  t.match(channel.counters, { received: 301, droppedIn: 0 });
});

t.test('what is no packet is counted, granted again and not told', async (t) => {
  const ledger = new Ledger();
  const { channel } = tunOn(ledger);
  let told = 0;
  channel.onPackets((packets) => (told += packets.length));
  const sink = channel.sink();
  sink.data(onWire(24, ipv4(50))); // the family does not fit
  sink.data(Buffer.alloc(3));
  sink.data(onWire(2, ipv4(longestPacket + 1)));
  for (let count = 0; count < 10; count += 1) sink.data(Buffer.alloc(30_000));
  await turn();
  t.equal(told, 0);
  t.equal(channel.counters.droppedIn, 13);
  t.ok(ledger.granted >= tunWindow / 8);
});

t.test('paused, at the most a window waits; a server that sends more is cut off', async (t) => {
  const ledger = new Ledger();
  const { channel, released } = tunOn(ledger);
  let told = 0;
  channel.onPackets((packets) => (told += packets.length));
  channel.pause();
  const packet = onWire(2, ipv4(16 * 1024 - 4));
  for (let count = 0; count < tunWindow / packet.length; count += 1) channel.sink().data(packet);
  await turn();
  t.equal(told, 0);
  t.equal(ledger.granted, 0);
  t.equal(ledger.closes, 0);
  channel.sink().data(onWire(2, ipv4(20)));
  await t.rejects(channel.closed, { code: 'PROTOCOL_ERROR' });
  t.equal(ledger.closes, 1);
  t.equal(released(), 1);
});
