import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listProcesses, type Sshd, startXvfb, waitUntil, type Xvfb } from '@viassh/testing';
import { overhear } from './overheard.ts';
import { runProgram } from './run-program.ts';
import { allWays, onWays, pictureOf, startEnds } from './x11-ends.ts';

const shared = await startEnds(t, { screens: ['1600x1200x24'] });

/** What xdpyinfo says, without the name that the display has for it. */
const withoutName = (said: string): string => said.replace(/^name of display:.*\n/, '');

async function untrustedHere(t: Test, server: Xvfb): Promise<string> {
  const file = join(t.testdir({}), 'untrusted');
  await server.run('xauth', ['-q', '-f', file, 'generate', server.display, '.', 'untrusted']);
  const { stdout } = await runProgram('xdpyinfo', [], { env: { ...server.env, XAUTHORITY: file } });
  return stdout.toString();
}

onWays(
  shared,
  allWays,
  'an untrusted program sees what the display shows to such, a trusted one all',
  async (t, way, ends) => {
    const { server } = ends;
    const untrusted = await ends.run(way, 'xdpyinfo; xwd -silent -root | wc -c; exit 7');
    t.equal(untrusted.code, 7);
    t.match(untrusted.stderr, 'xwd:  unable to get image', 'what belongs to others is not for it');
    t.equal(withoutName(untrusted.stdout.toString()), `${withoutName(await untrustedHere(t, server))}0\n`);
    const trusted = await ends.run(way, 'xdpyinfo', ['--trusted']);
    t.match(trusted, { code: 0, stderr: '' });
    t.equal(withoutName(trusted.stdout.toString()), withoutName((await server.run('xdpyinfo')).stdout));
  },
);

onWays(
  shared,
  ['ssh2', 'openssh'],
  'who has another cookie, or none, is refused, and told of',
  async (t, way, ends) => {
    const zeros = '0'.repeat(32);
    const script = `XAUTHORITY=/dev/null xdpyinfo || echo out; xdpyinfo >/dev/null && echo in
    XAUTHORITY=$HOME/wrong xauth -q add "$DISPLAY" . ${zeros} 2>/dev/null
    XAUTHORITY=$HOME/wrong xdpyinfo || echo out; rm "$HOME/wrong"; xdpyinfo >/dev/null && echo in`;
    const { stdout, stderr, code } = await ends.run(way, script);
    t.equal(code, 0);
    t.equal(stdout.toString(), 'out\nin\nout\nin\n');
    const told =
      way.name === 'openssh, handed over'
        ? /X11 connection rejected because of wrong authentication/g
        : /an X11 client.* was refused: /g;
    t.equal(stderr.match(told)?.length, 2, stderr);
    t.equal(stderr.match(/unable to open display/g)?.length, 2, 'and its own program hears it');
  },
);

/** All files of the far end's user, at home and in /tmp. */
async function filesOf({ uid, home }: Sshd): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const look = async (path: string): Promise<void> => {
    const about = await lstat(path).catch(() => undefined); // it may be gone meanwhile
    if (about?.uid !== uid) return;
    if (about.isFile()) found.set(path, await readFile(path).catch(() => Buffer.alloc(0)));
    else if (about.isDirectory()) for (const name of await readdir(path)) await look(join(path, name));
  };
  for (const name of await readdir('/tmp')) await look(join('/tmp', name));
  await look(home);
  return found;
}

onWays(shared, allWays, 'the real cookie is nowhere on the far end, and in no log', async (t, way, ends) => {
  const { server, sshd } = ends;
  const script = 'xclock -title watched & echo "fake $(xauth list "$DISPLAY" | sed "s/.* //" | head -n 1)"; wait';
  await using far = ends.start(way, script, ['--trusted', '-vv'], { stdin: 'ignore' });
  const fake = /^fake ([0-9a-f]{32})\n/.exec(await overhear(far.stdout).until(/^fake .*\n/))?.[1] ?? '';
  await waitUntil('a window', () => pictureOf(server, 'watched'), { withinMs: 10_000 });
  const all = await listProcesses();
  const own = all.filter(({ uid }) => uid === sshd.uid);
  const surroundings = await Promise.all(
    own.map(({ pid }) => readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0))),
  );
  const files = await filesOf(sshd);
  const seen = Buffer.concat([
    ...surroundings,
    ...files.values(),
    Buffer.from(all.map(({ command }) => command).join('\n')),
  ]);
  const finds = (cookie: string): boolean =>
    seen.includes(Buffer.from(cookie, 'hex')) || seen.toString('latin1').toLowerCase().includes(cookie);
  t.ok(
    own.some(({ command }) => command.startsWith('xclock')),
    'we look at the right processes,',
  );
  t.ok(
    surroundings.some((bytes) => bytes.includes('DISPLAY=')),
    'their surroundings',
  );
  t.ok(finds(fake), 'and files');
  t.notOk(finds(server.cookie));
  t.notOk(far.stderr().toLowerCase().includes(server.cookie));
  t.notOk(
    all.some(({ command }) => command.includes(fake)),
    'the other one is in no command line either',
  );
  far.kill('SIGTERM');
  await far.exit;
});

onWays(
  shared,
  ['ssh2', 'openssh'],
  'the status of the program, its input and its output are ours',
  async (t, way, ends) => {
    const input = randomBytes(300_000);
    const echoed = await ends.run(way, 'cat; echo words >&2; exit 3', [], { input });
    t.equal(echoed.code, 3);
    t.ok(echoed.stdout.equals(input));
    t.equal(echoed.stderr, 'words\n');
    const ended = await ends.run(way, 'xdpyinfo >/dev/null; kill -TERM $$');
    t.equal(ended.code, way.name === 'openssh, handed over' ? 255 : 143, 'ssh loses the name of a signal');
  },
);

onWays(
  shared,
  ['ssh2', 'ssh2Forward'],
  'twenty programs have the display at a time, and are gone with the command',
  async (t, way, ends) => {
    const { server, sshd } = ends;
    const before = await filesOf(sshd);
    const script = 'n=0; while [ $n -lt 20 ]; do xclock -title many$n & n=$((n+1)); done; wait';
    await using far = ends.start(way, script, [], { stdin: 'ignore' });
    const windows = async (): Promise<number> => (await server.windows()).length;
    await waitUntil('twenty windows', async () => (await windows()) === 20, { withinMs: 15_000 });
    far.kill('SIGTERM');
    t.match(await far.exit, { code: 143, signal: null });
    await waitUntil('no window', async () => (await windows()) === 0);
    await waitUntil('nothing to be left on the far end', async () => {
      const left = [...(await filesOf(sshd)).keys()].filter((path) => !before.has(path));
      const running = (await listProcesses()).filter(({ uid, command }) => uid === sshd.uid && !/sshd/.test(command));
      return left.every((path) => path.startsWith(sshd.home)) && running.length === 0;
    });
    const owners = (await readdir('/tmp/.X11-unix')).map(
      async (name) => (await lstat(join('/tmp/.X11-unix', name)).catch(() => undefined))?.uid,
    );
    t.notOk((await Promise.all(owners)).includes(sshd.uid), 'no socket of a display');
  },
);

onWays(shared, ['ssh2', 'opensshForward'], 'pictures of megabytes come whole, both ways', async (t, way, ends) => {
  const { server } = ends;
  const screen = async (): Promise<Buffer> =>
    (await runProgram('xwd', ['-silent', '-root'], { env: server.env })).stdout;
  const picture = await screen();
  const size = 1600 * 1200 * 4;
  const noise = randomBytes(size);
  noise.copy(picture, picture.length - size);
  await using far = ends.start(way, 'xwud -geometry +0+0', ['--trusted']);
  far.stdin.end(picture);
  await waitUntil('the picture to be shown', async () => sameColours(await screen(), noise), {
    withinMs: 20_000,
    everyMs: 100,
  });
  const back = await ends.run(way, 'xwd -silent -root', ['--trusted']);
  t.equal(back.stdout.length, picture.length); // in what stands before the pixels are bytes that xwd leaves to chance
  t.ok(sameColours(back.stdout, noise));
  far.kill('SIGTERM');
  await far.exit;
});

/** Has a picture these pixels? But for the eight bits of each that mean nothing. */
function sameColours(picture: Buffer, pixels: Buffer): boolean {
  const from = picture.length - pixels.length;
  for (let at = 0; at < pixels.length; at += 4)
    if (picture.readUIntLE(from + at, 3) !== pixels.readUIntLE(at, 3)) return false;
  return true;
}

onWays(
  shared,
  ['ssh2'],
  'a cookie that the display keeps for a second lets programs in after two',
  async (t, way, ends) => {
    const { stdout, stderr, code } = await ends.run(way, 'xdpyinfo >/dev/null; sleep 2; xdpyinfo', ['--timeout', '1']);
    t.equal(code, 0, stderr);
    t.match(stdout.toString(), /number of extensions: +2$/m, 'kept apart as before');
  },
);

onWays(shared, ['ssh2'], 'with --single-connection the second program is refused', async (t, way, ends) => {
  const { stdout, stderr } = await ends.run(way, 'xdpyinfo >/dev/null && echo in; xdpyinfo || echo out', [
    '--single-connection',
  ]);
  t.equal(stdout.toString(), 'in\nout\n', stderr);
});

onWays(
  shared,
  ['ssh2', 'opensshForward'],
  'a display that dies ends its programs, and nothing hangs',
  async (t, way, ends) => {
    await using server = await startXvfb();
    await using far = ends.start(way, 'exec xclock', [], { stdin: 'ignore', env: server.env });
    await waitUntil('a window', () => pictureOf(server, 'xclock'), { withinMs: 10_000 });
    await server.kill();
    t.match(await far.exit, { code: 1 }, far.stderr());
  },
);
