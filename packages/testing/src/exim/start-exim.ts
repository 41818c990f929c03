import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteCommand } from '@viassh/core';
import { readArrived } from '../mail/arrived-mail.ts';
import { waitForGreeting } from '../mail/greeting.ts';
import type { MailServer } from '../mail/mail-server.ts';
import { submit } from '../mail/submit.ts';
import { freePort } from '../processes/free-port.ts';
import { missingForPrivateSystem, startPrivateSystem } from '../processes/private-system.ts';
import { findProgram } from '../sshd/find-sshd.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';
import { debianAnswers, receiverConfig } from './exim-files.ts';

/** What a test can ask of {@link startExim}. */
export interface EximOptions {
  /** Whose mail arrives. Default: `far.example`. */
  readonly domain?: string | undefined;
  /**
   * Where its configuration comes from. `receiver` (default): a short text in which mail arrives. `debian`, `debian-split`:
   * Debian's own, from one file or many, of a site that sends to everywhere; there `domain` has the machine's users as
   * its addresses, and nothing is refused by its local part.
   */
  readonly configuration?: 'receiver' | 'debian' | 'debian-split' | undefined;
}

/**
 * Starts the machine's exim4 with files of its own in all its usual places: nothing of the machine's is changed.
 *
 * @throws Error where it cannot work: ask {@link missingForExim} first
 */
export async function startExim({
  domain = 'far.example',
  configuration = 'receiver',
}: EximOptions = {}): Promise<MailServer> {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  const port = await freePort();
  const arrived = join(folder, 'arrived');
  const places = { name: `p${port}.${domain}`, domain, port, arrived };
  const debian = configuration !== 'receiver';
  const text = debian ? debianAnswers(places, configuration === 'debian-split') : receiverConfig(places);
  await writeFile(join(folder, 'config'), text, { mode: 0o644 });
  for (const name of ['arrived', 'spool', 'log', 'lib', 'mail']) await mkdir(join(folder, name));
  await chmod(join(folder, 'mail'), 0o1777);
  const system = undo.use(await startPrivateSystem(folder, setUp(folder, places.name, debian)));
  await waitForGreeting(port, places.name);
  const owned = undo.move();
  const count = async (): Promise<string[]> => {
    const { stdout } = await system.run('exim4', ['-bpr']);
    return [...stdout.matchAll(/^ *\S+ +\S+ (\S+) </gm)].map(([, id = '']) => id);
  };
  return {
    folder,
    port,
    domain,
    arrived: () => readArrived(arrived),
    queue: count,
    submit: (mail) => submit(system, folder, mail, ['-odq']),
    flush: async () => void (await system.run('exim4', ['-qf'])),
    log: () => readFile(join(folder, 'log/mainlog'), 'utf8').catch(() => ''),
    run: system.run,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The reason why {@link startExim} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForExim(): Promise<string | undefined> {
  if ((await findProgram('exim4', ['/usr/sbin'])) === undefined)
    return 'no exim4 on this machine (Debian: apt-get install exim4-daemon-light)';
  return await missingForPrivateSystem();
}

function setUp(folder: string, name: string, debian: boolean): string {
  const place = (path: string): string => quoteCommand([join(folder, path)]);
  const mounts = [
    ['spool', '/var/spool/exim4'],
    ['log', '/var/log/exim4'],
    ['lib', '/var/lib/exim4'],
    ['mail', '/var/mail'],
  ] as const;
  return [
    `chown Debian-exim:Debian-exim ${place('arrived')} ${place('spool')} ${place('log')}`,
    ...mounts.map(([from, to]) => `mount --bind ${place(from)} ${to}`),
    `echo ${name} >/etc/mailname`,
    debian
      ? `cp ${place('config')} /etc/exim4/update-exim4.conf.conf
         echo 'MAIN_HARDCODE_PRIMARY_HOSTNAME = ${name}' >/etc/exim4/conf.d/main/00_fixture
         sed -i '1i MAIN_HARDCODE_PRIMARY_HOSTNAME = ${name}' /etc/exim4/exim4.conf.template
         update-exim4.conf`
      : `cp ${place('config')} /etc/exim4/exim4.conf`,
    '(exim4 -bd; true) >/dev/null 2>&1', // as the child of the first process it would not go to the background,
  ].join('\n');
}
