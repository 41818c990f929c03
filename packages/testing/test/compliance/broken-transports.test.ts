import { join } from 'node:path';
import t from 'tap';
import { createProgramRunner } from '@viassh/program';
import { mistakes } from './broken-transports.ts';

for (const [name, { area }] of Object.entries(mistakes)) {
  t.test(`the suite notices a transport that ${name}`, async (t) => {
    const { stdout } = await createProgramRunner().run({
      file: process.execPath,
      args: ['--conditions=@viassh/source', join(import.meta.dirname, 'run-broken.ts'), name],
      env: { TAP: '1' },
    });
    const failed = stdout.match(/^not ok .*$/gm) ?? [];
    t.ok(
      failed.some((line) => line.includes(`compliance broken | ${area} |`)),
      stdout.slice(-2000),
    );
  });
}
