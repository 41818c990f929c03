import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import {
  descendantsOf,
  listProcesses,
  missingForExim,
  missingForPostfix,
  startPostfix,
  waitUntil,
} from '@viassh/testing';
import { onTransport, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { cuts, startCuttingProxy } from './cutting-proxy.ts';
import { checkArrival } from './mail-arrives.ts';
import { testMail } from './mail-contents.ts';
import { startMailRoute } from './mail-route.ts';
import { commandsInPath, runProgram } from './run-program.ts';

const skip = skipWithoutSshd || ((await missingForExim()) ?? (await missingForPostfix()) ?? false);

for (const [transport, far] of [
  ['openssh', 'exim'],
  ['ssh2', 'postfix'],
] as const) {
  onTransport(
    transport,
    `postfix delivers to ${far}: the queue empties, each mail arrives once, byte for byte`,
    async (t) => {
      await using route = await startMailRoute({ near: 'postfix', far, transport });
      const mails = Array.from({ length: 9 }, (_, index) => testMail(index));
      await checkArrival(t, route, [
        ...mails,
        testMail(9, 'jürgen@far.example'),
        testMail(10, '"a b"@far.example'),
        { ...testMail(11), from: '' },
      ]);
    },
    skip,
  );
}

onTransport(
  'openssh',
  'postfix: what the far server puts off waits, what it refuses comes back with its words, the rest arrives',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'postfix', far: 'postfix', transport });
    const { near, far } = route;
    const from = 'me@near.example';
    const { content } = testMail(0);
    await near.submit({ from, to: ['later@far.example', 'refused@far.example', 'you@far.example'], content });
    await near.submit({ from, to: ['you@far.example'], content: Buffer.from('X-Fate: refused\n\n\n') });
    await near.submit({ from, to: ['you@below.far.example'], content });
    await waitUntil(
      'what was refused to come back',
      async () => {
        const mails = (await near.arrived()).map((mail) => mail.content.toString()).join('');
        return (
          mails.includes('no such mailbox') &&
          mails.includes('this content is not wanted') &&
          mails.includes('below.far')
        );
      },
      { withinMs: 20_000 },
    );
    await waitUntil('one mail to be left', async () => (await near.queue()).length === 1);
    const log = await near.log();
    t.match(log, /to=<later@far\.example>.*status=deferred/);
    t.match(
      log,
      /to=<you@below\.far\.example>, relay=viassh,.*status=bounced/,
      'that domain is none of the far server',
    );
    t.strictSame(
      (await far.arrived()).map(({ to }) => to),
      ['you@far.example'],
    );
  },
  skip,
);

onTransport(
  'ssh2',
  'postfix: a connection that is cut, or a viassh that does not run, loses no mail; one doubles after the final dot',
  async (t, transport) => {
    let server = 0;
    await using proxy = await startCuttingProxy(() => server);
    await using route = await startMailRoute({ near: 'postfix', far: 'postfix', transport, to: proxy.port });
    const { near, far, sshd } = route;
    server = far.port;
    const settled = async (): Promise<boolean> => {
      await near.flush();
      return (await near.queue()).length === 0;
    };
    for (const [index, cut] of cuts.entries()) {
      const mail = testMail(index, `you${index}@far.example`);
      proxy.cutAt = cut;
      await near.submit({ ...mail, to: [mail.to] });
      await waitUntil(`the cut ${cut}`, () => proxy.count === index + 1);
      await waitUntil('the repetition', settled, { withinMs: 20_000, everyMs: 500 });
      await waitUntil('it to arrive', async () => (await far.arrived()).some(({ to }) => to === mail.to));
    }
    await waitUntil('an empty queue', async () => (await far.queue()).length === 0);
    const viassh = join(sshd.folder, 'bin/viassh');
    const good = await readFile(viassh);
    const last = testMail(cuts.length);
    const ps = join(sshd.folder, 'bin/ps');
    await near.run('sed', ['-i', `s|^PATH=|&${dirname(ps)}:|`, '/etc/postfix/viassh-batch']);
    for (const [file, code, said] of [
      [viassh, 1, 'status=deferred'],
      [viassh, 64, 'status=deferred'],
      [viassh, 255, 'status=deferred'],
      [ps, 1, 'status=deferred (Command died with signal 15'],
    ] as const) {
      await replace(file, `#!/bin/sh\nexit ${code}\n`);
      if (file === ps) await replace(viassh, good);
      if (code === 1 && file === viassh) await near.submit({ ...last, to: [last.to] });
      const before = (await near.log()).split(said).length;
      await waitUntil(
        `it to be put off: ${file} ${code}`,
        async () => {
          await near.flush();
          return (await near.log()).split(said).length > before;
        },
        { withinMs: 20_000, everyMs: 500 },
      );
    }
    await rm(ps);
    await waitUntil('the last one to go', settled, { withinMs: 20_000, everyMs: 500 });
    await waitUntil('it to arrive', async () => (await far.arrived()).some(({ to }) => to === last.to));
    t.notMatch(await near.log(), /status=bounced/);
    const times = (await far.arrived()).map(({ to }) => to).toSorted();
    t.strictSame(
      times,
      ['you0', 'you1', 'you2', 'you3', 'you3', 'you4'].map((name) => `${name}@far.example`),
    ); // RFC 1047
  },
  skip,
);

onTransport(
  'openssh',
  'postfix: a mail that is cut because its pipe(8) died is not sent; one waits while a part of viassh is not there',
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'postfix', far: 'exim', transport });
    const { near, far, sshd } = route;
    const fifo = join(sshd.folder, 'mail');
    await near.run('sh', ['-c', 'mkfifo "$1" && chmod 666 "$1"', 'sh', fifo]);
    for (const dies of [true, false]) {
      const words = ['--reuid', sshd.user, '--regid', sshd.user, '--clear-groups'];
      const script = '/etc/postfix/viassh-batch me@near.example you@far.example <"$1"; exit $?';
      const run = near.run('setpriv', [...words, 'sh', '-c', script, 'dying-pipe', fifo]);
      const mail = await open(fifo, 'w');
      await mail.write('Subject: x\n\nfirst line\n');
      const parent = await waitUntil('the script to read', async () => {
        const all = await listProcesses();
        const found = all.find(({ command }) => /^sh .* dying-pipe /.test(command) && command.endsWith(fifo));
        const below = found === undefined ? [] : descendantsOf(found.pid, all);
        return below.some(({ command }) => command === 'cat') ? found : undefined;
      });
      if (dies) process.kill(parent.pid, 'SIGKILL');
      await mail.close();
      const { exit } = await run;
      if (!dies) t.strictSame(exit, { kind: 'status', code: 0 });
      await waitUntil('the script to end', async () =>
        (await listProcesses()).every(({ command }) => !command.includes('viassh-batch me@near.example')),
      );
      t.equal((await far.arrived()).length, dies ? 0 : 1);
    }
    for (const code of [1, 127, 255]) {
      await writeFile(join(sshd.folder, 'bin/viassh'), `#!/bin/sh\nexit ${code}\n`);
      const { exit } = await near.run('/etc/postfix/viassh-batch', ['me@near.example', 'you@far.example']);
      t.strictSame(exit, { kind: 'status', code: 75 }, `it waits when a part of viassh is not there: ${code}`);
    }
  },
  skip,
);

tidyTest(
  'postfix: the recipe run for all mail, then twice for a domain, is there for the domain alone, once',
  async (t) => {
    await using near = await startPostfix({ domain: 'near.example' });
    const options = ['--user', 'mail'];
    for (const words of [options, [...options, '--domains', 'far.example'], [...options, '--domains', 'far.example']]) {
      const { stdout } = await runProgram('viassh', ['recipe', 'postfix', 'you@host', ...words]);
      const { exit } = await near.run('sh', [], { input: stdout.toString(), env: { PATH: commandsInPath } });
      t.strictSame(exit, { kind: 'status', code: 0 });
    }
    const { stdout } = await near.run('sh', [
      '-c',
      'postconf -nh default_transport transport_maps; postconf -M viassh/unix',
    ]);
    t.match(stdout, /^texthash:\/etc\/postfix\/viassh-transport\nviassh +unix [^\n]*\n$/);
  },
  (await missingForPostfix()) ?? false,
);

/** Puts a command in place of one that may just be started. */
async function replace(file: string, content: string | Buffer): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o755 });
  await rename(`${file}.new`, file);
}
