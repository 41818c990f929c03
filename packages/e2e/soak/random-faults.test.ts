import { randomInt } from 'node:crypto';
import { type Connection, isViasshError } from '@viassh/core';
import { type FaultyRelay, findLeaks, type Sshd, startFaultyRelay, startSshd, takeInventory } from '@viassh/testing';
import { onBothTransports } from '../test/both-transports.ts';
import { runtimeFolder, transports } from '../test/run-viassh.ts';
import { connectTo, seeded, soakMinutes } from './soak-bench.ts';

const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));
const HANGS_MS = 60_000;
/** What a network may do to us; anything else is a mistake of ours. */
const allowed = ['ok', 'CHANNEL_REFUSED', 'CONNECTION_LOST', 'SERVER_CLOSED', 'CONNECT_TIMEOUT'];

onBothTransports('random faults: every wait ends, with a code that fits, and nothing is left', async (t, transport) => {
  t.comment(`VIASSH_SOAK_SEED=${seed}`);
  const chance = seeded(seed);
  const endAt = performance.now() + (soakMinutes * 60_000) / transports.length;
  const counts: Record<string, number> = {};
  let rounds = 0;
  await using sshd = await startSshd({ mode: 'listen' });
  await (await connectTo(sshd, transport)).close(); // what is loaded once for all may stay
  const before = await takeInventory({ folders: [runtimeFolder] });
  while (performance.now() < endAt) {
    rounds += 1;
    for (const result of await inTime(round(sshd, transport, chance))) counts[result] = (counts[result] ?? 0) + 1;
    const left = await findLeaks(before, { folders: [runtimeFolder], withinMs: 15_000 });
    if (left.length > 0) throw new Error(`round ${rounds} leaves:\n${left.join('\n')}`);
  }
  t.comment(`${transport}: ${rounds} rounds: ${JSON.stringify(counts)}`);
  t.strictSame(
    Object.keys(counts).filter((code) => !allowed.includes(code)),
    [],
  );
  t.ok((counts['ok'] ?? 0) > 0 && (counts['CONNECTION_LOST'] ?? 0) > 0, 'both ends of it were seen');
});

async function round(sshd: Sshd, transport: (typeof transports)[number], chance: () => number): Promise<string[]> {
  await using relay = await startFaultyRelay({
    to: sshd.port,
    ...(chance() < 0.2 ? { delayMs: Math.ceil(chance() * 40) } : {}),
    ...(chance() < 0.2 ? { maxChunk: 200 + Math.floor(chance() * 1000) } : {}),
  });
  setTrap(relay, chance);
  try {
    const options = ['ServerAliveInterval=1', 'ServerAliveCountMax=2', 'ConnectTimeout=3'];
    await using connection = await connectTo(sshd, transport, relay.port, ...options);
    return await Promise.all(Array.from({ length: 1 + Math.floor(chance() * 8) }, () => use(connection, chance())));
  } catch (error) {
    return [codeOf(error)];
  }
}

/** Something bad somewhere in the first 3 MB, or in the login, or nothing. */
function setTrap(relay: FaultyRelay, chance: () => number): void {
  const kind = chance();
  const direction = chance() < 0.7 ? 'toClient' : 'toServer';
  const how = chance() < 0.5 ? 'fin' : 'rst';
  const bytes = Math.floor(chance() < 0.3 ? chance() * 4000 : chance() * 3_000_000);
  const waitMs = chance() * 600;
  if (kind < 0.4) relay.at({ direction, bytes }, (wire) => wire.cut({ how, lose: Math.floor(chance() * 100) }));
  else if (kind < 0.5) relay.at({ direction, bytes }, (wire) => wire.stall());
  else if (kind < 0.8) {
    relay.at({ direction, bytes }, (wire) => {
      wire.stall();
      setTimeout(() => wire.resume(), waitMs);
    });
  }
}

async function use(connection: Connection, choice: number): Promise<string> {
  try {
    if (choice < 0.15) {
      await connection.openDirectTcpip({ host: '127.0.0.1', port: 1 });
      return 'a channel to nobody';
    }
    const bytes = Math.floor(choice * 1_000_000);
    const channel = await connection.openSession({ kind: 'exec', command: 'exec cat' });
    channel.stderr.resume();
    channel.end(Buffer.alloc(bytes, 'x'));
    let came = 0;
    for await (const chunk of channel) came += (chunk as Buffer).length;
    const exit = await channel.exit;
    return came === bytes && exit.kind === 'status' && exit.code === 0 ? 'ok' : `wrong: ${came} of ${bytes} bytes`;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  return isViasshError(error) ? error.code : String(error);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a round hangs')), HANGS_MS);
  });
  try {
    return await Promise.race([work, hangs]);
  } finally {
    clearTimeout(timer);
  }
}
