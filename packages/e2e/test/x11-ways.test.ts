import { readdir, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { missingForXvfb, type Sshd, startSshd, startXvfb, waitUntil } from '@viassh/testing';
import { connect, x11, x11ByForward, type X11Event } from 'viassh';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { overhear } from './overheard.ts';
import { addAccount, sshdConfigOf } from './recipes-and-accounts.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

const skip = skipWithoutSshd || ((await missingForXvfb()) ?? false);
/** Says which display there is, and whether programs see all of it. */
const look = 'all=$(xdpyinfo) && echo "$DISPLAY" && case $all in *XTEST*) echo all ;; *) echo some ;; esac';
async function ownerOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.uid;
}

/** What displays of ours have left there: the fixture's user is nobody else's. */
async function remains({ uid }: Sshd): Promise<readonly string[]> {
  const sockets = (await readdir('/tmp/.X11-unix')).map((name) => `/tmp/.X11-unix/${name}`);
  const folders = (await readdir('/tmp'))
    .filter((name) => name.startsWith('viassh-x11.'))
    .map((name) => `/tmp/${name}`);
  const all = await Promise.all([...sockets, ...folders].map(async (path) => ({ path, uid: await ownerOf(path) })));
  return all.filter((one) => one.uid === uid).map(({ path }) => path);
}

onBothTransports(
  'the way forward needs neither X11 of the server nor xauth there, lets in who has its cookie, and leaves nothing',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: ['X11Forwarding no'] });
    const { env } = xvfb;
    const x11 = ['x11', ...at(sshd, transport), '--way', 'forward'];
    const script = `${look}; stat -c %a "$XAUTHORITY" "\${XAUTHORITY%/*}"; XAUTHORITY=/nowhere xdpyinfo || echo out
      { head -c -16 "$XAUTHORITY" | tail -c 30; printf 0123456789abcdef; } >wrong; XAUTHORITY=$PWD/wrong xdpyinfo || echo out; exit 7`;
    const run = await viassh([...x11, '--', script], { env });
    t.equal(run.code, 7, run.stderr);
    t.match(run.stdout.toString(), /^:5\d\.0\nsome\n600\n700\nout\nout\n$/);
    for (const why of [/refused: it has no cookie/, /refused: its cookie is wrong/]) t.match(run.stderr, why);
    t.strictSame(await remains(sshd), []);

    await using stays = startViassh([...x11, '--', 'echo up; cat'], { env });
    await overhear(stays.stdout).until(/^up\n/);
    t.equal((await remains(sshd)).length, 2, 'a folder and a socket');
    stays.kill('SIGKILL');
    await waitUntil('nothing to be left of a client that was killed', async () => (await remains(sshd)).length === 0);
  },
  skip,
);

onTransport(
  'ssh2',
  'where the far end makes no Unix sockets, the display is on its localhost; where it listens at all for nobody, that is said',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    const run = async (config: readonly string[], words: string) => {
      await using sshd = await startSshd({ config: ['X11Forwarding no', ...config] });
      const args = ['x11', ...at(sshd, transport), '--way', 'forward', '--single-connection'];
      const outcome = await viassh([...args, '--', words], { env: xvfb.env });
      t.strictSame(await remains(sshd), []);
      return outcome;
    };
    const twice = await run(['AllowStreamLocalForwarding no'], `${look}; xdpyinfo`);
    t.match(twice.stdout.toString(), /^localhost:5\d\.0\nsome\n$/, twice.stderr);
    t.equal(twice.code, 1, 'a single connection was asked for');
    assertFailure(t, await run(['DisableForwarding yes'], 'true'), {
      error: 'FORWARD_REFUSED',
      hint: /DisableForwarding/,
    });
    const forced = await run(['ForceCommand echo no >&2'], 'true');
    assertFailure(t, forced, { error: 'X11_REFUSED', says: /: no /, hint: /forced command/ });
  },
  skip,
);

onBothTransports(
  'what cannot work is refused before a program is started, and never made trusted instead',
  async (t, transport) => {
    await using xvfb = await startXvfb({ security: false });
    await using sshd = await startSshd({ config: ['X11Forwarding yes'] });
    const run = async (args: readonly string[], env: Readonly<Record<string, string>> = xvfb.env) =>
      await viassh(['x11', ...at(sshd, transport), ...args, '--', 'echo it ran'], { env });
    for (const way of ['request', 'forward']) {
      const refused = await run(['--way', way]);
      assertFailure(t, refused, { error: 'X11_UNTRUSTED_IMPOSSIBLE', hint: /--trusted/ });
      t.equal(refused.stdout.length, 0);
    }
    t.equal((await run(['--trusted'])).stdout.toString(), 'it ran\n');
    assertFailure(t, await run([], {}), { error: 'DISPLAY_UNUSABLE', hint: /--display/ });
    const nobody = await run(['--trusted', '--display', ':4711']);
    assertFailure(t, nobody, { error: 'DISPLAY_UNUSABLE', says: /4711/ });
    const other = await run(['--trusted'], { ...xvfb.env, XAUTHORITY: '/nowhere' });
    assertFailure(t, other, { error: 'DISPLAY_UNUSABLE', says: /lets nobody in/, hint: /cookie/ });
    const pipe = await viassh(['pipe', ...at(sshd, transport), '-X', '--', 'echo it ran'], { env: xvfb.env });
    assertFailure(t, pipe, { error: 'X11_UNTRUSTED_IMPOSSIBLE', hint: /-Y/ });
  },
  skip,
);

onBothTransports(
  'a pipe has X11 by -X, -Y and -x, of which the last one counts',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: await sshdConfigOf(['x11']) });
    const { env } = xvfb;
    for (const [flags, seen] of [
      ['-xX', /^localhost:\d+\.0\r?\nsome/],
      ['-XtY', /^localhost:\d+\.0\r\nall/],
    ] as const) {
      const run = await viassh(['pipe', flags, ...at(sshd, transport), '--', look], { env, input: '' });
      t.match(run.stdout.toString(), seen, run.stderr);
    }
    const none = await viassh(['pipe', '-Yx', ...at(sshd, transport), '--', 'echo "<$DISPLAY>"'], { env });
    t.equal(none.stdout.toString(), '<>\n', none.stderr);
  },
  skip,
);

onTransport(
  'ssh2',
  'an account may have X11 and nothing else',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: await sshdConfigOf(['x11']) });
    const { configFile } = await addAccount(sshd, ['x11', '--command', look]);
    const key = { configFile, destination: sshd.destination };
    const forced = await viassh(['x11', ...at(key, transport), '--', 'id'], { env: xvfb.env });
    t.match(forced.stdout.toString(), /^localhost:\d+\.0\nsome\n$/, forced.stderr);
    const forward = await viassh(['forward', ...at(key, transport), '-R', '0:127.0.0.1:1']);
    assertFailure(t, forward, { error: 'FORWARD_REFUSED' });
  },
  skip,
);

onBothTransports(
  'the library: by the protocol on ssh2, by a forward on both, and whoever comes is heard of',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: ['X11Forwarding yes'] });
    await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
    const heard: string[] = [];
    const onEvent = ({ kind }: X11Event): unknown => heard.push(kind);
    const options = { display: xvfb.display, xauthority: xvfb.authorityFile, onEvent };
    if (transport === 'openssh')
      await t.rejects(x11(connection, options), { code: 'CAPABILITY_MISSING', hint: /--transport ssh2/ });
    for (const offered of transport === 'ssh2' ? [x11, x11ByForward] : [x11ByForward]) {
      await using forward = await offered(connection, options);
      const session = await forward.openSession({ kind: 'exec', command: look });
      t.match(await text(session), /:\d+\.0\nsome\n$/);
      if (offered === x11ByForward)
        await t.rejects(forward.openSession({ kind: 'subsystem', subsystem: 'sftp' }), { code: 'OPTION_INVALID' });
      await forward.display.idle();
      t.match(heard.splice(0), ['opened', 'closed']);
    }
    t.strictSame(await remains(sshd), []);
  },
  skip,
);

onTransport(
  'ssh2',
  'a server that refuses X11: why, and the other way',
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: ['X11Forwarding yes', 'XAuthLocation /nowhere/xauth'] });
    const run = await viassh(['x11', ...at(sshd, transport), '--', 'echo it ran'], { env: xvfb.env });
    assertFailure(t, run, { error: 'X11_REFUSED', says: /No xauth program/, hint: /xauth.*--way forward/ });
    t.equal(run.stdout.length, 0);
  },
  skip,
);

onTransport(
  'openssh',
  "ssh's end of X11 is told before it comes, and what ssh cannot do is not asked of it",
  async (t, transport) => {
    await using xvfb = await startXvfb();
    await using sshd = await startSshd({ config: ['X11Forwarding yes'] });
    const { env } = xvfb;
    await using running = startViassh(['x11', ...at(sshd, transport), '--timeout', '1', '--', 'cat; exit 3'], { env });
    await waitUntil('a warning', () => /in \d s ssh lets no further program onto the display/.test(running.stderr()));
    running.stdin.end();
    t.equal((await running.exit).code, 3);
    const control = await viassh(['x11', '--control', '/nowhere', ...at(sshd, 'auto'), '--', 'id'], { env });
    assertFailure(t, control, { error: 'CAPABILITY_MISSING', says: /x11/, hint: /--control/ });
    const single = await viassh(['x11', ...at(sshd, transport), '--single-connection', '--', 'id'], { env });
    t.match([single.code, single.stderr], [64, /--way forward/]);
    const both = await viassh(['x11', ...at(sshd, transport), '-X', '-Y', '--', 'id'], { env });
    t.match([both.code, both.stderr], [64, /--trusted and --untrusted/]);
    const without = await viassh(['x11', ...at(sshd, transport), '-o', 'XAuthLocation=/nowhere/xauth', '--', 'id'], {
      env,
    });
    assertFailure(t, without, { error: 'X11_UNTRUSTED_IMPOSSIBLE', says: /xauth/, hint: /--way forward/ });
  },
  skip,
);
