import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLogger, systemClock } from '@viassh/core';
import { createPppSession, type PppOptions, type PppSession } from '@viassh/plugin-ppp';
import { echoReply, echoRequest, missingForPppGuest, startPppGuest, waitUntil } from '@viassh/testing';
import t from 'tap';
import type { Wishes } from './ppp-world.ts';

const missing = await missingForPppGuest();
const guest = missing === undefined ? await startPppGuest() : undefined;
/** One login for all: the guest is slow at them. */
const socket = join(dirname(guest?.configFile ?? ''), 'master');
const control = ['-S', socket];
const master = guest && spawn('ssh', ['-M', '-N', ...control, '-F', guest.configFile, 'guest'], { stdio: 'ignore' });
if (master !== undefined) await waitUntil('the login', () => existsSync(socket));
t.teardown(async () => {
  master?.kill();
  await guest?.[Symbol.asyncDispose]();
});
const skip = missing ?? false;
const addresses = { localAddress: '10.99.0.9', remoteAddress: '10.99.0.2' };

interface Dialled extends AsyncDisposable {
  readonly session: PppSession;
  readonly packets: Buffer[];
  readonly log: string[];
  /** Ends it; gives pppd's own exit code. */
  hangUp(): Promise<number | null>;
}

/** A session with the pppd that a command in the guest starts. */
function dial(command: string, wishes: Wishes = {}): Dialled {
  const program = spawn('ssh', [...control, '-F', guest!.configFile, 'guest', command], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  const packets: Buffer[] = [];
  const options: PppOptions = {
    mru: 1500,
    clock: systemClock,
    randomBytes,
    log: createLogger('debug', (_level, message) => log.push(message)),
    output: (bytes) => void program.stdin.write(bytes),
    onPackets: (batch) => packets.push(...batch.map((packet) => Buffer.from(packet))),
    ...wishes,
  };
  const session = createPppSession(options);
  const exit = new Promise<number | null>((resolve) => program.on('exit', resolve));
  program.stdin.on('error', () => undefined);
  program.stderr.on('data', (text: Buffer) => log.push(text.toString()));
  program.stdout.on('data', (bytes: Buffer) => session.receive(bytes));
  program.stdout.on('end', () => session.lowerDown());
  session.open();
  const hangUp = async (): Promise<number | null> => {
    await session.close();
    program.stdin.end();
    return await exit;
  };
  return { session, packets, log, hangUp, [Symbol.asyncDispose]: async () => void (await hangUp()) };
}

const pppd = 'pppd notty local nodefaultroute nodetach refuse-eap';
const credentials = { name: 'testuser', secret: 'testpass' };

const demands = { pap: 'pap', chap: 'chap-md5' } as const;

for (const protocol of ['pap', 'chap'] as const) {
  t.test(
    `pppd takes our proof by ${protocol}, gives an address, and answers over IPv4 and IPv6`,
    { skip },
    async (t) => {
      const command = `${pppd} auth require-${protocol} mru 16000 ms-dns 10.88.0.1 +ipv6 10.99.0.1:10.99.0.2`;
      await using link = dial(command, { credentials, mru: 16000, ipv6: true, askDns: true });
      const terms = await link.session.agreed;
      t.match(terms, { mtu: 16000, dns: ['10.88.0.1'], addresses: { length: 2 } }, link.log.join('\n'));
      t.same(terms.addresses[0], { local: '10.99.0.2', remote: '10.99.0.1', prefix: 32 });
      const { local = '', remote = '' } = terms.addresses.at(1) ?? {};
      // The first packet after the agreement is answered: pppd's device is up by then.
      link.session.send([
        echoRequest({ from: '10.99.0.2', to: '10.88.0.1', sequence: 1, payload: Buffer.alloc(15_000, '~}') }),
        echoRequest({ from: local, to: remote, sequence: 2 }),
      ]);
      const answered = (): number[] => link.packets.flatMap((packet) => echoReply(packet)?.sequence ?? []);
      await waitUntil('both answers', () => answered().length === 2);
      t.same(
        answered().toSorted((a, b) => a - b),
        [1, 2],
      );
      t.equal(await link.hangUp(), 16, 'pppd: the link was ended by the other side');
      await link.session.closed;
      t.match(link.session.counters, { sent: 2, droppedOut: 0 });
    },
  );

  t.test(`pppd refuses a wrong secret by ${protocol}, and so do we`, { skip }, async (t) => {
    const command = `${pppd} auth require-${protocol} 10.99.0.1:10.99.0.2`;
    await using link = dial(command, { credentials: { ...credentials, secret: 'guessed' } });
    const demand = { protocol: demands[protocol], name: 'us', secretOf: () => 'another' };
    await using other = dial(`${pppd} noauth user testuser`, { ...addresses, demand });
    for (const { session } of [link, other]) {
      await t.rejects(session.agreed, { code: 'PPP_AUTH_FAILED', message: /testuser/ });
      await t.rejects(session.closed, { code: 'PPP_AUTH_FAILED' });
    }
    t.equal(await link.hangUp(), 11, 'pppd: the other side could not prove who it is');
    t.equal(await other.hangUp(), 19, 'pppd: we could not prove who we are');
  });

  t.test(`pppd proves itself to us by ${protocol}, and gets its address and name servers`, { skip }, async (t) => {
    const demand = {
      protocol: demands[protocol],
      name: 'us',
      secretOf: (name: string) => (name === 'testuser' ? 'testpass' : undefined),
    };
    await using link = dial(`${pppd} noauth user testuser usepeerdns`, {
      ...addresses,
      demand,
      offerDns: ['10.99.0.9', '10.99.0.10'],
      acceptFrom: [],
    });
    const terms = await link.session.agreed;
    t.match(terms.addresses, [{ local: '10.99.0.9', remote: '10.99.0.2' }], link.log.join('\n'));
    t.match(await guest!.run('ip -4 -o address show ppp0; cat /etc/ppp/resolv.conf'), {
      stdout: /10\.99\.0\.2 peer 10\.99\.0\.9[^]*nameserver 10\.99\.0\.9[^]*nameserver 10\.99\.0\.10/,
    });
  });
}

t.test('pppd that demands a proof of somebody without a secret', { skip }, async (t) => {
  await using link = dial(`${pppd} auth require-chap 10.99.0.1:10.99.0.2`);
  await t.rejects(link.session.agreed, { code: 'PPP_AUTH_FAILED', hint: /--secret-file/ });
});

t.test('pppd that insists on other addresses than ours', { skip }, async (t) => {
  await using link = dial(`${pppd} noauth 10.99.0.1:10.99.0.2`, { localAddress: '10.99.0.7' });
  await t.rejects(link.session.agreed, { code: 'PPP_FAILED', message: /10\.99\.0\.2.*10\.99\.0\.7/ });
});

t.test('a command that is no pppd: its own words are in the message', { skip }, async (t) => {
  await using link = dial('echo This account is currently not available.');
  await t.rejects(link.session.agreed, { code: 'PPP_SILENT', message: /not available/ });
});
