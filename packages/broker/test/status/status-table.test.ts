import t from 'tap';
import { drawStatus, formatStatus } from '@viassh/broker';
import { aStatus, now } from './a-status.ts';

t.test('the table: what stands, what it goes through, and why something does not', async (t) => {
  t.equal(
    formatStatus(aStatus, now),
    `TUNNEL  STATE    SINCE  PLUGIN   VIA   LISTENS             PROBE
web     up       3m     forward  gate  tcp:127.0.0.1:4321  not well
mail    waiting  0s     imap     far   unix:/m
raw     down     0s     pipe     gate  -
taken   failed   0s     forward  gate  -

CONNECTION          STATE    SINCE  TRANSPORT  ROUND TRIP  UPS  CHANNELS  LEASES  SENT    RECEIVED
me@gate.example:22  up       3m     openssh    12 ms       3    2         1       1.2 MB  999 B
far"away\\           waiting  5s     -          -           0    0         0       0 B     0 B

far"away\\: CONNECTION_REFUSED: nothing listens at far:22; attempt 5 in 21s
  is it on?
web: the probe says: HTTP/1.1 503 \\u001b[2Jgone
taken: LISTEN_FAILED: cannot listen on tcp:127.0.0.1:80
`,
  );
});

t.test('names narrow it to their tunnels and connections', async (t) => {
  const text = formatStatus(aStatus, now, ['mail']);
  t.match(text, /^mail /m);
  t.notMatch(text, /web|gate|taken/);
  t.equal(formatStatus({ ...aStatus, tunnels: [], connections: [] }, now), 'no tunnels\n');
});

t.test('watching: throughput of two snapshots, drawn inside of the terminal', async (t) => {
  const [gate, ...others] = aStatus.connections;
  if (gate === undefined) throw new Error('no connection');
  const later = { ...aStatus, connections: [{ ...gate, sent: gate.sent + 3_000_000, received: 0 }, ...others] };
  const picture = drawStatus(
    { status: aStatus, at: now },
    { status: later, at: now + 2000 },
    { columns: 120, rows: 40 },
  );
  t.ok(picture.startsWith('\u001b[H') && picture.endsWith('\u001b[J'));
  t.match(picture, /me@gate\.example:22 .* 1\.5 MB\/s {2}0 B\/s/, 'a counter that went back is no rate below zero');
  t.match(picture, /process 4711, since 3d/);
  t.match(drawStatus(undefined, { status: later, at: now }, { columns: 120, rows: 40 }), /4\.2 MB/);
  const small = drawStatus(undefined, { status: later, at: now }, { columns: 20, rows: 6 });
  // oxlint-disable-next-line no-control-regex -- these are what is drawn with
  const lines = small.replaceAll(/\u001b\[[HJK]/g, '').split('\r\n');
  t.equal(lines.pop(), '');
  t.equal(lines.length, 5);
  t.ok(lines.every((line) => line.length <= 20));
  t.match(lines.at(-1), /more lines/);
});
