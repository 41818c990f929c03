import { PassThrough } from 'node:stream';
import t from 'tap';
import { ViasshError } from '@viassh/core';
import { reportError, stderrLogger } from '../../src/terminal/report.ts';

const plain = { json: false, level: 'warning' } as const;

function report(error: unknown, style: Parameters<typeof reportError>[1] = plain): { code: number; text: string } {
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = reportError(error, style, stderr);
  return { code, text: (stderr.read() as string | null) ?? '' };
}

t.test('sentence, code and hint on a line each; the exit code of the table', async (t) => {
  t.strictSame(report(new ViasshError('USAGE', 'it is wrong', { hint: 'do it right' })), {
    code: 64,
    text: 'viassh: it is wrong (USAGE)\n  hint: do it right\n',
  });
  t.strictSame(report(new ViasshError('AUTH_FAILED', 'no')), { code: 255, text: 'viassh: no (AUTH_FAILED)\n' });
});

t.test('the cause is shown under -v alone', async (t) => {
  const error = new ViasshError('AUTH_FAILED', 'no', { cause: new Error('the deep reason') });
  for (const level of ['error', 'warning'] as const)
    t.notMatch(report(error, { json: false, level }).text, /deep| at /);
  for (const level of ['info', 'debug'] as const)
    t.match(report(error, { json: false, level }).text, /the deep reason\n +at /);
});

t.test('what is no error of ours is INTERNAL, with a hint and without a stack trace', async (t) => {
  for (const error of [new TypeError('x is not a function'), 'a string', undefined, { odd: true }]) {
    const { code, text } = report(error);
    t.equal(code, 255);
    t.match(text, /^viassh: .* \(INTERNAL\)\n {2}hint: .*-v.*\n$/);
  }
});

t.test('a failure that comes without a hint gets the usual one of its code', async (t) => {
  t.match(
    report(new ViasshError('CONNECTION_LOST', 'gone')).text,
    /^viassh: gone \(CONNECTION_LOST\)\n {2}hint: .*try again\n$/,
  );
  t.match(report(new ViasshError('CONNECTION_LOST', 'gone', { hint: 'own' })).text, /hint: own\n$/);
});

t.test('an abort is ABORTED', async (t) => {
  t.match(report(new DOMException('stop', 'AbortError')).text, /\(ABORTED\)/);
});

t.test('--json is one object on one line', async (t) => {
  const { text } = report(new ViasshError('HOST_NOT_FOUND', 'not "there"', { hint: 'look\nagain' }), {
    json: true,
    level: 'warning',
  });
  t.equal(text.split('\n').length, 2);
  t.strictSame(JSON.parse(text), {
    error: { code: 'HOST_NOT_FOUND', message: 'not "there"', hint: 'look again', kind: 'transient' },
  });
});

t.test('a logger writes what its level lets through', async (t) => {
  const stderr = new PassThrough({ encoding: 'utf8' });
  const log = stderrLogger('warning', stderr);
  log.debug('d');
  log.info('i');
  log.warning('w');
  t.equal(stderr.read(), 'viassh: warning: w\n');
});
