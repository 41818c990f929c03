import { spawnSync } from 'node:child_process';
import t from 'tap';
import { type Destination, parseDestination } from '@viassh/core';
import { isMissing } from '../find-program.ts';

const shellCharacters = [...'\'"`$\\;&<>|(){}*?%#!~^=+,[] \t\n\u0001\u007f'];
const words = (text: string): string[] => text.trim().split(/\s+/);
const corpus = shellCharacters
  .flatMap((character) => [`h${character}st`, `u${character}r@host`, `ssh://h${character}st`])
  .concat(
    words(
      'host HOST user@host a@b@c a@@host @host @ user@ -h -u@host user@-h -- -oProxyCommand=x u\\@host u:r@host u/r@host',
    ),
    ['u -x@host', ' user@host', 'user@ host', 'host ', 'x'.repeat(255)],
    words('h_st h- h. .h h..x 1.2.3.4 ::1 user@::1 fe80::1%eth0 user@fe80::1%lo 2001:db8::1 höst üser@host'),
    words(
      'ssh://host ssh://user@host ssh://user@host:22 ssh://host:2222 ssh://host/ ssh://host:22/ ssh://host/p ssh://host//',
    ),
    words(
      'ssh:// ssh:/// ssh://@host ssh://user@ ssh://host:0 ssh://host:65535 ssh://host:65536 ssh://host:2x ssh://:22',
    ),
    words(
      'ssh://[::1] ssh://[::1]:22 ssh://::1 ssh://u:p@host ssh://a@b@host ssh://-h ssh://-u@host ssh://u@:22 ssh://höst',
    ),
    words('ssh://h- ssh://h. ssh://.h ssh://_h ssh://h_st ssh://h..x ssh://host?x ssh://host#x ssh://% ssh://h%zzst'),
    words(
      'ssh://%2dh ssh://%2Doption@host ssh://u%40b@host ssh://h%00st ssh://u%00r@host ssh://h%0ast ssh://u%0ar@host',
    ),
    words('ssh://h%2fst ssh://u%2fr@host ssh://h%41st ssh://u%3br@host ssh://u%20r@host ssh://u%c3%bcr@host'),
    words('ssh://u+r@host ssh://u%2br@host'),
  );

/** Ours only: ssh takes these for a host name with a colon or brackets in it. */
const isOurForm = (text: string): boolean => !text.startsWith('ssh://') && /\]|^[^:]*:\d*$/.test(text);

interface Verdict {
  readonly text: string;
  readonly ours: Destination | undefined;
  readonly ssh: Required<Destination> | undefined;
}

function judge(text: string): Verdict {
  let ours: Destination | undefined;
  try {
    ours = parseDestination(text);
  } catch {
    ours = undefined;
  }
  const { status, stdout } = spawnSync('ssh', ['-F', 'none', '-G', '-T', '--', text], { encoding: 'utf8' });
  const setting = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const ssh =
    status === 0 ? { user: setting('user'), host: setting('hostname'), port: Number(setting('port')) } : undefined;
  return { text, ours, ssh };
}

t.test('ssh and viassh judge destinations alike', { skip: isMissing('ssh') }, async (t) => {
  const verdicts = [...new Set(corpus)].map(judge);

  t.test('what ssh refuses is refused', async (t) => {
    const wrong = verdicts.filter(({ ours, ssh }) => ssh === undefined && ours !== undefined);
    t.same(
      wrong.map(({ text }) => text),
      [],
    );
    t.ok(verdicts.filter(({ ssh }) => ssh === undefined).length > 40, 'ssh did refuse');
  });

  t.test('what is accepted, ssh accepts and reads the same', async (t) => {
    const taken = verdicts.filter(({ text, ours }) => ours !== undefined && !isOurForm(text));
    for (const { text, ours, ssh } of taken) {
      t.equal(ssh?.host, ours?.host.toLowerCase(), `host of ${text}`);
      if (ours?.user !== undefined) t.equal(ssh?.user, ours.user, `user of ${text}`);
      t.equal(ssh?.port, ours?.port ?? 22, `port of ${text}`);
    }
    t.ok(taken.length > 40, `${taken.length} were compared`);
  });
});
