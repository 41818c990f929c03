import { type PacketChannel } from '@viassh/core';
import {
  type EchoReply,
  echoReply,
  echoRequest,
  missingForTun,
  startSshd,
  startTunServer,
  type TunDevice,
  waitUntil,
} from '@viassh/testing';
import t from 'tap';
import { connectTo, failureOf } from '../connect-to.ts';

const skip = (await missingForTun()) ?? false;

const FIRST = 0; // the sequence number of what asks whether anybody is there

/** Collects the echo replies of a channel; a kernel drops what comes for a device until it has noticed its opener. */
async function repliesOf(channel: PacketChannel, { ourIpv4, ipv4 }: TunDevice): Promise<EchoReply[]> {
  const replies: EchoReply[] = [];
  let isThere = false;
  channel.onPackets((packets) => {
    for (const packet of packets) {
      const reply = echoReply(packet);
      if (reply?.sequence === FIRST) isThere = true;
      else if (reply !== undefined) replies.push(reply);
    }
  });
  await waitUntil('the kernel to notice', async () => {
    if (!isThere) channel.send([echoRequest({ from: ourIpv4, to: ipv4, sequence: FIRST })]);
    return isThere;
  });
  return replies;
}

t.test('tun devices', { skip }, async (t) => {
  await using server = await startTunServer();
  const device = server.devices['point-to-point'];
  await t.test('the kernel behind the device answers, IPv4 and IPv6, with every byte', async (t) => {
    await using connection = await connectTo(server.sshd);
    await using channel = await connection.openTun({ mode: 'point-to-point', unit: device.unit });
    t.match(channel, { type: 'tun@openssh.com', mode: 'point-to-point' });
    const replies = await repliesOf(channel, device);
    const before = { ...channel.counters };
    const payload = Buffer.alloc(1200, 'viassh');
    const four = echoRequest({ from: device.ourIpv4, to: device.ipv4, sequence: 1, payload });
    const six = echoRequest({ from: device.ourIpv6, to: device.ipv6, sequence: 2, payload });
    const noPacket = Buffer.alloc(40);
    t.equal(channel.send([four, noPacket, six]), 2);
    await waitUntil('two replies', async () => replies.length === 2);
    t.match(
      replies.toSorted((a, b) => a.sequence - b.sequence),
      [
        { family: 4, sequence: 1 },
        { family: 6, sequence: 2 },
      ],
    );
    t.ok(replies.every((reply) => reply.payload.equals(payload)));
    t.match(channel.counters, { sent: before.sent + 2, droppedOut: 1, droppedIn: 0 });
    t.ok(channel.counters.received >= before.received + 2);
  });

  await t.test('more packets than a window holds', async (t) => {
    await using connection = await connectTo(server.sshd);
    await using channel = await connection.openTun({ mode: 'point-to-point', unit: device.unit });
    const packet = echoRequest({ from: device.ourIpv4, to: device.ipv4, sequence: 1, payload: Buffer.alloc(64) });
    const batch = Array.from({ length: 64 }, () => packet);
    const replies = await repliesOf(channel, device);
    const before = { ...channel.counters };
    let sent = 0;
    while (sent < 30_000) {
      await channel.ready();
      sent += channel.send(batch);
    }
    t.equal(channel.counters.sent - before.sent, sent);
    const last = echoRequest({ from: device.ourIpv4, to: device.ipv4, sequence: 77, payload: Buffer.from('last') });
    await channel.ready();
    t.equal(channel.send([last]), 1);
    await waitUntil('the answer to the last', async () => replies.some(({ sequence }) => sequence === 77));
    t.notMatch(await server.sshd.log(), /rcvd too much data/);
  });

  await t.test('paused: packets wait; resumed: they come', async (t) => {
    await using connection = await connectTo(server.sshd);
    await using channel = await connection.openTun({ mode: 'point-to-point', unit: device.unit });
    const replies = await repliesOf(channel, device);
    const { received } = channel.counters;
    channel.pause();
    channel.send([echoRequest({ from: device.ourIpv4, to: device.ipv4, sequence: 9 })]);
    await waitUntil('the reply to have come', async () => channel.counters.received > received);
    for (let round = 0; round < 3; round += 1) await connection.ping();
    t.equal(replies.length, 0);
    channel.resume();
    await waitUntil('the reply', async () => replies.length === 1);
  });

  await t.test('ethernet: frames as they are', async (t) => {
    await using connection = await connectTo(server.sshd);
    const tap = server.devices.ethernet;
    await using channel = await connection.openTun({ mode: 'ethernet', unit: tap.unit });
    const ours = Buffer.from('02000000aa01', 'hex');
    const arp = Buffer.concat([
      Buffer.from('ffffffffffff', 'hex'),
      ours,
      Buffer.from('08060001080006040001', 'hex'), // RFC 826: who has
      ours,
      Buffer.from(tap.ourIpv4.split('.').map(Number)),
      Buffer.alloc(6),
      Buffer.from(tap.ipv4.split('.').map(Number)),
    ]);
    const answers: Buffer[] = [];
    channel.onPackets((frames) => {
      for (const frame of frames)
        if (frame.readUInt16BE(12) === 0x0806 && frame.readUInt16BE(20) === 2) answers.push(frame);
    });
    await waitUntil('an answer', async () => {
      t.equal(channel.send([arp]), 1); // a device that has just come up may lose some
      return answers.length > 0;
    });
    t.strictSame([...(answers[0]?.subarray(28, 32) ?? [])], tap.ipv4.split('.').map(Number));
  });

  await t.test('refused with a hint; bad units are no requests', async (t) => {
    await using connection = await connectTo(server.sshd);
    const refused = await failureOf(connection.openTun({ mode: 'point-to-point', unit: 99 }));
    t.match(refused, { code: 'CHANNEL_REFUSED', message: /tun device/, hint: /PermitTunnel/ });
    t.equal((await failureOf(connection.openTun({ mode: 'ethernet', unit: -1 }))).code, 'OPTION_INVALID');
  });

  await t.test('the end: closed by us resolves, a lost connection rejects', async (t) => {
    const connection = await connectTo(server.sshd);
    const first = await connection.openTun({ mode: 'point-to-point', unit: device.unit });
    await first.close();
    await first.closed;
    await first.ready();
    t.equal(first.send([echoRequest({ from: device.ourIpv4, to: device.ipv4, sequence: 1 })]), 0);
    const second = await waitUntil('the device to be free', () =>
      connection.openTun({ mode: 'point-to-point', unit: device.unit }).catch(() => undefined),
    );
    await server.sshd.kill();
    await t.rejects(second.closed, { code: 'CONNECTION_LOST' });
    await connection.close();
  });
});

t.test('an sshd without PermitTunnel', async (t) => {
  await using sshd = await startSshd();
  await using connection = await connectTo(sshd);
  t.match(await failureOf(connection.openTun({ mode: 'ethernet' })), {
    code: 'CHANNEL_REFUSED',
    hint: /PermitTunnel ethernet/,
  });
});
