import t, { type Test } from 'tap';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import {
  missingForSshd,
  missingForXvfb,
  type Sshd,
  startSshd,
  startXvfb,
  watchLeaks,
  type Xvfb,
} from '@viassh/testing';

const missing = (await missingForXvfb()) ?? (await missingForSshd());

/** Debian's ssh takes -X for -Y unless it is told otherwise. */
const untrusted = ['-o', 'ForwardX11Trusted=no', '-X'];
const trusted = ['-Y'];

/** What ssh itself does between the two fixtures: what our own way is compared with elsewhere. */
function test(name: string, body: (t: Test, sshd: Sshd, server: Xvfb) => Promise<void>, security = true): void {
  void t.test(name, { skip: missing ?? false }, async (t) => {
    await watchLeaks(t);
    await using sshd = await startSshd({ config: ['X11Forwarding yes'] });
    await using server = await startXvfb({ security });
    await body(t, sshd, server);
  });
}

/** Runs `script` on the far end, with ssh's X11. */
async function ssh(sshd: Sshd, { env }: Pick<Xvfb, 'env'>, options: string[], script: string): Promise<ProgramOutput> {
  const args = ['-F', sshd.configFile, ...options, sshd.destination, script];
  return await createProgramRunner().run({ file: 'ssh', args, env });
}

const extensionsIn = (said: string): number => Number(/number of extensions: +(\d+)/.exec(said)?.[1]);
const status = (code: number): object => ({ exit: { kind: 'status', code } });

test('ssh -X shows two extensions and no foreign pixels, -Y all', async (t, sshd, server) => {
  const look = 'echo $DISPLAY; xdpyinfo; xwd -silent -root | wc -c';
  const seen = await ssh(sshd, server, untrusted, look);
  t.match(seen.stdout, /^localhost:\d+\.0\n/);
  t.equal(extensionsIn(seen.stdout), 2);
  t.match(seen.stdout, /^0$/m);
  t.match(seen.stderr, 'xwd:  unable to get image');
  const all = await ssh(sshd, server, trusted, look);
  t.equal(extensionsIn(all.stdout), extensionsIn((await server.run('xdpyinfo')).stdout));
  t.match(all.stdout, /^\d{7}$/m, 'the picture of the screen');
});

test('ssh gives the far end another cookie than the real one, lets in who has it, and passes the status', async (t, sshd, server) => {
  const script = `xauth list | wc -l; xauth list; xdpyinfo >/dev/null && echo in
    XAUTHORITY=/dev/null xdpyinfo || echo out
    xauth -q add $DISPLAY . 00000000000000000000000000000000; xdpyinfo || echo out; exit 7`;
  for (const options of [untrusted, trusted]) {
    const { stdout, stderr, exit } = await ssh(sshd, server, options, script);
    t.strictSame(exit, { kind: 'status', code: 7 });
    t.match(stdout, /^1\n.*MIT-MAGIC-COOKIE-1 +[0-9a-f]{32}\nin\nout\nout\n$/);
    t.notMatch(stdout, server.cookie);
    t.equal(stderr.match(/X11 connection rejected because of wrong authentication/g)?.length, 2);
  }
  t.match(await ssh(sshd, server, trusted, 'kill -TERM $$'), status(255), 'the name of a signal is lost');
});

test(
  'ssh -X without SECURITY runs the program without a display',
  async (t, sshd, server) => {
    const { stdout, stderr, exit } = await ssh(sshd, server, untrusted, 'echo "<$DISPLAY>"');
    t.strictSame({ stdout, exit }, { stdout: '<>\n', exit: { kind: 'status', code: 0 } });
    t.match(stderr, 'untrusted X11 forwarding setup failed');
    t.match(await ssh(sshd, server, trusted, 'xdpyinfo'), status(0));
  },
  false,
);
