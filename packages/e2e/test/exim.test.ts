import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder, missingForExim, startExim, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { cuts, startCuttingProxy } from './cutting-proxy.ts';
import { checkArrival } from './mail-arrives.ts';
import { largeMail, testMail } from './mail-contents.ts';
import { startMailRoute } from './mail-route.ts';
import { commandsInPath, runProgram } from './run-program.ts';

const skip = skipWithoutSshd || ((await missingForExim()) ?? false);

onTransport(
  'openssh',
  'exim delivers to exim: the queue empties, each mail arrives once, byte for byte',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport });
    await checkArrival(
      t,
      route,
      Array.from({ length: 9 }, (_, index) => testMail(index)),
    );
  },
  skip,
);

onTransport(
  'ssh2',
  'exim of many files delivers to exim: 20 MiB, an address in UTF-8, a domain below the one that was named',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim-split', far: 'exim', transport });
    const mails = Array.from({ length: 9 }, (_, index) => testMail(index));
    await checkArrival(t, route, [...mails, largeMail(9), testMail(10, 'jürgen@far.example')]);
    const { stdout } = await route.near.run('exim4', ['-bt', 'you@below.far.example', 'you@elsewhere.example']);
    t.match(stdout, /^you@below\.far\.example$\s+router = viassh, transport = viassh/m);
    t.equal(stdout.match(/viassh/g)?.length, 2, 'the other domain goes its own way');
  },
  skip,
);

onTransport(
  'ssh2',
  'exim: what the far server puts off waits, what it refuses comes back with its words, the rest arrives',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport });
    const { near, far, sshd } = route;
    const from = `${sshd.user}@near.example`;
    const { content } = testMail(0);
    await near.submit({ from, to: ['later@far.example', 'refused@far.example', 'you@far.example'], content });
    await near.submit({ from, to: ['you@far.example'], content: Buffer.from('X-Fate: refused\n\n\n') });
    await near.flush();
    t.strictSame(
      (await far.arrived()).map(({ to }) => to),
      ['you@far.example'],
    );
    t.equal((await near.queue()).length, 1, 'one waits');
    await waitUntil('what was refused to come back', async () => {
      const mails = await readFile(join(near.folder, 'mail', sshd.user), 'utf8').catch(() => '');
      return mails.includes('no such mailbox') && mails.includes('this content is not wanted');
    });
    await near.flush();
    t.equal((await far.arrived()).length, 1, 'nothing arrives twice');
    t.match(await near.log(), /later@far\.example.*defer/);
  },
  skip,
);

onTransport(
  'openssh',
  'exim: mail waits while the host key is unknown, while viassh is not there or does not run, and when it was killed',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport });
    const { near, far, sshd } = route;
    const mail = testMail(0);
    await near.submit({ ...mail, to: [mail.to] });
    for (const file of [join(sshd.home, '.ssh/known_hosts'), join(sshd.folder, 'bin/viassh')]) {
      const good = await readFile(file);
      await writeFile(file, file.endsWith('viassh') ? '#!/nowhere/sh\n' : '');
      await near.flush();
      t.equal((await near.queue()).length, 1, `it waits: ${file}`);
      t.notMatch(await near.log(), / \*\* /, 'and nothing comes back');
      await writeFile(file, good);
    }
    const viassh = join(sshd.folder, 'bin/viassh');
    const good = await readFile(viassh);
    for (const code of [1, 64, 255]) {
      await writeFile(viassh, `#!/bin/sh\nexit ${code}\n`);
      await near.flush();
      t.equal((await near.queue()).length, 1, `it waits: ${code}`);
    }
    t.notMatch(await near.log(), / \*\* /, 'and nothing comes back');
    await writeFile(viassh, '#!/bin/sh\nkill -KILL $$\n');
    await near.flush();
    t.match(await near.log(), /terminated by signal 9[^]* Frozen/, 'nobody knows whether it was delivered: it is kept');
    await writeFile(viassh, good);
    t.notMatch(await near.log(), / \*\* /, 'nothing came back');
    await near.run('exim4', ['-Mt', ...(await near.queue())]);
    await near.flush();
    t.equal((await near.queue()).length, 0);
    t.equal((await far.arrived()).length, 1);
  },
  skip,
);

onBothTransports(
  'exim: a connection that is cut or falls silent loses no mail, and doubles one only after the final dot',
  async (t, transport) => {
    let server = 0;
    await using proxy = await startCuttingProxy(() => server);
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport, to: proxy.port });
    const { near, far, sshd } = route;
    server = far.port;
    const viassh = join(sshd.folder, 'bin/viassh');
    const patient = await readFile(viassh, 'utf8');
    const hasty = patient.replace('"$@"', '"$@" --greeting-timeout 1 --answer-timeout 1');
    const all = [
      ...cuts.map((cut) => ({ cut, silent: false })),
      { cut: 'after MAIL', silent: true },
      { cut: 'after the final dot', silent: true },
    ] as const;
    for (const [index, { cut, silent }] of all.entries()) {
      const mail = testMail(index, `you${index}@far.example`);
      await near.submit({ ...mail, to: [mail.to] });
      await writeFile(viassh, silent ? hasty : patient);
      [proxy.cutAt, proxy.silent] = [cut, silent];
      await near.flush();
      t.equal(proxy.count, index + 1, `${cut}: it came so far`);
      t.equal((await near.queue()).length, 1, `${cut}: it waits`);
      await writeFile(viassh, patient);
      await near.flush();
      t.equal((await near.queue()).length, 0, `${cut}: then it is delivered`);
      const arrived = (await far.arrived()).filter(({ to }) => to === mail.to);
      t.equal(arrived.length, cut === 'after the final dot' ? 2 : 1, `${cut}: as often as SMTP has it`); // RFC 1047
    }
  },
  skip,
);

tidyTest(
  "exim: the recipe run twice stands there once, in one file, in many, and in a configuration of one's own",
  async (t) => {
    for (const configuration of ['debian', 'debian-split', 'receiver'] as const) {
      await using exim = await startExim({ configuration });
      for (const domains of ['old.example', 'new.example']) {
        const options = { input: await printed(domains), env: { PATH: commandsInPath } };
        const { exit, stderr } = await exim.run('sh', [], options);
        t.strictSame({ exit, stderr }, { exit: { kind: 'status', code: 0 }, stderr: '' }, configuration);
      }
      const { stdout } = await exim.run('exim4', ['-bt', 'you@new.example']);
      t.match(stdout, /router = viassh, transport = viassh/);
      const files = await exim.run('sh', ['-c', 'grep -rh -e "viassh: begin" -e old.example /etc/exim4']);
      t.equal(files.stdout, '# viassh: begin\n'.repeat(2), 'a router and a transport');
    }
  },
  (await missingForExim()) ?? false,
);

tidyTest(
  'exim: a configuration that has no place for it is left alone, and that is said',
  async (t) => {
    await using scratch = await makeScratchFolder();
    const file = join(scratch.path, 'exim4.conf');
    await writeFile(file, 'primary_hostname = near.example\n');
    const { code, stderr } = await runProgram('sh', [], {
      input: await printed('x.example'),
      env: { EXIM_ETC: scratch.path },
    });
    t.equal(code, 1);
    t.match(stderr, /no lines 'begin routers' and 'begin transports'.*nothing was changed/);
    t.equal(await readFile(file, 'utf8'), 'primary_hostname = near.example\n');
  },
  false,
);

/** The recipe for these domains, for a user that every machine has. */
async function printed(domains: string): Promise<string> {
  const { stdout } = await runProgram('viassh', ['recipe', 'exim', 'you@host', '--user', 'mail', '--domains', domains]);
  return stdout.toString();
}
