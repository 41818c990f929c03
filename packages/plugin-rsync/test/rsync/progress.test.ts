import t from 'tap';
import { Lines } from '../../src/rsync/lines.ts';
import { parseProgress, type RsyncProgress } from '../../src/rsync/progress.ts';
import { StatisticsReader } from '../../src/rsync/statistics.ts';

/** What rsync 3.5 printed with `--info=progress2,stats2 --no-h`. */
const printed =
  '\r          32768   1%    0.00kB/s    0:00:00  \r        3000000  99%    2.95MB/s    1:02:03 (xfr#1, ir-chk=2/4)' +
  '\r        3000003 100%    2.95MB/s    0:00:00 (xfr#2, to-chk=1/4)\n\nNumber of files: 4 (reg: 3, dir: 1)\n' +
  'Number of created files: 2 (reg: 2)\nNumber of deleted files: 7\nNumber of regular files transferred: 3\n' +
  'Total file size: 3000003 bytes\nTotal transferred file size: 3000000 bytes\nLiteral data: 2 bytes\n' +
  'Matched data: 1 bytes\nFile list size: 0\nTotal bytes sent: 3000963\nTotal bytes received: 76\n\n' +
  'sent 3000963 bytes  received 76 bytes  2000692.67 bytes/sec\n';

t.test('progress and statistics are read out of pieces of any size', async (t) => {
  for (const size of [1, 2, 7, 64, printed.length]) {
    const seen: RsyncProgress[] = [];
    const others: string[] = [];
    const reader = new StatisticsReader();
    const lines = new Lines((line) => {
      const progress = parseProgress(line);
      if (progress !== undefined) seen.push(progress);
      else if (!reader.take(line)) others.push(line);
    });
    for (let at = 0; at < printed.length; at += size) lines.push(printed.slice(at, at + size));
    lines.end();
    t.strictSame(others, []);
    t.strictSame(
      seen.map(({ bytes, percent }) => [bytes, percent]),
      [
        [32768, 1],
        [3000000, 99],
        [3000003, 100],
      ],
    );
    t.match(seen[0], { filesTransferred: undefined, filesKnown: undefined, complete: false, bytesPerSecond: 0 });
    t.match(seen[1], { filesTransferred: 1, filesToCheck: 2, filesKnown: 4, complete: false, seconds: 3723 });
    t.match(seen[2], { complete: true, bytesPerSecond: Math.round(2.95 * 1024 * 1024) });
    t.strictSame(reader.statistics, {
      files: 4,
      created: 2,
      deleted: 7,
      transferred: 3,
      totalSize: 3000003,
      transferredSize: 3000000,
      literalBytes: 2,
      matchedBytes: 1,
      bytesSent: 3000963,
      bytesReceived: 76,
    });
  }
});

t.test('numbers of other locales', async (t) => {
  t.match(parseProgress('      3.000.003 100%    1,38GB/s    0:00:00 (xfr#1, to-chk=0/4)'), { bytes: 3_000_003 });
  t.match(parseProgress('      3,000,003  99%  943.26MB/s    0:00:00'), { bytes: 3_000_003, percent: 99 });
  t.match(parseProgress('              0   0%    0.00kB/s   ??:??:??'), { seconds: undefined });
});

t.test('names of files are no progress', async (t) => {
  for (const line of ['100% sure', '3 files', '>f+++++++++ 12 50% 1.00kB/s 0:00:00', ' 12 50%'])
    t.equal(parseProgress(line), undefined, line);
});
