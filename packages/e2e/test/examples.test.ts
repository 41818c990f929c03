import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import t, { type Test } from 'tap';
import { createMailbox, findProgram, missingForDovecot, missingForSshd, startSshd, watchLeaks } from '@viassh/testing';
import { at, runtimeFolder, transports, viassh } from './run-viassh.ts';

const noSshd = (await missingForSshd()) ?? false;
const noMailbox = noSshd || ((await missingForDovecot()) ?? false);
const examples = join(import.meta.dirname, '../../../examples');
const readMail = { file: join(examples, 'read-mail.ts') };
const uploadTar = { file: join(examples, 'upload-tar.ts') };
const syncFolder = { file: join(examples, 'sync-folder.ts') };
const database = { file: join(examples, 'database-through-a-bastion.ts') };
const noRsync = noSshd || ((await findProgram('rsync')) === undefined ? 'rsync is not installed' : false);

await watchLeaks(t, { folders: [runtimeFolder] });

for (const transport of transports) {
  t.test(
    `${transport}: read-mail shows folders, subjects and a body, and what a search finds`,
    { skip: noMailbox },
    async (t) => {
      await using sshd = await startSshd();
      const mailbox = await createMailbox(sshd);
      const run = await viassh([...at(sshd, transport), mailbox.command], readMail);
      t.equal(run.code, 0, run.stderr);
      const [lines, body] = run.stdout.toString().split('\n\n', 2);
      const subjects = mailbox.messages.map(({ subject }, index) => `${index + 1}: ${subject}`);
      t.strictSame(lines?.split('\n'), ['folder: INBOX', ...subjects]);
      t.match(body, /^This is message 1\. Schöne Grüße\.\r?$/m);
      t.equal(run.stderr, '');
      const search = await viassh(['--search', 'joerg@', ...at(sshd, transport), mailbox.command], readMail);
      t.equal(search.code, 0, search.stderr);
      t.match(search.stdout.toString(), /^folder: INBOX\n2: Grüße aus Köln: 日本 🎈\n\nThis is message 2\./);
    },
  );

  t.test(`${transport}: read-mail says why a command is no mailbox`, { skip: noSshd }, async (t) => {
    await using sshd = await startSshd();
    const run = await viassh([...at(sshd, transport), 'echo hello'], readMail);
    t.equal(run.code, 255);
    t.match(run.stderr, /^IMAP_NOISE: /);
    t.notMatch(run.stderr, /^ +at /m);
  });

  t.test(`${transport}: upload-tar's files arrive as they are`, { skip: noSshd }, async (t) => {
    await using sshd = await startSshd();
    const folder = await scratchFolder(t);
    await mkdir(join(folder, 'sub folder'));
    await writeFile(join(folder, 'plain.txt'), 'as it is\n');
    await writeFile(join(folder, 'sub folder', 'random'), randomBytes(5 * 1024 * 1024));
    await writeFile(join(folder, 'sub folder', 'empty'), '');
    // A name that a shell would take apart; below the fixture's folder when the home is not the fixture's.
    const remote = join(sshd.scratchUser ? sshd.home : sshd.folder, "it's a $HOME; `touch gone`");
    const run = await viassh([...at(sshd, transport), folder, remote], uploadTar);
    t.equal(run.code, 0, run.stderr);
    t.match(run.stderr, /5\.\d MiB sent; tar here: 0, there: 0/);
    const files = ['plain.txt', join('sub folder', 'empty'), join('sub folder', 'random')];
    const all = await readdir(remote, { recursive: true, withFileTypes: true });
    t.equal(all.filter((entry) => entry.isFile()).length, files.length);
    for (const file of files) {
      t.ok((await readFile(join(remote, file))).equals(await readFile(join(folder, file))), file);
    }
  });

  t.test(`${transport}: upload-tar loses nothing where tar ends before anybody reads`, { skip: noSshd }, async (t) => {
    await using sshd = await startSshd();
    const remote = join(sshd.scratchUser ? sshd.home : sshd.folder, 'there');
    const run = await viassh([...at(sshd, transport), t.testdir({ small: 'file' }), remote], uploadTar);
    t.equal(run.code, 0, run.stderr);
    t.equal(await readFile(join(remote, 'small'), 'utf8'), 'file');
  });

  t.test(`${transport}: upload-tar passes the far end's failure on`, { skip: noSshd }, async (t) => {
    await using sshd = await startSshd();
    const folder = await scratchFolder(t);
    await writeFile(join(folder, 'random'), randomBytes(8 * 1024 * 1024)); // more than pipes and windows hold
    const run = await viassh([...at(sshd, transport), folder, '/dev/null/folder'], uploadTar);
    t.not(run.code, 0);
    t.not(run.code, 255);
    t.match(run.stderr, /mkdir: .*\/dev\/null/);
  });

  t.test(
    `${transport}: sync-folder makes there what is here, and sends nothing twice`,
    { skip: noRsync },
    async (t) => {
      await using sshd = await startSshd();
      const folder = await scratchFolder(t);
      await writeFile(join(folder, 'with a blank.txt'), 'as it is\n');
      const remote = join(sshd.scratchUser ? sshd.home : sshd.folder, "it's a $HOME; `touch gone`");
      const args = ['-F', sshd.configFile, '--transport', transport, folder, `${sshd.destination}:${remote}`];
      const first = await viassh(args, syncFolder);
      t.equal(first.code, 0, first.stderr);
      t.match(first.stdout.toString(), /^2 files and folders, 1 of them sent, 0 deleted there\n$/);
      t.match(first.stderr, /^100 %$/m);
      t.equal(await readFile(join(remote, 'with a blank.txt'), 'utf8'), 'as it is\n');
      await rm(join(folder, 'with a blank.txt'));
      await writeFile(join(folder, 'another'), '');
      const second = await viassh(args, syncFolder);
      t.match(second.stdout.toString(), /^2 files and folders, 1 of them sent, 1 deleted there\n$/);
      t.match((await viassh(args, syncFolder)).stdout.toString(), / 0 of them sent, 0 deleted/);
    },
  );

  t.test(
    `${transport}: database-through-a-bastion brings a client to what listens there`,
    { skip: noSshd },
    async (t) => {
      await using sshd = await startSshd();
      const server = createServer((client) => client.on('error', () => undefined).end('ready\n')).listen(
        0,
        '127.0.0.1',
      );
      await once(server, 'listening');
      t.teardown(() => server.close());
      const { port } = server.address() as AddressInfo;
      const client = `require('node:net').connect(process.env.PGPORT, process.env.PGHOST).pipe(process.stdout)`;
      const words = ['--', sshd.destination, `localhost:${port}`, process.execPath, '-e', client];
      const run = await viassh(['-F', sshd.configFile, '--transport', transport, ...words], database);
      t.strictSame({ code: run.code, stdout: run.stdout.toString() }, { code: 0, stdout: 'ready\n' }, run.stderr);
      t.match(run.stderr, /^1 connections; 0 bytes there, 6 bytes back$/m);
    },
  );

  t.test(`${transport}: sync-folder says why a transfer failed`, { skip: noRsync }, async (t) => {
    await using sshd = await startSshd();
    const args = ['-F', sshd.configFile, '--transport', transport, join(sshd.folder, 'none'), `${sshd.destination}:x`];
    const run = await viassh(args, syncFolder);
    t.equal(run.code, 255);
    t.match(run.stderr, /^RSYNC_[A-Z]+: /m);
    t.notMatch(run.stderr, /^ +at /m);
  });
}

async function scratchFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-examples-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}
