import t from 'tap';
import { formatAge, formatBytes, formatRoundTrip } from '../../src/status/units.ts';

t.test('sizes turn over where their digits do', async (t) => {
  const sizes: readonly (readonly [number, string])[] = [
    [-5, '0 B'],
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1.0 kB'],
    [9949, '9.9 kB'],
    [9951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1e15, '1.0 PB'],
    [1e21, '1000000 PB'],
  ];
  for (const [bytes, text] of sizes) t.equal(formatBytes(bytes), text);
});

t.test('ages and round trips', async (t) => {
  t.strictSame([-1, 59_999, 60_000, 3_600_000, 86_400_000].map(formatAge), ['0s', '59s', '1m', '1h', '1d']);
  t.strictSame([undefined, 0.04, 9.94, 9.96].map(formatRoundTrip), ['-', '0.0 ms', '9.9 ms', '10 ms']);
});
