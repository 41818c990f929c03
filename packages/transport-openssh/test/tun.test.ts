import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  type Connection,
  type PacketChannel,
  parseDestination,
  resolveRoute,
  silentLogger,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import {
  echoReply,
  echoRequest,
  missingForTun,
  type Sshd,
  startTunServer,
  waitUntil,
  watchLeaks,
} from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';

const skip = (await missingForTun()) ?? false;
const programs = createProgramRunner();
const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-t-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));

async function connectTo(sshd: Sshd): Promise<Connection> {
  const { homedir: home, username: user } = userInfo();
  const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
  const route = await resolveRoute(source, parseDestination(sshd.destination), { configFile: sshd.configFile });
  const transport = createOpensshTransport({ programs, runtimeFolder });
  return await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
}

/** The sequence numbers answered, in order, until there are `count`. */
function answers(tun: PacketChannel, count: number): Promise<{ sequences: number[]; payloads: Buffer[] }> {
  const sequences: number[] = [];
  const payloads: Buffer[] = [];
  return new Promise((resolve) => {
    tun.onPackets((packets) => {
      for (const packet of packets) {
        const reply = echoReply(packet);
        if (reply === undefined || reply.sequence === 999) continue; // a device talks by itself, too
        sequences.push(reply.sequence);
        payloads.push(reply.payload);
        if (sequences.length === count) resolve({ sequences, payloads });
      }
    });
  });
}

/** Asks until there is an answer: the kernel drops what comes before it has noticed that somebody opened its device. */
async function answerTo(tun: PacketChannel, request: Buffer, isAnswer: (packet: Buffer) => boolean): Promise<Buffer> {
  let answer: Buffer | undefined;
  tun.onPackets((packets) => (answer ??= packets.find(isAnswer)));
  return await waitUntil(
    'an answer of the device',
    () => {
      if (answer === undefined) tun.send([request]);
      return answer;
    },
    { withinMs: 20_000 },
  );
}

for (const family of ['Ipv4', 'Ipv6'] as const) {
  t.test(`the far kernel answers echo requests, ${family}`, { skip }, async (t) => {
    await watchLeaks(t, { folders: [runtimeFolder] });
    await using server = await startTunServer();
    await using connection = await connectTo(server.sshd);
    const { unit, ...addresses } = server.devices['point-to-point'];
    await using tun = await connection.openTun({ mode: 'point-to-point', unit });
    const [from, to] = family === 'Ipv4' ? [addresses.ourIpv4, addresses.ipv4] : [addresses.ourIpv6, addresses.ipv6];
    const payload = Buffer.alloc(1000, 'x');
    const requests = Array.from({ length: 50 }, (_, sequence) => echoRequest({ from, to, sequence, payload }));
    await answerTo(tun, echoRequest({ from, to, sequence: 999 }), (packet) => echoReply(packet)?.sequence === 999);
    const counted = tun.counters.sent;
    const answered = answers(tun, requests.length);
    t.equal(tun.send(requests), requests.length);
    const { sequences, payloads } = await answered;
    t.strictSame(
      sequences,
      requests.map((_, sequence) => sequence),
    );
    t.ok(payloads.every((bytes) => bytes.equals(payload)));
    t.equal(tun.counters.sent - counted, 50);
    t.equal(tun.counters.droppedOut, 0);
  });
}

t.test('both sides count the window alike, however many packets fill it', { skip }, async (t) => {
  await using server = await startTunServer();
  await using connection = await connectTo(server.sshd);
  const { unit, ourIpv4: from, ipv4: to } = server.devices['point-to-point'];
  await using tun = await connection.openTun({ mode: 'point-to-point', unit });
  const packet = echoRequest({ from, to, sequence: 1, payload: Buffer.alloc(64) });
  const batch = Array.from({ length: 500 }, () => packet);
  for (let sent = 0; sent < 150_000; sent += tun.send(batch)) await tun.ready();
  const last = echoRequest({ from, to, sequence: 2 });
  await answerTo(tun, last, (answer) => echoReply(answer)?.sequence === 2); // behind all the others
  t.notMatch(await server.sshd.log(), /rcvd too much data|rcvd big packet/);
});

t.test('Ethernet frames reach a tap device: it tells its address', { skip }, async (t) => {
  await using server = await startTunServer();
  await using connection = await connectTo(server.sshd);
  const { unit, ourIpv4, ipv4 } = server.devices.ethernet;
  await using tun = await connection.openTun({ mode: 'ethernet', unit });
  const answer = await answerTo(
    tun,
    arpRequest(ourIpv4, ipv4),
    (frame) => frame.readUInt16BE(12) === 0x0806 && frame.readUInt16BE(20) === 2,
  );
  t.strictSame([...answer.subarray(28, 32)], ipv4.split('.').map(Number));
});

t.test('without PermitTunnel it is refused, with the word to look for; the connection goes on', { skip }, async (t) => {
  await using server = await startTunServer({ config: ['PermitTunnel no'] });
  await using connection = await connectTo(server.sshd);
  const { unit } = server.devices['point-to-point'];
  await t.rejects(connection.openTun({ mode: 'point-to-point', unit }), {
    code: 'CHANNEL_REFUSED',
    hint: /PermitTunnel/,
  });
  const { exit } = await connection.pipe('true');
  t.strictSame(await exit, { kind: 'status', code: 0 });
});

t.test('a lost connection is told', { skip }, async (t) => {
  await using server = await startTunServer();
  await using connection = await connectTo(server.sshd);
  const { unit } = server.devices['point-to-point'];
  const tun = await connection.openTun({ mode: 'point-to-point', unit });
  await server.sshd.kill();
  await t.rejects(tun.closed, { code: 'CONNECTION_LOST' });
});

/** RFC 826: who has `to`, tell `from`. */
function arpRequest(from: string, to: string): Buffer {
  const mac = Buffer.from([2, 0, 0, 0, 0, 9]);
  return Buffer.concat([
    Buffer.alloc(6, 0xff),
    mac,
    Buffer.from([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]),
    mac,
    Buffer.from(from.split('.').map(Number)),
    Buffer.alloc(6),
    Buffer.from(to.split('.').map(Number)),
  ]);
}
