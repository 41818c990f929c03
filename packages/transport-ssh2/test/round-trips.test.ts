import type { Route } from '@viassh/core';
import { type Sshd, startSshd } from '@viassh/testing';
import t, { type Test } from 'tap';
import { connectBy, output, routeBy } from './connect-to.ts';
import { startTurnRelay } from './turn-relay.ts';

/** A busy machine makes one turn look like two, never two like one. */
const TRIES = 5;

/** The least number of turns from the dial to the first byte of a command, TCP's own round trip included. */
async function roundTrips(t: Test, sshd: Sshd, change: (route: Route) => Route = (route) => route): Promise<number> {
  const relay = await startTurnRelay(t, sshd.port);
  const route = change(await routeBy({ configFile: sshd.configFile, options: [`Port=${relay.port}`] }));
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < TRIES && least > 6; index += 1) {
    await using connection = await connectBy(route, { spareSession: false });
    t.equal(await output(connection, 'echo here'), 'here\n');
    least = Math.min(least, 1 + relay.turns);
  }
  return least;
}

const withIdentities =
  (...identityFiles: string[]) =>
  ({ hops: [hop] }: Route): Route => ({ hops: [{ ...hop, identityFiles }] });

t.test('from the dial to the first byte: six round trips', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  t.equal(await roundTrips(t, sshd), 6, 'an Ed25519 key');
  for (const type of ['rsa', 'ecdsa'] as const) {
    const key = await sshd.generateKey({ type });
    await sshd.authorize(key.publicKey);
    t.equal(await roundTrips(t, sshd, withIdentities(key.file)), 6, `a key of type ${type}`);
  }
});

t.test('the server is asked first where there are several keys: one more', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const other = await sshd.generateKey();
  t.equal(await roundTrips(t, sshd, withIdentities(sshd.identityFile, other.file)), 7);
  t.match(await sshd.log(), /Postponed publickey/);
});
