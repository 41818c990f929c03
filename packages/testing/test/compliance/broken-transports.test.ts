import t from 'tap';
import { createProgramRunner } from '@viassh/program';
import { complianceAreas, testTransportCompliance } from '@viassh/testing';
import { brokenHarness, mistakes } from './broken-transports.ts';

// This file runs itself, with the name of a mistake in the environment: a suite that fails needs a process of its own.
const chosen = process.env['VIASSH_TEST_MISTAKE'] as keyof typeof mistakes | undefined;

if (chosen !== undefined) {
  process.on('unhandledRejection', () => undefined);
  await testTransportCompliance(t, brokenHarness('broken', mistakes[chosen]), {
    areas: complianceAreas.filter(({ name }) => name === mistakes[chosen].area),
    caseTimeoutMs: 2000,
  });
} else {
  for (const [name, { area }] of Object.entries(mistakes)) {
    t.test(`the suite notices a transport that ${name}`, async (t) => {
      const { stdout } = await createProgramRunner().run({
        file: process.execPath,
        args: ['--conditions=@viassh/source', import.meta.filename],
        env: { TAP: '1', TAP_BAIL: '1', VIASSH_TEST_MISTAKE: name }, // one case that notices is enough
      });
      const [ran, bailed] = stdout.split('Bail out!', 2);
      const last = ran?.match(/^ *# Subtest: .*$/gm)?.at(-1) ?? '';
      const noticed = bailed !== undefined && last.includes(`compliance broken | ${area} |`);
      t.ok(noticed, noticed ? last.trim() : stdout.slice(-2000));
    });
  }
}
