import t from 'tap';
import { missingForSshd, startSshd, watchLeaks } from '@viassh/testing';
import { at, transports, viassh } from './run-viassh.ts';

const skip = (await missingForSshd()) ?? false;

t.test('the exit code is the remote one', { skip }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd();
  const cases: readonly [command: string, code: number][] = [
    ['true', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ];
  for (const transport of transports) {
    for (const [command, code] of cases) {
      const outcome = await viassh(['pipe', ...at(sshd, transport), '--', command]);
      t.strictSame({ code: outcome.code, stderr: outcome.stderr }, { code, stderr: '' }, `${transport}: ${command}`);
      t.equal(outcome.stdout.length, 0);
    }
  }
});
