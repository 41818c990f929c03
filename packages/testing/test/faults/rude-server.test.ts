import { startRudeServer, type Rudeness, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { dial } from './dial.ts';

await watchLeaks(t);

const says: readonly (readonly [Rudeness, RegExp, 'end' | 'ECONNRESET' | undefined])[] = [
  ['half a version', /^SSH-2\.0-ru$/, 'end'],
  ['old version', /^SSH-1\.5-rude\r\n$/, 'end'],
  ['version and close', /^SSH-2\.0-rude\r\n$/, 'end'],
  ['version and reset', /^(SSH-2\.0-rude\r\n)?$/, 'ECONNRESET'],
  ['version and silence', /^SSH-2\.0-rude\r\n$/, undefined],
  ['packet too long', /^SSH-2\.0-rude\r\n\xff{64}$/, 'end'],
  ['kexinit and close', /^SSH-2\.0-rude\r\n[^]{22,26}curve25519-sha256/, 'end'],
  ['nothing in common', /^SSH-2\.0-rude\r\n[^]{22,26}rude-kex/, undefined],
];
for (const [rudeness, pattern, ending] of says) {
  t.test(rudeness, async (t) => {
    await using server = await startRudeServer(rudeness);
    using client = await dial(server.port);
    client.socket.write('SSH-2.0-client\r\n');
    await waitUntil('its words', () =>
      ending === undefined ? pattern.test(client.text()) : client.ending() === ending,
    );
    t.match(client.text(), pattern);
    t.equal(server.visits, 1);
  });
}

for (const rudeness of ['garbage', 'endless line', 'endless lines'] as const) {
  t.test(`${rudeness}: no version ever`, async (t) => {
    await using server = await startRudeServer(rudeness);
    using client = await dial(server.port);
    await waitUntil('64 KiB', () => client.socket.bytesRead >= 65_536);
    t.notMatch(client.text(), /^SSH-/m);
    t.equal(client.text().includes('\n'), rudeness === 'endless lines');
  });
}
