import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import { toViasshError } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';

// Started with few descriptors: says how a start goes when none is left, and how when they are back.
const programs = createProgramRunner();
const request = { file: 'true', args: [], stdio: ['pipe', 'pipe', 'pipe'] } as const;
await (await programs.start(request)).exit;
const taken: number[] = [];
const outcomes: string[] = [];
const note = async (work: () => Promise<unknown>): Promise<void> => {
  const outcome = await work().then(
    () => 'started',
    (error: unknown) => `${toViasshError(error).code} ${toViasshError(error).entry.kind}`,
  );
  outcomes.push(outcome);
};
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  await note(() => programs.start(request));
  await note(() => programs.run({ file: 'true', args: [] }));
}
for (const fd of taken) closeSync(fd);
await note(async () => (await programs.start(request)).exit);
process.stdout.write(outcomes.join(', '));
