import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import t from 'tap';
import { describeExit, type ExitStatus, exitCodeOf } from '@viassh/core';

const killedBy = (signal: string, coreDumped = false): ExitStatus => ({
  kind: 'signal',
  signal,
  coreDumped,
  message: '',
});

t.test('a status passes through', async (t) => {
  for (const code of [0, 1, 7, 127, 255]) t.equal(exitCodeOf({ kind: 'status', code }), code);
});

t.test('a status that no process can have keeps its low byte, as with ssh', async (t) => {
  t.equal(exitCodeOf({ kind: 'status', code: 256 + 7 }), 7);
  t.equal(exitCodeOf({ kind: 'status', code: 0xff_ff_ff_ff }), 255);
});

t.test('a signal is 128+n, as a shell of this machine shows it', async (t) => {
  for (const signal of ['HUP', 'INT', 'KILL', 'TERM', 'ALRM', 'PIPE', 'SEGV']) {
    t.equal(
      exitCodeOf(killedBy(signal)),
      128 + constants.signals[`SIG${signal}` as keyof typeof constants.signals],
      signal,
    );
    t.equal(exitCodeOf(killedBy(`SIG${signal}`)), exitCodeOf(killedBy(signal)));
  }
  const { status } = spawnSync('/bin/sh', ['-c', `sh -c 'kill -TERM $$'; exit $?`]);
  t.equal(exitCodeOf(killedBy('TERM')), status);
});

t.test('a signal without a common number, and no status at all, are 255', async (t) => {
  for (const signal of ['USR1', 'USR2', 'nonsense@example.org', '', 'toString', '__proto__']) {
    t.equal(exitCodeOf(killedBy(signal)), 255, signal);
  }
  t.equal(exitCodeOf({ kind: 'missing' }), 255);
});

t.test('every end has its words', async (t) => {
  t.equal(describeExit({ kind: 'status', code: 7 }), 'status 7');
  t.equal(describeExit(killedBy('TERM')), 'signal TERM');
  t.equal(describeExit(killedBy('SEGV', true)), 'signal SEGV (core dumped)');
  t.equal(describeExit({ kind: 'missing' }), 'no exit status');
});
