import { PassThrough } from 'node:stream';
import t from 'tap';
import { watchStderr } from '../../src/connection/stderr-tail.ts';
import { createLogger } from '../../src/log/logger.ts';

t.test('stderr cut at every byte is logged as the lines that it is', async (t) => {
  const said: string[] = [];
  const stderr = new PassThrough();
  const tail = watchStderr(
    stderr,
    'far end',
    createLogger('info', (_, line) => void said.push(line)),
  );
  for (const byte of Buffer.from('Grüße 日本 🎈\n\nzuletzt ä')) stderr.write(Buffer.of(byte));
  stderr.end();
  await tail.ended;
  t.match(said.join('\n'), /far end: Grüße 日本 🎈\n.*far end: zuletzt ä$/);
  t.equal(said.length, 2, 'an empty line is none');
  t.equal(tail.lastLine, 'zuletzt ä');
});

t.test('stderr without an end of a line fills no memory: its end is kept', async (t) => {
  const stderr = new PassThrough();
  const tail = watchStderr(
    stderr,
    'far end',
    createLogger('info', () => undefined),
  );
  for (let index = 0; index < 100; index++) stderr.write(Buffer.alloc(1000, 'x'));
  stderr.end('the end');
  await tail.ended;
  t.equal(tail.text.length, 4096);
  t.ok(tail.text.endsWith('the end'));
});

t.test('where there is no stderr, or it is closed already, nobody waits for it', async (t) => {
  const log = createLogger('info', () => undefined);
  await watchStderr(undefined, 'far end', log).ended;
  const closed = new PassThrough().destroy();
  await watchStderr(closed, 'far end', log).ended;
  t.equal(watchStderr(undefined, 'far end', log).lastLine, '');
});
