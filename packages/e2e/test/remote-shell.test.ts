import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { reaching, runProgram } from './run-program.ts';
import { remoteShellFile, type RunningViassh, startViassh } from './run-viassh.ts';

const showCommand = String.raw`command="printf %s \"$SSH_ORIGINAL_COMMAND\""`;
const gone = (pid: number): Promise<true> => waitUntil(`process ${pid} to end`, () => !existsSync(`/proc/${pid}`));

function start(
  sshd: Sshd,
  transport: string,
  words: readonly string[],
  more: Record<string, string> = {},
): RunningViassh {
  return startViassh(words, { file: remoteShellFile, env: { ...reaching(sshd, transport), ...more } });
}

/** ssh logs in before it heeds signals. proc_pid_status(5): SigCgt. */
async function catches(pid: number, signal: keyof typeof constants.signals): Promise<boolean> {
  const caught = /^SigCgt:\t(\w+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

/** The process id that the far end's `echo $$` gave. */
async function remotePid({ stdout }: RunningViassh): Promise<number> {
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return Number(line.toString().split('\n')[0]);
}

onBothTransports('what real callers pass is taken, and the command arrives as they gave it', async (t, transport) => {
  await using sshd = await startSshd({ authorizedKeysOptions: showCommand });
  const scp = [
    'PermitLocalCommand=no',
    'ClearAllForwardings=yes',
    'RemoteCommand=none',
    'RequestTTY=no',
    'ForwardAgent=no',
  ];
  const ansible = [
    'ControlMaster=no',
    'ControlPersist=60s',
    'StrictHostKeyChecking=no',
    'KbdInteractiveAuthentication=no',
  ];
  const calls: readonly (readonly [argv: readonly string[], command: string])[] = [
    [['t', 'rsync', '--server', '-vlogDtpre.iLsfxCIvu', '.', "it's"], "rsync --server -vlogDtpre.iLsfxCIvu . it's"],
    [['-l', sshd.user, 't', 'rsync', '--server', '.'], 'rsync --server .'],
    [['--', 't', 'cvs', 'server'], 'cvs server'],
    [['-o', 'SendEnv=GIT_PROTOCOL', 't', "git-upload-pack '/a b.git'"], "git-upload-pack '/a b.git'"],
    [['-x', ...scp.map((option) => `-o${option}`), '-l', sshd.user, '--', 't', 'scp -t .'], 'scp -t .'],
    [['-C', '-4', '-e', 'none', '-oForwardX11 no', '-o', 'Protocol 2', 't', 'uucico -l'], 'uucico -l'],
    [
      ['-a', '-x', '-oConnectTimeout=10', ...ansible.map((one) => `-o${one}`), '-tT', 't', "/bin/sh -c 'echo ~'"],
      "/bin/sh -c 'echo ~'",
    ],
    [['t', '-q', '-n', '--', 'svnserve', '-t'], 'svnserve -t'],
    [[`ssh://${sshd.user}@t`, 'borg', 'serve'], 'borg serve'],
  ];
  for (const [argv, command] of calls) {
    const { code, stdout, stderr } = await runProgram('viassh-ssh', argv, { env: reaching(sshd, transport) });
    t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: command, stderr: '' }, argv.join(' '));
  }
  const own = await runProgram('viassh', ['rsh', 't', 'hg', '-R', 'x'], { env: reaching(sshd, transport) });
  t.strictSame([own.code, own.stdout.toString()], [0, 'hg -R x']);
});

onBothTransports('a command with bytes that are no text arrives as it is, or is refused', async (t, transport) => {
  await using sshd = await startSshd({ authorizedKeysOptions: showCommand });
  const call = `exec viassh-ssh -q t "$(printf 'rsync gr\\374\\337e %s' "it's")" 'and $more' "$(printf '\\n.')" ''`;
  const { code, stdout, stderr } = await runProgram('sh', ['-c', call], { env: reaching(sshd, transport) });
  const sent = Buffer.from("rsync gr\xfc\xdfe it's and $more \n. ", 'latin1');
  if (transport === 'openssh') t.strictSame({ code, stdout, stderr }, { code: 0, stdout: sent, stderr: '' });
  else
    t.match(
      { code, stderr },
      { code: 255, stderr: /no UTF-8.*\(OPTION_INVALID\)\n {2}hint: .*VIASSH_TRANSPORT=openssh/ },
    );
  const real = await runProgram('viassh-ssh', ['t', 'echo', '\uFFFD'], { env: reaching(sshd, transport) });
  t.equal(real.stdout.toString(), 'echo \uFFFD', 'what looks like it and is text');
});

onBothTransports('-G, -V, -s, -W, -tt and -E do what ssh’s do', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen', config: ['Subsystem echo /bin/cat'] });
  const run = (...argv: string[]): ReturnType<typeof runProgram> =>
    runProgram('viassh-ssh', argv, { env: reaching(sshd, transport), input: 'in' });
  const shown = await run('-G', 't');
  t.match(shown, { code: 0 });
  t.match(shown.stdout.toString(), new RegExp(`^port ${sshd.port}$`, 'm'));
  t.match(await run('-V'), { code: 0, stderr: /^(OpenSSH|viassh )/ });
  t.match(await run('-s', 't', 'echo'), { code: 0, stdout: Buffer.from('in') });
  const joined = await run('-W', `127.0.0.1:${sshd.port}`, 't');
  t.match(joined.stdout.toString(), /^SSH-2\.0-/, 'an sshd answers through -W');
  const terminal = await run('-tt', 't', 'test -t 1 && echo terminal; exit 3');
  t.equal(terminal.code, 3);
  t.match(terminal.stdout.toString(), /terminal\r\n/);
  const log = join(sshd.folder, 'log');
  t.match(await run(`-E${log}`, '-v', 't', 'echo out; echo err >&2'), {
    code: 0,
    stdout: Buffer.from('out\n'),
    stderr: 'err\n',
  });
  t.not((await readFile(log, 'utf8')).length, 0, 'the log is in the file');
});

tidyTest('openssh: the process becomes ssh, which sees nothing of what is for us alone', async (t) => {
  await using sshd = await startSshd();
  await using running = start(sshd, 'openssh', ['t', 'echo $$; exec cat']);
  await remotePid(running);
  t.equal(await readFile(`/proc/${running.pid}/comm`, 'utf8'), 'ssh\n');
  const environment = await readFile(`/proc/${running.pid}/environ`, 'latin1');
  t.notMatch(environment, /VIASSH_(SSH_OPTIONS|PROXY)=/);
  t.match(environment, /VIASSH_TRANSPORT=openssh/);
  running.stdin.end();
  t.strictSame(await running.exit, { code: 0, signal: null });
});

onBothTransports('a caller that goes away leaves nothing', async (t, transport) => {
  await using sshd = await startSshd();
  await using reader = start(sshd, transport, ['t', 'echo $$; exec cat']);
  const readerPid = await remotePid(reader);
  reader.stdin.end();
  t.equal((await reader.exit).code, 0, 'the end of stdin is the command’s');
  await gone(readerPid);
  await using writer = start(sshd, transport, ['t', 'echo $$; exec yes']);
  const writerPid = await remotePid(writer);
  writer.stdout.destroy();
  t.equal((await writer.exit).code, 255, 'nobody reads any more');
  await gone(writerPid);
});

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
  onBothTransports(`${signal} ends it with 255, and the remote command; -N ends as ssh’s`, async (t, transport) => {
    await using sshd = await startSshd();
    await using reader = start(sshd, transport, ['t', 'echo $$; exec cat']);
    const readerPid = await remotePid(reader);
    reader.stdout.resume();
    reader.kill(signal);
    t.strictSame(await reader.exit, { code: 255, signal: null });
    await gone(readerPid);
    await using holder = start(sshd, transport, ['-N', '-v', 't']);
    await waitUntil('the login', () => /Authenticated to|logged in by/.test(holder.stderr()));
    await waitUntil('it to heed signals', () => catches(holder.pid, signal));
    holder.stdin.end();
    holder.stdout.resume();
    holder.kill(signal);
    t.strictSame(await holder.exit, { code: signal === 'SIGTERM' ? 0 : 255, signal: null }, '-N, as ssh');
  });
}

onBothTransports('a server that dies: 255, and what had arrived was handed on', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using running = start(sshd, transport, ['t', 'echo $$; exec cat']);
  await remotePid(running);
  running.stdout.resume();
  await sshd.kill();
  t.strictSame(await running.exit, { code: 255, signal: null });
  t.not(running.stderr(), '');
});

tidyTest('ssh2: what it cannot do is refused by name, with the way out', async (t) => {
  for (const option of ['-L1:h:2', '-R1:h:2', '-D1', '-X', '-M', '-f', '-S/s', '-Oexit', '-w0:0', '-Qcipher']) {
    const { code, stdout, stderr } = await runProgram('viassh-ssh', [option, 't'], {
      env: { VIASSH_TRANSPORT: 'ssh2' },
    });
    t.strictSame({ code, stdout: stdout.length }, { code: 255, stdout: 0 }, option);
    t.match(
      stderr,
      new RegExp(`${option.slice(0, 2)} .*CAPABILITY_MISSING\\)\n {2}hint: VIASSH_TRANSPORT=openssh`),
      option,
    );
  }
});

tidyTest('without an ssh binary auto takes ssh2, and a link named ssh that leads to us is none', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const folder = t.testdir({ ssh: t.fixture('symlink', remoteShellFile) });
  const options = ['HostKeyAlias=viassh-test-server', `UserKnownHostsFile=${sshd.knownHostsFile}`];
  const argv = [
    '-F',
    'none',
    '-p',
    String(sshd.port),
    '-i',
    sshd.identityFile,
    ...options.map((option) => `-o${option}`),
  ];
  await using running = startViassh([...argv, `${sshd.user}@127.0.0.1`, 'echo in; exit 4'], {
    file: join(folder, 'ssh'),
    env: { PATH: folder },
  });
  t.equal(Buffer.concat(await running.stdout.toArray()).toString(), 'in\n');
  t.strictSame(await running.exit, { code: 4, signal: null }, running.stderr());
});

onBothTransports('a proxy of ours that is not there is named: it was not passed over', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const { code, stderr } = await runProgram('viassh-ssh', ['t', 'echo no'], {
    env: { ...reaching(sshd, transport), VIASSH_PROXY: 'socks5://127.0.0.1:1' },
  });
  t.equal(code, 255);
  t.match(stderr, /socks5:\/\/127\.0\.0\.1:1 .*\(CONNECTION_REFUSED\)/);
});

const ignored = (stderr = ''): string | undefined => /^SigIgn:\t(\w+)$/m.exec(stderr)?.[1];

tidyTest('ssh, and what it starts, ignores the signals that it ignores without us', async (t) => {
  const show = "sh -c 'grep SigIgn /proc/self/status >&2; exit'"; // ssh ends it once its stdout is closed
  const folder = t.testdir({ config: `Host *\n  ProxyCommand ${show}\n` });
  const [ours, plain] = await Promise.all(
    ['viassh-ssh', 'ssh'].map((file) =>
      runProgram(file, ['-F', join(folder, 'config'), 'h'], { env: { VIASSH_TRANSPORT: 'openssh' } }),
    ),
  );
  t.match(ignored(plain?.stderr), /^\w+$/);
  t.equal(ignored(ours?.stderr), ignored(plain?.stderr));
});
