import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { waitUntil, type XImage, type Xvfb } from '@viassh/testing';
import { keep, onWays, pictureOf, startEnds } from './x11-ends.ts';

const shared = await startEnds(t, { screens: ['800x600x24'] });

/** The three programs, in a column of their own. What eyes look like depends on where they are. */
function column(side: string, x: number): string {
  return `xclock -geometry 110x110+${x}+0 -title ${side}-clock & xeyes -geometry 110x70+0+130 -title ${side}-eyes &
    xterm -geometry 20x3+${x}+220 -title ${side}-term -e sh -c 'echo a word or two; exec sleep 60' & wait`;
}

/** XAUTHORITY of a client here of the same kind as one from there: the real cookie, or one that xauth had made. */
async function authority(t: Test, server: Xvfb, trust: string): Promise<string> {
  if (trust === '--trusted') return server.authorityFile;
  const file = join(t.testdirName, 'untrusted');
  const made = await server.run('xauth', ['-q', '-f', file, 'generate', server.display, '.', 'untrusted']);
  t.match(made.exit, { code: 0 }, made.stderr);
  return file;
}

/** Runs `script` here, until the stack ends. */
function startHere(stack: AsyncDisposableStack, script: string, env: Readonly<Record<string, string>>): void {
  const child = spawn('sh', ['-c', script], { env: { ...process.env, ...env }, stdio: 'ignore', detached: true });
  stack.defer(async () => {
    process.kill(-(child.pid ?? 0));
    await once(child, 'close');
  });
}

async function noWindows(server: Xvfb): Promise<void> {
  await waitUntil('all windows to be gone', async () => (await server.windows()).length === 0);
}

/** What a window shows when nothing is drawn any more: the same for a number of looks. */
async function calm(server: Xvfb, name: string): Promise<XImage> {
  let before: XImage | undefined;
  let same = 0;
  return await waitUntil(`${name} to be drawn`, async () => {
    const now = await pictureOf(server, name);
    same = now !== undefined && before?.pixels.equals(now.pixels) === true ? same + 1 : 0;
    before = now;
    return same === 8 && now;
  });
}

const eyesHere = new Map<string, XImage>();

/** What the eyes look like when they are run here. */
async function eyes(server: Xvfb, trust: string, env: Readonly<Record<string, string>>): Promise<XImage> {
  const known = eyesHere.get(trust);
  if (known !== undefined) return known;
  await using stack = new AsyncDisposableStack();
  startHere(stack, column('here', 0), env);
  const seen = await calm(server, 'here-eyes');
  eyesHere.set(trust, seen);
  return seen;
}

for (const trust of ['--untrusted', '--trusted'])
  onWays(
    shared,
    trust === '--trusted' ? ['opensshForward'] : ['ssh2', 'openssh'],
    `windows look as those of programs here, ${trust}`,
    async (t, way, ends) => {
      t.testdir({});
      const { server } = ends;
      const env = { ...server.env, XAUTHORITY: await authority(t, server, trust) };
      const eyesOfHere = await eyes(server, trust, env);
      await noWindows(server);
      await using stack = new AsyncDisposableStack();
      startHere(stack, column('here', 200).replace(/xeyes.*\n/, ''), env);
      const far = stack.use(ends.start(way, column('far', 0), [trust], { stdin: 'ignore' }));
      let differ: string[] = [];
      const equal = async (): Promise<boolean> => {
        const pairs = [
          ['clock', await pictureOf(server, 'here-clock')],
          ['term', await pictureOf(server, 'here-term')],
          ['eyes', eyesOfHere],
        ] as const;
        differ = [];
        for (const [name, here] of pairs) {
          const there = await pictureOf(server, `far-${name}`);
          if (here === undefined || there?.pixels.equals(here.pixels) !== true) differ.push(name);
        }
        return differ.length === 0;
      };
      await waitUntil('the same windows', equal, { withinMs: 15_000 }).catch(() => undefined);
      t.strictSame(differ, [], `none differs; it said: ${far.stderr()}`);
      keep(`${way.name} ${trust}`, await server.picture());
      far.kill('SIGTERM');
      t.match(await far.exit, { code: 143 });
      await waitUntil('the windows from there to be gone', async () =>
        (await server.windows()).every(({ name }) => name.startsWith('here-')),
      );
      await stack.disposeAsync();
      await noWindows(server);
    },
  );
