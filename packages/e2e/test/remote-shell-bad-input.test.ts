import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { runProgram } from './run-program.ts';

const touch = 'touch touched';
const names = [
  `-oProxyCommand=${touch}`,
  `;${touch}`,
  `$(${touch})`,
  `\`${touch}\``,
  `x\n${touch}`,
  `x';${touch};'`,
  '',
];

onBothTransports('hostile names run nothing, end with 255, and are named', async (t, transport) => {
  await using sshd = await startSshd();
  const cwd = t.testdir();
  // What a user has in his configuration, and a hostile name is after.
  const configFile = join(sshd.folder, 'hostile_config');
  await writeFile(configFile, `Host *\n  ProxyCommand sh -c 'echo %h %r %n; false'\n  PermitLocalCommand yes\n`);
  const calls = names.flatMap((name) => [
    ['--', name],
    [name, 'true'],
    ['--', `${name}@t`],
    ['--', `user@${name}`],
    [`ssh://${name}`],
    ['-l', name, 't'],
    ['-J', name, 't'],
    ['-J', `t,user@${name}`, 't'],
    ['-o', `HostName=${name}`, 't'],
    ['-o', `User=${name}`, 't'],
    ['-o', `ProxyJump=${name}`, 't'],
  ]);
  const others = [
    ['-o', `ProxyCommand=${touch}`, 't', 'true'],
    ['t', `-oProxyCommand=${touch}`, 'true'],
    [`-qoProxyCommand=${touch}`, 't'],
    ['-oPermitLocalCommand=yes', `-oLocalCommand=${touch}`, 't', 'true'],
    [`-oKnownHostsCommand=/usr/bin/touch ${cwd}/touched`, 't', 'true'],
    [`-oMatch=exec "${touch}"`, 't'],
    ['-oInclude=evil', 't'],
    ['-I', '/x.so', 't'],
    ['-Z', 't'],
    [],
  ];
  const env = { VIASSH_TRANSPORT: transport };
  await Promise.all(
    [...calls, ...others].map(async (argv, index) => {
      const { code, stdout, stderr } = await runProgram('viassh-ssh', ['-F', configFile, ...argv], { env, cwd });
      const what = `${index}: ${JSON.stringify(argv)}`;
      t.strictSame({ code, stdout: stdout.toString() }, { code: 255, stdout: '' }, what);
      t.match(
        stderr,
        /^viassh: .* \((DESTINATION_INVALID|OPTION_INVALID|OPTION_REFUSED|USAGE)\)\n {2}hint: .*\n$/,
        what,
      );
    }),
  );
  t.strictSame(await readdir(cwd), [], 'nothing was touched');
});

onBothTransports('behind -- and in a command a leading dash is the far end’s', async (t, transport) => {
  await using sshd = await startSshd({
    authorizedKeysOptions: String.raw`command="printf %s \"$SSH_ORIGINAL_COMMAND\""`,
  });
  const cwd = t.testdir();
  const env = { VIASSH_TRANSPORT: transport };
  for (const command of [
    ['--', `-oProxyCommand=${touch}`],
    ['sh', `-oProxyCommand=${touch}`, '', 'a  b\n', '$(id) `id` 漢'],
  ]) {
    const { code, stdout, stderr } = await runProgram('viassh-ssh', ['-F', sshd.configFile, 't', ...command], {
      env,
      cwd,
    });
    const sent = (command[0] === '--' ? command.slice(1) : command).join(' ');
    t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: sent, stderr: '' });
  }
  t.strictSame(await readdir(cwd), []);
});

onBothTransports(
  'a ProxyCommand is the user’s to give: in a file, in the environment, or with leave',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    const marked = `ProxyCommand=touch ${sshd.folder}/asked; exit 1`;
    const run = (env: Record<string, string>, ...words: string[]): ReturnType<typeof runProgram> =>
      runProgram('viassh-ssh', ['-F', sshd.configFile, ...words, 't', 'true'], {
        env: { VIASSH_TRANSPORT: transport, ...env },
      });
    const wasAsked = async (): Promise<boolean> => (await readdir(sshd.folder)).includes('asked');
    t.match(await run({}, '-o', marked), { code: 255, stderr: /OPTION_REFUSED/ });
    t.notOk(await wasAsked(), 'a caller may not');
    t.match(
      await run({ VIASSH_ALLOW_LOCAL_COMMANDS: 'yes' }, '-o', marked),
      { stderr: /OPTION_REFUSED/ },
      'only 1 is leave',
    );
    t.match(await run({ VIASSH_ALLOW_LOCAL_COMMANDS: '1' }, '-o', marked), { code: 255 });
    t.ok(await wasAsked(), 'with leave');
    await using other = await startSshd(); // whose file has one
    const inFile = await runProgram('viassh-ssh', ['-F', other.configFile, 't', 'echo in'], {
      env: { VIASSH_TRANSPORT: transport },
    });
    t.strictSame({ code: inFile.code, stdout: inFile.stdout.toString() }, { code: 0, stdout: 'in\n' });
  },
);

onBothTransports('an environment that makes no sense is named', async (t, transport) => {
  const cases: readonly (readonly [env: Record<string, string>, says: RegExp])[] = [
    [{ VIASSH_SSH_OPTIONS: '{' }, /VIASSH_SSH_OPTIONS.*\(USAGE\)/],
    [{ VIASSH_SSH_OPTIONS: '"-F x"' }, /VIASSH_SSH_OPTIONS.*\(USAGE\)/],
    [{ VIASSH_SSH_OPTIONS: '[1]' }, /VIASSH_SSH_OPTIONS.*\(USAGE\)/],
    [{ VIASSH_SSH_OPTIONS: '["host"]' }, /\(USAGE\)/],
    [{ VIASSH_SSH_OPTIONS: '["-l", "-oX"]' }, /\(DESTINATION_INVALID\)/],
    [{ VIASSH_TRANSPORT: 'carrier-pigeon' }, /'carrier-pigeon' \(OPTION_INVALID\)/],
    [{ VIASSH_PROXY: 'gopher://x' }, /\(OPTION_INVALID\)/],
  ];
  for (const [env, says] of cases) {
    const { code, stdout, stderr } = await runProgram('viassh-ssh', ['t', 'true'], {
      env: { VIASSH_TRANSPORT: transport, ...env },
    });
    t.strictSame({ code, stdout: stdout.length }, { code: 255, stdout: 0 }, JSON.stringify(env));
    t.match(stderr, says);
    t.match(stderr, /\n {2}hint: /);
  }
});
