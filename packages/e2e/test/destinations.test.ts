import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder } from '@viassh/testing';
import { connect } from 'viassh';
import { assertFailure } from './assert-failure.ts';
import { tidyTest } from './both-transports.ts';
import { type Outcome, viassh } from './run-viassh.ts';

const refused: Readonly<Record<string, RegExp>> = {
  '': /empty/,
  'user@-h': /dash/,
  'host\n-oProxyCommand=x': /character/,
  'host:99999': /port/,
  'ssh://[::1]:22': /ssh:\/\/ takes no IPv6/,
  'ssh://host/path': /path/,
  'ssh://-oProxyCommand=x': /dash/,
  'ssh://%2doProxyCommand=x': /dash|domain name/,
  ['h'.repeat(300)]: /longer than 255/,
  [`${'u'.repeat(300)}@host`]: /longer than 255/,
  '$(id)': /character/,
  'host;id': /character/,
  '\u001b[31mred': /character/,
};

/** A folder with an `ssh` that leaves a trace when it is run. */
async function fakeSsh(folder: string): Promise<{ env: Record<string, string>; runs: () => Promise<string> }> {
  const trace = join(folder, 'ran');
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\necho "$@" >>'${trace}'\nexit 255\n`, { mode: 0o755 });
  return {
    env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    runs: () => readFile(trace, 'utf8').catch(() => ''),
  };
}

tidyTest(
  'a bad destination is refused before anything is run',
  async (t) => {
    await using folder = await makeScratchFolder();
    const { env, runs } = await fakeSsh(folder.path);
    const outcomes = await Promise.all(
      Object.keys(refused).map(
        async (text): Promise<[string, Outcome]> => [
          text,
          await viassh(['pipe', '-F', 'none', text, '--', 'true'], { env }),
        ],
      ),
    );
    for (const [text, outcome] of outcomes) {
      assertFailure(
        t,
        outcome,
        { error: 'DESTINATION_INVALID', code: 64, says: refused[text] },
        JSON.stringify(text.slice(0, 30)),
      );
    }
    t.equal(await runs(), '', 'no ssh was run');
    await viassh(['pipe', '-F', 'none', 'host', '--', 'true'], { env });
    t.match(await runs(), /-G .*host/, 'with a good destination it is run');
  },
  false,
);

tidyTest(
  'an option where the destination belongs is a usage error, not an option of ssh',
  async (t) => {
    await using folder = await makeScratchFolder();
    const { env, runs } = await fakeSsh(folder.path);
    const command = (...args: string[]): Promise<Outcome> => viassh(['pipe', ...args], { env });
    const marker = join(folder.path, 'proxy');
    assertFailure(t, await command(`-oProxyCommand=touch ${marker}`, '--', 'true'), {
      error: 'USAGE',
      code: 64,
      says: /destination is missing/,
    });
    assertFailure(t, await command('--', `-oProxyCommand=touch ${marker}`), { error: 'USAGE', code: 64 });
    assertFailure(t, await command('-Z', 'host', '--', 'true'), { error: 'USAGE', code: 64, says: /Z/ });
    assertFailure(t, await command('-l', '-oProxyCommand=x', 'host', '--', 'true'), {
      error: 'DESTINATION_INVALID',
      code: 64,
      says: /user name.*dash/,
    });
    assertFailure(t, await command('-p', '99999', 'host', '--', 'true'), {
      error: 'OPTION_INVALID',
      code: 64,
      says: /-p/,
    });
    assertFailure(t, await command('-J', '-oProxyCommand=x', 'host', '--', 'true'), {
      error: 'DESTINATION_INVALID',
      code: 64,
      says: /dash/,
    });
    assertFailure(t, await command('-J', 'good,bad;id', 'host', '--', 'true'), {
      error: 'DESTINATION_INVALID',
      code: 64,
      says: /character/,
    });
    t.equal(await runs(), '', 'no ssh was run');
  },
  false,
);

tidyTest(
  'the library refuses what argv cannot carry, too',
  async (t) => {
    for (const text of ['nul\0byte', 'user\0@host', '-oProxyCommand=x', 'host:99999', '']) {
      for (const transport of ['auto', 'openssh', 'ssh2'] as const) {
        await t.rejects(connect(text, { transport }), { code: 'DESTINATION_INVALID' }, JSON.stringify(text));
      }
    }
    await t.rejects(connect('host', { user: 'u\0' }), { code: 'DESTINATION_INVALID' });
    await t.rejects(connect('host', { options: ['User=a\0b'] }), { code: 'OPTION_INVALID' });
  },
  false,
);
