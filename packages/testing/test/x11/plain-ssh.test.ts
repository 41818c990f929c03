import t from 'tap';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { missingForSshd, missingForXvfb, startSshd, startXvfb, watchLeaks } from '@viassh/testing';

const missing = (await missingForXvfb()) ?? (await missingForSshd());

// what we refuse before the program is started; the rest of what ssh does is met where we hand over to it
t.test('ssh -X without SECURITY runs the program without a display', { skip: missing ?? false }, async (t) => {
  await watchLeaks(t);
  await using sshd = await startSshd({ config: ['X11Forwarding yes'] });
  await using server = await startXvfb({ security: false });
  const ssh = async (options: readonly string[], script: string): Promise<ProgramOutput> => {
    const args = ['-F', sshd.configFile, ...options, sshd.destination, script];
    return await createProgramRunner().run({ file: 'ssh', args, env: server.env });
  };
  // Debian's ssh takes -X for -Y unless it is told otherwise
  const { stdout, stderr, exit } = await ssh(['-o', 'ForwardX11Trusted=no', '-X'], 'echo "<$DISPLAY>"');
  t.strictSame({ stdout, exit }, { stdout: '<>\n', exit: { kind: 'status', code: 0 } });
  t.match(stderr, 'untrusted X11 forwarding setup failed');
  t.match(await ssh(['-Y'], 'xdpyinfo'), { exit: { kind: 'status', code: 0 } });
});
