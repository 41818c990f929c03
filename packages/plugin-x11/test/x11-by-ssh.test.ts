import { type ProgramRunner, silentLogger } from '@viassh/core';
import { missingForXvfb, startXvfb } from '@viassh/testing';
import t from 'tap';
import { readyForSsh } from '../src/x11-by-ssh.ts';

const skip = (await missingForXvfb()) ?? false;

t.test('the time that ssh gets is one that ssh and the X server take as it is meant', { skip }, async (t) => {
  await using xvfb = await startXvfb();
  const programs = { run: () => Promise.resolve() } as unknown as ProgramRunner;
  const { display, authorityFile: xauthority } = xvfb;
  const context = { programs, log: silentLogger, signal: new AbortController().signal, settings: new Map() };
  for (const [timeoutMs, seconds] of [
    [0, 0],
    [400, 1],
    [90_000, 90],
    [52 * 7 * 86_400_000, 2_000_000],
  ] as const) {
    using ready = await readyForSsh({ display, xauthority, trusted: false, timeoutMs }, context);
    t.equal(ready.wish.timeout, seconds, `${timeoutMs} ms`);
  }
});
