import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { quoteCommand } from '@viassh/core';
import { readArrived } from '../mail/arrived-mail.ts';
import { waitForGreeting } from '../mail/greeting.ts';
import type { MailServer } from '../mail/mail-server.ts';
import { submit } from '../mail/submit.ts';
import { freePort } from '../processes/free-port.ts';
import { missingForPrivateSystem, startPrivateSystem } from '../processes/private-system.ts';
import { findProgram } from '../sshd/find-sshd.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';
import { headerFates, ids, mainConfig, masterConfig, type PostfixPlaces, recipientFates } from './postfix-files.ts';

/**
 * Starts Debian's postfix, which is unpacked and not installed: `VIASSH_TEST_UNPACKED` names the folder in which
 * `postfix/usr/sbin/postfix` is. Its programs, its users and its files are there for itself alone.
 *
 * @throws Error where it cannot work: ask {@link missingForPostfix} first
 */
export async function startPostfix({ domain = 'far.example' }: { readonly domain?: string } = {}): Promise<MailServer> {
  const unpacked = unpackedPostfix();
  if (unpacked === undefined) throw new Error('VIASSH_TEST_UNPACKED is not set');
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  await chmod(folder, 0o755); // postfix refuses to work below a folder that it cannot list
  const port = await freePort();
  const places: PostfixPlaces = { folder, name: `p${port}.${domain}`, domain, port, arrived: 'arrived/' };
  await mkdir(join(folder, 'conf'));
  for (const [name, text] of [
    ['main.cf', mainConfig(places)],
    ['master.cf', masterConfig(places)],
    ['fates', recipientFates],
    ['header-fates', headerFates],
  ] as const)
    await writeFile(join(folder, 'conf', name), text, { mode: 0o644 });
  for (const name of ['arrived', 'queue', 'data', 'usr']) await mkdir(join(folder, name), { mode: 0o755 });
  const system = undo.use(await startPrivateSystem(folder, setUp(folder, unpacked)));
  await waitForGreeting(port, places.name);
  const owned = undo.move();
  return {
    folder,
    port,
    domain,
    arrived: () => readArrived(join(folder, 'arrived')),
    queue: async () => {
      const { stdout } = await system.run('postqueue', ['-j']);
      return [...stdout.matchAll(/"queue_id": "([^"]+)"/g)].map(([, id = '']) => id);
    },
    submit: (mail) => submit(system, folder, mail),
    flush: async () => void (await system.run('postqueue', ['-f'])),
    log: () => readFile(join(folder, 'mail.log'), 'utf8').catch(() => ''),
    run: system.run,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The reason why {@link startPostfix} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForPostfix(): Promise<string | undefined> {
  const unpacked = unpackedPostfix();
  if (unpacked === undefined || (await findProgram('postfix', [join(unpacked, 'usr/sbin')])) === undefined)
    return 'no unpacked postfix (scripts/unpack-postfix.sh, as root on Debian)';
  return await missingForPrivateSystem();
}

function unpackedPostfix(): string | undefined {
  const folder = process.env['VIASSH_TEST_UNPACKED'];
  return folder === undefined ? undefined : join(folder, 'postfix');
}

/** What Debian's package does when it is installed, in a /usr of two layers and the private /etc. */
function setUp(folder: string, unpacked: string): string {
  const place = (path: string): string => quoteCommand([join(folder, path)]);
  const layer = join(unpacked, 'usr');
  return `mount -t tmpfs none ${place('usr')}
mkdir ${place('usr/upper')} ${place('usr/work')}
mount -t overlay none -o ${quoteCommand([`lowerdir=${layer}:/usr,upperdir=${folder}/usr/upper,workdir=${folder}/usr/work`])} /usr
echo 'postfix:x:${ids.postfix}:${ids.postfix}::/var/spool/postfix:/usr/sbin/nologin' >>/etc/passwd
echo 'postfix:x:${ids.postfix}:' >>/etc/group
echo 'postdrop:x:${ids.postdrop}:' >>/etc/group
cp -a ${quoteCommand([join(unpacked, 'etc/postfix')])} /etc/
cp /usr/share/postfix/dynamicmaps.cf ${place('conf')}/. /etc/postfix/ -R
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue
chown postfix:postfix ${place('arrived')} ${place('data')}
(postfix start; true)`;
}
