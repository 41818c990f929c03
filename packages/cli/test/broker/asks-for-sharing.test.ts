import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { asksForSharing } from '../../src/broker/asks-for-sharing.ts';

t.test('share: auto is found in a file, and behind a link', async (t) => {
  const folder = t.testdir({ auto: 'idle: 3\nshare: auto\n', no: '# share: auto\nshare: no\n' });
  symlinkSync('auto', join(folder, 'link'));
  for (const [name, found] of Object.entries({ auto: true, link: true, no: false, missing: false, '.': false }))
    t.equal(asksForSharing({ VIASSH_CONFIG: join(folder, name) }), found, name);
});

t.test('a pipe in its place holds no command up', async (t) => {
  const folder = t.testdir();
  const [pipe, script] = [join(folder, 'config.yaml'), join(folder, 'ask.ts')];
  execFileSync('mkfifo', [pipe]);
  const module = fileURLToPath(new URL('../../src/broker/asks-for-sharing.ts', import.meta.url));
  writeFileSync(script, `import { asksForSharing } from '${module}'; console.log(asksForSharing(process.env));`);
  // Another process: one that waits for a writer cannot even be told to stop waiting.
  const said = execFileSync(process.execPath, [script], {
    env: { VIASSH_CONFIG: pipe },
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  t.equal(String(said), 'false\n');
});
