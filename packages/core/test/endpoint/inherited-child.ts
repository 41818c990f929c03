/** Takes over descriptors 3 and 4, says their places, and serves the first: a client gets what it said. Twice, as after a reload. */
import process from 'node:process';
import { formatNearEnd, inheritListeners, listen, type NearListener, parseNearEnd } from '@viassh/core';

const places = await inheritListeners([3, 4, 5]);
const [first = ''] = places.map(formatNearEnd);
for (const round of ['one', 'two']) {
  const served = Promise.withResolvers<void>();
  // Given back with the first client: the next one is for the round that follows.
  const listening: Promise<NearListener> = listen(parseNearEnd(first), (client) => {
    client.resume().once('close', served.resolve);
    void (async () => {
      await (await listening).close();
      client.end(`${round}\n`);
    })();
  });
  const listener = await listening;
  process.stdout.write(`${JSON.stringify(places.map(formatNearEnd))}\n`);
  await served.promise;
  await listener.close();
}
