import { once } from 'node:events';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createProgramRunner } from '@viassh/program';

const programs = createProgramRunner();

t.test('run collects both outputs and the exit status', async (t) => {
  const output = await programs.run({ file: 'sh', args: ['-c', 'cat; echo err >&2; exit 3'], input: 'hello' });
  t.strictSame(output, { exit: { kind: 'status', code: 3 }, stdout: 'hello', stderr: 'err\n' });
});

t.test('a signal is told by its name', async (t) => {
  const { exit } = await programs.run({ file: 'sh', args: ['-c', 'kill -TERM $$'] });
  t.match(exit, { kind: 'signal', signal: 'TERM' });
});

t.test('a program that is not there is an error with a hint, from run and from start', async (t) => {
  const request = { file: 'viassh-no-such-program', args: [] };
  await t.rejects(programs.run(request), { code: 'PROGRAM_NOT_FOUND', hint: /install/ });
  await t.rejects(programs.start({ ...request, stdio: ['ignore', 'ignore', 'ignore'] }), { code: 'PROGRAM_NOT_FOUND' });
});

t.test('a folder that is not there is not a program that is not there', async (t) => {
  const cwd = `${t.testdir()}/missing`;
  const failure = { code: 'PROGRAM_FAILED', message: /no folder .*missing/ };
  await t.rejects(programs.run({ file: 'true', args: [], cwd }), failure);
  await t.rejects(programs.start({ file: 'true', args: [], cwd, stdio: ['ignore', 'ignore', 'ignore'] }), failure);
});

t.test('no descriptor left is a failure that passes, and is over when there is one again', async (t) => {
  const file = fileURLToPath(new URL('busy-machine.ts', import.meta.url));
  const words = ['ulimit -n 64; exec "$@"', 'sh', process.execPath, '--conditions=@viassh/source', file];
  const { stdout, stderr } = await programs.run({ file: 'sh', args: ['-c', ...words] });
  t.equal(stdout, 'MACHINE_BUSY transient, MACHINE_BUSY transient, started', stderr);
});

t.test('arguments reach the program as they are, never through a shell', async (t) => {
  const words = ['$HOME', '`id`', 'a b', '*', '', "'"];
  const output = await programs.run({ file: 'printf', args: ['%s\\n', ...words] });
  t.equal(output.stdout, words.map((word) => `${word}\n`).join(''));
});

t.test('a descriptor beyond stderr carries bytes both ways', async (t) => {
  const program = await programs.start({
    file: 'sh',
    args: ['-c', 'read -r line <&3; echo "got $line" >&3'],
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const wire = program.descriptor(3);
  wire?.write('x\n');
  const [chunk] = (await wire?.take(1).toArray()) ?? [];
  t.equal(String(chunk), 'got x\n');
  t.strictSame(await program.exit, { kind: 'status', code: 0 });
});

t.test('what a program says before anybody reads it is there for who reads it later', async (t) => {
  const program = await programs.start({
    file: 'sh',
    args: ['-c', 'echo out; echo three >&3; echo said >&2; cat'],
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => program.stdin?.end());
  await once(program.stderr ?? t, 'data');
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  const signal = AbortSignal.timeout(10_000);
  const late = [program.stdout, program.descriptor(3)].map((stream) => once(stream ?? t, 'data', { signal }));
  t.equal((await Promise.all(late)).join(''), 'out\nthree\n');
  program.stdin?.end();
  t.match(await program.exit, { code: 0 });
});

t.test('an abort ends the program', async (t) => {
  const controller = new AbortController();
  const program = await programs.start({
    file: 'sleep',
    args: ['60'],
    stdio: ['ignore', 'ignore', 'ignore'],
    signal: controller.signal,
  });
  controller.abort();
  t.match(await program.exit, { kind: 'signal', signal: 'TERM' });
});
