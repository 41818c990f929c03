import { randomBytes } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { parseOptions, type PluginContext, silentLogger, systemClock } from '@viassh/core';
import { createPppSession, pppCarrier } from '@viassh/plugin-ppp';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import type { OpenFarLink } from '../../src/far-ends/far-link.ts';
import { linkOptions } from '../../src/plan/link-options.ts';
import { planOf } from '../../src/plan/link-plan.ts';
import { runStdioLink } from '../../src/stdio/run-stdio-link.ts';
import { fakeCarrier, usualTerms } from '../link/fake-link.ts';

/** An IPv4 packet of a header alone. */
function packet(from: string, to: string): Buffer {
  const bytes = Buffer.alloc(20);
  bytes[0] = 0x45;
  bytes.writeUInt16BE(20, 2);
  bytes.set(from.split('.').map(Number), 12);
  bytes.set(to.split('.').map(Number), 16);
  return bytes;
}

/** A far end without PPP, and the run that joins it with a stream. */
function start(far = fakeCarrier()) {
  const open: OpenFarLink = async () => ({
    kind: 'tun',
    carrier: far,
    terms: usualTerms,
    what: 'a fake',
    ended: async () => undefined,
    explain: async (error) => error,
  });
  const [ours, theirs] = duplexPair();
  const context = {
    connection: { info: { peer: 'jack@gate' } },
    stdio: { input: ours, output: ours, error: ours },
    log: silentLogger,
    signal: new AbortController().signal,
  } as unknown as PluginContext;
  const plan = planOf(parseOptions(linkOptions, { far: 'tun', stdio: true }));
  const run = runStdioLink(context, plan, { openers: { viassh: open, tun: open, pppd: open, slirp: open } });
  return { far, theirs, run };
}

t.test('a stdin that is no pppd is not called the far end alone', async (t) => {
  const { theirs, run } = start();
  theirs.resume().end();
  await t.rejects(run, { code: 'PPP_SILENT', message: /^PPP on stdin and stdout/, hint: /viassh recipe pppd/ });
});

t.test('a pppd here that gets no addresses, or no packets, from a far end without PPP', async (t) => {
  const { far, theirs, run } = start();
  const pppd = pppCarrier(theirs, (ends) =>
    createPppSession({
      ...ends,
      clock: systemClock,
      randomBytes,
      log: silentLogger,
      mru: 1500,
      ipv6: true,
      askDns: true,
      acceptFrom: ['0.0.0.0/0'],
    }),
  );
  const { addresses, dns } = await pppd.agreed;
  t.same(addresses[0], usualTerms.addresses[0], 'the end here has the address of the link');
  t.same(dns, usualTerms.dns);
  const came: Buffer[] = [];
  pppd.onPackets((packets) => came.push(...packets.map((bytes) => Buffer.from(bytes))));
  pppd.resume();
  const out = packet('192.168.1.9', '198.51.100.7'); // pppd forwards for its network
  await waitUntil('a packet to go', () => {
    pppd.send([out]);
    return far.sent.length > 0;
  });
  t.same(far.sent[0], out);
  const back = packet('198.51.100.7', '192.168.1.9');
  far.emit([back]);
  await waitUntil('a packet to come', () => came.length > 0);
  t.same(came, [back]);
  await pppd.close();
  t.same(await run, { kind: 'status', code: 0 });
});
