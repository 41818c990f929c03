import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeScratchFolder } from '@viassh/testing';
import { findServer } from '../src/find-server.ts';
import { mailProtocols } from '../src/mail-protocol.ts';
import { runImap } from './run-imap.ts';

t.test('the first server that can be run is run in its own place, and -v says which', async (t) => {
  await using folder = await makeScratchFolder();
  const place = async (name: string, mode = 0o755): Promise<string> => {
    const file = join(folder.path, name);
    await writeFile(file, `#!/bin/sh\nprintf '* PREAUTH %s %s\\r\\n' ${name} "$$"\n`);
    await chmod(file, mode);
    return file;
  };
  await mkdir(join(folder.path, 'folder'), { mode: 0o755 });
  const commands = [
    'viassh-no-such-imapd',
    join(folder.path, 'missing'),
    join(folder.path, 'folder'),
    await place('not-executable', 0o644),
    await place('first'),
    await place('second'),
  ];
  const { exit, error, stdout, log } = await runImap({
    command: `echo $$ >&2; exec ${findServer({ commands, port: 143 })}`,
  });
  t.strictSame(exit, { kind: 'status', code: 0 }, error?.message ?? '');
  const own = /^info: far end: (\d+)$/.exec(log.find((line) => /: \d+$/.test(line)) ?? '')?.[1] ?? 'none';
  t.equal(stdout, `* PREAUTH first ${own}\r\n`, 'it took the place of the shell');
  t.ok(log.includes(`info: far end: found ${join(folder.path, 'first')}`), log.join('\n'));
});

t.test('no server: 127, with the names that were tried', async (t) => {
  const { error, log } = await runImap({
    command: findServer({ commands: ['viassh-no-such', '/viassh/x'], port: 143 }),
  });
  t.match(error?.cause, { exit: { kind: 'status', code: 127 } });
  t.ok(log.includes('info: far end: looked for viassh-no-such, /viassh/x'), log.join('\n'));
});

t.test(
  'the command means the same to csh and fish: one word in quotes that nothing in them ends or changes',
  async (t) => {
    for (const protocol of Object.values(mailProtocols)) {
      const [, script = ''] = /^sh -c '([^]*)'$/.exec(findServer(protocol)) ?? [];
      t.ok(script.length > 50);
      t.notMatch(script, /['\\!\n]/); // csh: ! and a line end; fish: \
      for (const command of protocol.commands) t.match(command, /^[\w/-]+$/, 'a word as it stands');
    }
  },
);
