import { type Connection, longestPacket, type PacketChannel, type PacketCounters } from '@viassh/core';
import { waitUntil } from '../processes/wait-until.ts';
import { type EchoReply, echoReply, echoRequest } from '../tun/echo-packets.ts';
import type { TunDevice } from '../tun/tun-server.ts';
import { codeOf, collect, failureOf } from './collect.ts';
import type { ComplianceArea, ComplianceBench, ComplianceCase } from './compliance-case.ts';
import type { ComplianceServer } from './harness.ts';
import { leftBehind } from './left-behind.ts';

const needs = ['tun'] as const;
/** More of it than any window holds. */
const flood = 3000;
/** The sequence number of those that ask whether anybody is there. */
const FIRST = 0xffff;

/** Connection: tun channels. */
export const tunArea: ComplianceArea = {
  name: 'tun',
  cases: [
    ...(['IPv4', 'IPv6'] as const).map(
      (family): ComplianceCase => ({
        name: `${family} echo requests of all sizes are answered, each packet with its own boundaries`,
        needs,
        run: async (t, { serve }) => {
          await using tun = await openTun(serve);
          t.equal(tun.channel.type, 'tun@openssh.com');
          t.equal(tun.channel.mode, 'point-to-point');
          const sizes = [0, 1, 56, 57, 500, 1000, 1400];
          const packets = sizes.map((size, sequence) => tun.echo(family, sequence, size));
          t.equal(tun.channel.send(packets), sizes.length);
          for (const packet of packets) packet.fill(0); // the buffers are ours again
          await waitUntil('all answers', () => tun.replies.length >= sizes.length);
          const answered = tun.replies.toSorted((a, b) => a.sequence - b.sequence);
          t.strictSame(
            answered.map(({ payload }) => payload.length),
            sizes,
          );
          t.ok(answered.every(({ payload }) => payload.every((byte) => byte === 0x61)));
          t.ok(answered.every((reply) => reply.family === (family === 'IPv4' ? 4 : 6)));
          t.equal(tun.channel.counters.sent - tun.before.sent, sizes.length);
          t.ok(tun.channel.counters.received - tun.before.received >= sizes.length);
          t.match(tun.channel.counters, { droppedOut: 0, droppedIn: 0 });
        },
      }),
    ),
    {
      name: 'a packet that is too long is dropped and counted, those around it go',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        const long = Buffer.alloc(longestPacket + 1, 0x45);
        t.equal(tun.channel.send([tun.echo('IPv4', 1, 8), long, tun.echo('IPv4', 2, 8)]), 2);
        await waitUntil('both answers', () => tun.replies.length >= 2);
        t.match(tun.channel.counters, { sent: tun.before.sent + 2, droppedOut: 1 });
      },
    },
    {
      name: 'more than there is room for is dropped and counted; ready tells when there is room again',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        const packets = Array.from({ length: flood }, (_, index) => tun.echo('IPv4', index & 0xffff, 1400));
        const sent = tun.channel.send(packets);
        t.ok(sent > 0 && sent < flood, `${sent} of ${flood} went`);
        t.match(tun.channel.counters, { sent: tun.before.sent + sent, droppedOut: flood - sent });
        await tun.channel.ready();
        tun.replies.length = 0;
        t.equal(tun.channel.send([tun.echo('IPv6', 4711, 32)]), 1);
        await waitUntil('the answer after the flood', () => tun.replies.some((reply) => reply.family === 6));
        t.equal(tun.channel.counters.sent - tun.before.sent, sent + 1);
      },
    },
    {
      name: 'many windows of packets go through one after the other: none is lost to the accounting',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        const rounds = 400;
        for (let round = 0; round < rounds; round += 1) {
          await tun.channel.ready();
          const heard = tun.replies.length;
          const batch = Array.from({ length: 20 }, (_, index) => tun.echo('IPv4', round * 20 + index, 1400));
          if (tun.channel.send(batch) !== batch.length) t.fail('there was room, and it dropped');
          await waitUntil('the answers', () => tun.replies.length >= heard + batch.length, { everyMs: 1 });
        }
        t.equal(tun.replies.length, rounds * 20);
        t.equal(tun.channel.counters.sent - tun.before.sent, rounds * 20);
      },
    },
    {
      name: 'nothing comes while it is paused, or before there is a handler; then all of it, in order',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve, { silent: true });
        let asked = 0;
        const come = (): boolean => {
          asked += tun.channel.send([tun.echo('IPv4', asked + 1, 16)]); // the far kernel takes the first ones for nothing
          return tun.channel.counters.received >= 5;
        };
        await waitUntil('some to have come', come);
        t.equal(tun.replies.length, 0);
        tun.listen();
        await waitUntil('the last answer', () => tun.replies.at(-1)?.sequence === asked);
        t.equal(tun.heard(), tun.channel.counters.received, 'packets that came before there was a handler included');
        const sequences = tun.replies.map(({ sequence }) => sequence);
        t.strictSame(
          sequences,
          sequences.toSorted((one, other) => one - other),
        );
        tun.replies.length = 0;
        tun.channel.pause();
        tun.channel.send([1, 2, 3].map((more) => tun.echo('IPv4', asked + more, 16)));
        for (let round = 0; round < 3; round += 1)
          await collect(await tun.connection.openSession({ kind: 'exec', command: 'true' }));
        t.equal(tun.replies.length, 0);
        tun.channel.resume();
        await waitUntil('the others', () => tun.replies.length >= 3);
        t.strictSame(
          tun.replies.map(({ sequence }) => sequence),
          [1, 2, 3].map((more) => asked + more),
        );
      },
    },
    {
      name: 'close: closed resolves, nothing is sent any more, ready does not hang, the connection lives on',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        await tun.channel.close();
        await tun.channel.closed;
        await tun.channel.close();
        t.equal(tun.channel.send([tun.echo('IPv4', 1, 8)]), 0);
        t.equal(tun.channel.counters.droppedOut, 1);
        await tun.channel.ready();
        const { exit } = await collect(await tun.connection.openSession({ kind: 'exec', command: 'exit 3' }));
        t.strictSame(exit, { kind: 'status', code: 3 });
      },
    },
    {
      name: 'closing the connection: closed resolves',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        await tun.connection.close();
        await tun.channel.closed;
        t.equal(tun.channel.send([tun.echo('IPv4', 1, 8)]), 0);
      },
    },
    {
      name: 'the server dies: closed rejects with CONNECTION_LOST, ready does not hang',
      needs,
      run: async (t, { serve }) => {
        await using tun = await openTun(serve);
        await tun.cut();
        t.equal(await codeOf(tun.channel.closed), 'CONNECTION_LOST');
        await tun.channel.ready();
        t.equal(tun.channel.send([tun.echo('IPv4', 1, 8)]), 0);
      },
    },
    {
      name: 'the server permits none: CHANNEL_REFUSED with a hint, and the connection lives on',
      needs,
      run: async (t, { serve }) => {
        await using connection = await (await serve({ refuse: ['tun'] })).connect();
        const error = await failureOf(connection.openTun({ mode: 'point-to-point' }));
        t.equal(error.code, 'CHANNEL_REFUSED');
        t.match(error.hint, /PermitTunnel/);
        const { exit } = await collect(await connection.openSession({ kind: 'exec', command: 'exit 3' }));
        t.strictSame(exit, { kind: 'status', code: 3 });
      },
    },
    {
      name: 'a unit that no device can have: OPTION_INVALID',
      needs,
      run: async (t, { connection }) => {
        const shared = await connection();
        for (const unit of [-1, 1.5, Number.NaN, 2 ** 32])
          t.equal(await codeOf(shared.openTun({ mode: 'point-to-point', unit })), 'OPTION_INVALID', `${unit}`);
      },
    },
    {
      name: 'an abort before and while it is opened: ABORTED; after close: CONNECTION_CLOSED; nothing is left',
      needs,
      run: async (t, bench) => {
        const server = await bench.serve({ tun: true });
        const { connect } = server;
        const { unit } = deviceOf(server);
        await (await connect()).close();
        const left = await leftBehind(bench, async () => {
          const connection = await connect();
          const mode = 'point-to-point';
          t.equal(await codeOf(connection.openTun({ mode, unit, signal: AbortSignal.abort() })), 'ABORTED');
          const controller = new AbortController();
          const opening = codeOf(connection.openTun({ mode, unit, signal: controller.signal }));
          controller.abort();
          t.equal(await opening, 'ABORTED');
          await connection.close();
          t.equal(await codeOf(connection.openTun({ mode, unit })), 'CONNECTION_CLOSED');
        });
        t.strictSame(left, []);
      },
    },
  ],
};

function deviceOf({ tunDevice }: ComplianceServer): TunDevice {
  if (tunDevice === undefined) throw new Error('the harness made no tun device');
  return tunDevice;
}

/** A tun channel to a server of its own, with what came back. */
async function openTun(
  serve: ComplianceBench['serve'],
  { silent = false }: { readonly silent?: boolean } = {},
): Promise<
  AsyncDisposable & {
    readonly connection: Connection;
    readonly channel: PacketChannel;
    readonly replies: EchoReply[];
    /** What was counted until the far kernel answered for the first time. */
    readonly before: PacketCounters;
    /** Packets that the handler got, whatever is in them. */
    heard(): number;
    listen(): void;
    echo(family: 'IPv4' | 'IPv6', sequence: number, size: number): Buffer;
    cut(): Promise<void>;
  }
> {
  const server = await serve({ tun: true });
  const device = deviceOf(server);
  const connection = await server.connect();
  const channel = await connection.openTun({ mode: 'point-to-point', unit: device.unit });
  const replies: EchoReply[] = [];
  const answered = new Set<number>();
  let heard = 0;
  const listen = (): void =>
    channel.onPackets((packets) => {
      for (const packet of packets) {
        heard += 1;
        const reply = echoReply(packet);
        if (reply?.sequence === FIRST) answered.add(reply.family);
        else if (reply !== undefined) replies.push(reply);
      }
    });
  const echo = (family: 'IPv4' | 'IPv6', sequence: number, size: number): Buffer =>
    echoRequest({
      from: family === 'IPv4' ? device.ourIpv4 : device.ourIpv6,
      to: family === 'IPv4' ? device.ipv4 : device.ipv6,
      sequence,
      payload: Buffer.alloc(size, 0x61),
    });
  if (!silent) {
    listen();
    // A kernel drops what comes for a device until it has noticed that somebody opened it.
    await waitUntil('the first answers', () => {
      if (answered.size < 2) channel.send([echo('IPv4', FIRST, 0), echo('IPv6', FIRST, 0)]);
      return answered.size === 2;
    });
  }
  return {
    connection,
    channel,
    replies,
    before: { ...channel.counters },
    heard: () => heard,
    listen,
    echo,
    cut: () => server.cut(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
