import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { onBothTransports, onTransport } from './both-transports.ts';
import { isPrivate, makeMailBench, readFolder, readMaildir, skipWithout } from './mail-bench.ts';
import { applyRecipe } from './recipes-and-accounts.ts';

const each = [1, 1, 1, 1];

onBothTransports(
  'fetchmail brings every mail once, by the recipe, from a host that no DNS knows',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    const mda = await bench.write('mda', `#!/bin/sh\nexec cat >"$(mktemp "$HOME/in/XXXXXXXX")"\n`, 0o755);
    await bench.run('mkdir', ['in']);
    await bench.write('.fetchmailrc', 'set no syslog');
    await bench.apply('fetchmail', '--mda', mda);
    await isPrivate(t, join(bench.home, '.fetchmailrc'));
    const { code, stderr, stdout } = await bench.run('fetchmail', ['--nodetach', '-v', 't']);
    t.equal(code, 0, `${stdout.toString()}${stderr}`);
    t.strictSame(bench.count(await readFolder(join(bench.home, 'in'))), each);
    t.equal((await readMaildir(bench.mailbox.maildir)).length, 4, 'and leaves it there');
    await bench.apply('fetchmail', '--mda', mda);
    t.equal((await bench.read('.fetchmailrc')).match(/^poll /gm)?.length, 1, 'run twice: one server');
  },
  await skipWithout('fetchmail'),
);

onBothTransports(
  'mbsync copies every mail once, by the recipe; a second run adds none',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    // Somebody's own section, whose last line has no end: the next one wants an empty line before it.
    await bench.write('.mbsyncrc', 'MaildirStore mine\nPath ~/mine/\nInbox ~/mine/INBOX');
    await bench.apply('mbsync');
    await bench.apply('mbsync');
    for (const run of ['first', 'second']) {
      const { code, stderr, stdout } = await bench.run('mbsync', ['-V', 't']);
      t.equal(code, 0, `${stdout.toString()}${stderr}`);
      t.strictSame(bench.count(await readMaildir(join(bench.home, 'Mail/t/INBOX'))), each, run);
    }
  },
  await skipWithout('mbsync'),
);

onBothTransports(
  'offlineimap copies every mail once, by the recipe; the remotehost that it wants is not dialled',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    await bench.apply('offlineimap', '--folder', '~/100% mail');
    await bench.apply('offlineimap', '--folder', '~/100% mail');
    await isPrivate(t, join(bench.home, '.offlineimaprc'));
    const { code, stderr, stdout } = await bench.run('offlineimap', ['-o', '-u', 'basic']);
    t.equal(code, 0, `${stdout.toString()}${stderr}`);
    t.strictSame(bench.count(await readMaildir(join(bench.home, '100% mail/INBOX'))), each);
  },
  await skipWithout('offlineimap'),
);

onTransport(
  'ssh2',
  'mbsync with --or-local reads the mail that is here, and goes through ssh where there is none',
  async (t, transport) => {
    await using bench = await makeMailBench(transport);
    const { sshd, mailbox, home, env } = bench;
    // Dovecot serves no root, and only root becomes another user: the one command works here, the other over there.
    const become = `setpriv --reuid=${sshd.uid} --regid=${sshd.gid} --clear-groups`;
    const here = `cd ${sshd.home} && exec ${become} env HOME=${sshd.home} USER=${sshd.user} ${mailbox.command}`;
    for (const [command, folder, logins] of [
      [here, 'here', 0],
      [mailbox.command, 'there', 1],
    ] as const) {
      const args = ['--or-local', '--folder', `~/${folder}`, '--command', command];
      await rm(join(home, '.mbsyncrc'), { force: true });
      await applyRecipe('mbsync', sshd.destination, { env, cwd: home }, args);
      const { code, stderr } = await bench.run('mbsync', ['t']);
      t.equal(code, 0, stderr);
      t.strictSame(bench.count(await readMaildir(join(home, folder, 'INBOX'))), each);
      t.equal((await sshd.log()).match(/Accepted publickey/g)?.length ?? 0, logins, folder);
    }
  },
  (await skipWithout('mbsync', 'setpriv')) || (process.getuid?.() === 0 ? false : 'only root becomes another user'),
);
