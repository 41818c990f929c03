import { execFileSync } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram, makeScratchFolder, missingForSshd, waitUntil } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { printed } from './cvs-repository.ts';
import { runProgram } from './run-program.ts';
import { chownAll, putFile, startAnsweringNode, uucpUser } from './uucp-nodes.ts';

/** The system's own node is tried in a mount namespace, where its folders and ssh_config are ours. */
const skip =
  (await missingForSshd()) ??
  (((await findProgram('uucico', ['/usr/sbin'])) === undefined ? 'no uucico (Debian: apt-get install uucp)' : false) ||
    (mayMount() ? false : 'no mount namespaces here (root with CAP_SYS_ADMIN)'));

tidyTest(
  'uucp: the recipe for /etc/uucp: a user without rights sends a file, and nothing of an environment is run as uucp',
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const caller = { name: 'near', login: 'Unear' };
    const far = await startAnsweringNode(stack, [caller]);
    const { sshd } = far;
    const { path: scratch } = stack.use(await makeScratchFolder());
    const key = await sshd.generateKey();
    await sshd.authorize(
      await printed(['account', 'uucp', '--login', 'Unear', '--config', far.config, `${key.file}.pub`]),
    );

    for (const name of ['etc', 'spool', 'log', 'lock', 'public', 'evil']) await mkdir(join(scratch, name));
    for (const name of ['spool', 'log', 'lock']) await chown(join(scratch, name), uucpUser.uid, uucpUser.gid);
    await writeFile(join(scratch, 'etc/config'), 'nodename near\n');
    const recipe = join(scratch, 'recipe.sh');
    await writeFile(recipe, await printed(['recipe', 'uucp', sshd.destination]));
    const clientConfig = (await readFile(sshd.configFile, 'utf8'))
      .replace(/IdentityFile .*/, `IdentityFile ${scratch}/key`)
      .replace(/UserKnownHostsFile .*/, `UserKnownHostsFile ${scratch}/known_hosts`);
    await writeFile(join(scratch, 'ssh_config'), clientConfig);
    await writeFile(join(scratch, 'known_hosts'), await readFile(sshd.knownHostsFile));
    await writeFile(join(scratch, 'key'), await readFile(key.file), { mode: 0o600 });
    await chown(join(scratch, 'key'), uucpUser.uid, uucpUser.gid);

    const inNamespace = async (script: string, env: Record<string, string> = {}): Promise<string> => {
      const binds = [
        ['etc', '/etc/uucp'],
        ['spool', '/var/spool/uucp'],
        ['log', '/var/log/uucp'],
        ['lock', '/var/lock'],
        ['ssh_config', '/etc/ssh/ssh_config'],
      ].map(([from, to]) => `mount --bind '${scratch}/${from}' ${to}`);
      const { code, stdout, stderr } = await runProgram('unshare', ['-m', 'sh', '-ec', [...binds, script].join('\n')], {
        env: { UUCP_SYSTEM: 'far', USER_ID: `${sshd.uid}`, ...env },
      });
      if (code !== 0) t.comment(stderr);
      return stdout.toString() + stderr;
    };
    const log = async (): Promise<string> =>
      (
        await Promise.all(['Log', 'viassh'].map((name) => readFile(join(scratch, 'log', name), 'utf8').catch(() => '')))
      ).join('');

    // As somebody without rights: uucp is setuid, and starts uucico in the background.
    const file = await putFile(scratch, 'sent', 'by somebody');
    await inNamespace(`
      UUCP_CONFIG= sh ${recipe}
      setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups uucp ${file} 'far!~/sent'`);
    await waitUntil('the call to end', async () => /Call complete/.test(await log()), { withinMs: 20_000 }).catch(
      async () => t.fail(await log()),
    );
    await waitUntil('the lock to go', async () => (await readdir(join(scratch, 'lock'))).length === 0);
    t.equal(await readFile(join(far.folder, 'public/sent'), 'utf8'), 'by somebody');

    // As a member of the group uucp, who may start uucico, with an environment that wants to be run.
    const evil = join(scratch, 'evil');
    await chmod(evil, 0o777);
    await writeFile(join(evil, 'node'), `#!/bin/sh\n: >${evil}/ran\n`, { mode: 0o755 });
    await writeFile(join(evil, 'evil.cjs'), `require('node:fs').writeFileSync('${evil}/ran', '')\n`);
    await appendFile(file, ' again');
    const said = await inNamespace(
      `setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups uucp -r ${file} 'far!~/again'
      PATH=${evil}:$PATH NODE_OPTIONS=--require=${evil}/evil.cjs \\
        setpriv --reuid "$USER_ID" --regid "$USER_ID" --groups ${uucpUser.gid} uucico -D -S far`,
      { VIASSH_SSH_OPTIONS: '["-F","/dev/null"]' },
    );
    const again = await readFile(join(far.folder, 'public/again'), 'utf8').catch(() => said);
    t.equal(again, 'by somebody again', await log());
    await t.rejects(readFile(join(evil, 'ran')), { code: 'ENOENT' });
    chownAll(scratch, 0, 0);
  },
  skip,
);

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '--bind', '/var/log', '/var/log'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}
