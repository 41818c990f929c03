import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makePrivateFolder, sweepBeside } from '../../src/master/private-folder.ts';

const scratch = await mkdtemp(join(tmpdir(), 'viassh-p-'));
t.teardown(() => rm(scratch, { recursive: true, force: true }));

t.test('the folder is ours alone and goes away', async (t) => {
  const folder = await makePrivateFolder(join(scratch, 'run'));
  t.equal((await lstat(folder.path)).mode & 0o777, 0o700);
  await folder.remove();
  await t.rejects(lstat(folder.path), { code: 'ENOENT' });
});

t.test('a parent where others may write is refused', async (t) => {
  const parent = join(scratch, 'open');
  await mkdir(parent);
  await chmod(parent, 0o777);
  await t.rejects(makePrivateFolder(parent), { code: 'TRANSPORT_UNAVAILABLE', message: /others can write/ });
});

t.test('a parent that is a link is refused', async (t) => {
  await mkdir(join(scratch, 'real'));
  await symlink(join(scratch, 'real'), join(scratch, 'link'));
  await t.rejects(makePrivateFolder(join(scratch, 'link')), { code: 'TRANSPORT_UNAVAILABLE', message: /not a folder/ });
});

t.test('a parent in which nothing can be made is refused', async (t) => {
  const refused = makePrivateFolder('/proc'); // root can write in any other
  await t.rejects(refused, {
    code: 'TRANSPORT_UNAVAILABLE',
    message: /\/proc cannot be used/,
    hint: /VIASSH_RUNTIME_DIR/,
  });
});

t.test('a parent too long for a socket, or with a blank, gives way to the temporary folder', async (t) => {
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = scratch;
  t.teardown(() => (TMPDIR === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = TMPDIR)));
  for (const name of ['x'.repeat(90), 'a b', 'a%h']) {
    const folder = await makePrivateFolder(join(scratch, name));
    t.ok(folder.file('s').length <= 104 - 18, folder.path);
    t.notMatch(folder.path, /[ %]/);
    await folder.remove();
  }
});

async function listen(path = ''): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy()).listen(path);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

t.test('a folder whose master is gone is swept, one that lives or has not begun is not', async (t) => {
  const parent = join(scratch, 'swept');
  const [own, living, dead, young] = await Promise.all(
    Array.from({ length: 4 }, async () => await makePrivateFolder(parent)),
  );
  await using _living = await listen(living?.file('s'));
  {
    await using _dead = await listen(dead?.file('x'));
    await rename(dead?.file('x') ?? '', dead?.file('s') ?? ''); // closing takes the name away that it knows
  }
  if (own !== undefined) await sweepBeside(own);
  await t.rejects(lstat(dead?.path ?? ''), { code: 'ENOENT' });
  for (const folder of [own, living, young]) t.ok(await lstat(folder?.path ?? ''));
});
