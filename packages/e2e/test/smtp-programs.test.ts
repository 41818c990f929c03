import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArrivedMail, findProgram, type MailServer, missingForExim, startExim, startSshd } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { applyRecipe } from './recipes-and-accounts.ts';
import { commandsInPath, reaching, runProgram } from './run-program.ts';
import { at, type Outcome, type transports, viassh } from './run-viassh.ts';

/** A home in which the printed recipe was executed, byte for byte, and the mail server that it leads to. */
interface Bench {
  readonly home: string;
  readonly exim: MailServer;
  readonly configFile: string;
  /** Runs a script as after a new login, with these files beside it. */
  sh(script: string, input?: string, files?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** The one mail that has arrived. */
  only(t: Test): Promise<ArrivedMail | undefined>;
}

const skipWithoutExim = skipWithoutSshd || ((await missingForExim()) ?? false);

const found = new Map(
  await Promise.all(['swaks', 'msmtp'].map(async (name) => [name, await findProgram(name)] as const)),
);

/** For tap: the reason why this cannot be tested here, or false. */
function skipWithout(program: string): string | false {
  return skipWithoutExim || (found.get(program) === undefined ? `${program} is not installed` : false);
}

async function withBench(
  transport: (typeof transports)[number],
  program: string,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  await using sshd = await startSshd();
  await using exim = await startExim();
  const home = await mkdtemp(join(tmpdir(), 'viassh-smtp-'));
  try {
    const env = {
      ...reaching(sshd, transport),
      HOME: home,
      XDG_CONFIG_HOME: undefined,
      PATH: `${home}/.local/bin:${commandsInPath}`,
    };
    await applyRecipe(program, sshd.destination, { env, cwd: home }, ['--to', `localhost:${exim.port}`]);
    await body({
      home,
      exim,
      configFile: sshd.configFile,
      async sh(script, input = '', files = {}) {
        for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text);
        return await runProgram('sh', ['-ec', script], { env, cwd: home, input });
      },
      async only(t) {
        const arrived = await exim.arrived();
        t.equal(arrived.length, 1);
        return arrived[0];
      },
    });
  } finally {
    await rm(home, { recursive: true });
  }
}

const letter = 'Subject: Grüße\n\n.\n..two\nbody: Käse\n';

onBothTransports(
  'swaks delivers by the command of its recipe',
  async (t, transport) => {
    await withBench(transport, 'swaks', async (bench) => {
      const { code, stdout, stderr } = await bench.sh(
        `swaks-viassh --from me@near.example --to you@far.example --data - --suppress-data`,
        letter,
      );
      t.equal(code, 0, stdout.toString() + stderr);
      t.equal(stderr, '');
      const mail = await bench.only(t);
      t.strictSame([mail?.from, mail?.to], ['me@near.example', 'you@far.example']);
      t.equal(mail?.content.toString().trimEnd(), letter.trimEnd());
      const refused = await bench.sh('swaks-viassh --from me@near.example --to refused@far.example');
      t.equal(refused.code, 24, 'as swaks says it where no recipient is accepted');
    });
  },
  skipWithout('swaks'),
);

onBothTransports(
  'msmtp delivers by the command of its recipe, and leaves no listener behind',
  async (t, transport) => {
    await withBench(transport, 'msmtp', async (bench) => {
      const { code, stderr } = await bench.sh('msmtp-viassh -f me@near.example you@far.example', letter);
      t.strictSame({ code, stderr }, { code: 0, stderr: '' });
      const mail = await bench.only(t);
      t.strictSame([mail?.from, mail?.to], ['me@near.example', 'you@far.example']);
      t.match(mail?.content.toString(), letter);
      const refused = await bench.sh('msmtp-viassh -f me@near.example refused@far.example', letter);
      t.equal(refused.code, 65, refused.stderr); // msmtp's own: EX_DATAERR
      const unreachable = await bench.sh('VIASSH_SSH_OPTIONS=[] msmtp-viassh -f me@near.example a@far.example', letter);
      t.equal(unreachable.code, 75, unreachable.stderr);
      t.match(unreachable.stderr, /^viassh: /m);
    });
  },
  skipWithout('msmtp'),
);

onTransport(
  'ssh2',
  'msmtp delivers through a listener that stays, to others than its defaults say',
  async (t, transport) => {
    await withBench(transport, 'msmtp', async (bench) => {
      const rc = join(bench.home, '.msmtprc');
      const account = await readFile(rc, 'utf8');
      await writeFile(rc, `defaults\nhost 192.0.2.1\ntls on\nauth on\nuser nobody\npassword x\n${account}`);
      const again = await bench.sh('viassh recipe msmtp t | sh');
      t.equal(again.code, 0, again.stderr);
      t.match(again.stderr, /has an account viassh already/);
      const { code, stderr } = await bench.sh(
        `mkfifo ready
         viassh smtp t --to localhost:${bench.exim.port} --listen unix:"$HOME/.msmtp-viassh" >ready & listener=$!
         trap 'kill $listener 2>/dev/null || :' EXIT
         read -r listening <ready
         for to in one two; do msmtp -a viassh -f me@near.example $to@far.example <letter || exit; done
         [ "$(stat -c %a .msmtp-viassh)" = 600 ]
         kill $listener; wait $listener || code=$?; [ "$code" = 143 ] && ! [ -e .msmtp-viassh ]`,
        undefined,
        { letter },
      );
      t.equal(code, 0, stderr);
      const arrived = await bench.exim.arrived();
      t.strictSame(arrived.map(({ to }) => to).toSorted(), ['one@far.example', 'two@far.example']);
    });
  },
  skipWithout('msmtp'),
);

onBothTransports(
  'nodemailer delivers by the module of its recipe',
  async (t, transport) => {
    await withBench(transport, 'nodemailer', async (bench) => {
      await symlink(join(import.meta.dirname, '../node_modules'), join(bench.home, 'node_modules'));
      const ssh = JSON.stringify({ configFile: bench.configFile, transport });
      const { code, stdout, stderr } = await bench.sh('node send.mjs', undefined, {
        'send.mjs': `import { openMailer } from './viassh-mailer.mjs';
        const mailer = await openMailer({ ssh: ${ssh} });
        try {
          await mailer.verify();
          const mail = { from: 'me@near.example', subject: 'Grüße', text: '.\\n..two\\nKäse' };
          const { accepted, rejected, response } = await mailer.sendMail({
            ...mail, to: ['you@far.example', 'refused@far.example'], attachments: [{ filename: 'a', content: Buffer.alloc(2e6, 'ü') }],
          });
          console.log(JSON.stringify({ accepted, rejected, response }));
          console.log(await mailer.sendMail({ ...mail, to: 'later@far.example' }).catch(({ code, responseCode }) => code + responseCode));
        } finally {
          await mailer.close();
        }`,
      });
      t.equal(code, 0, stderr);
      const [first = '', second] = stdout.toString().split('\n');
      t.match(JSON.parse(first), {
        accepted: ['you@far.example'],
        rejected: ['refused@far.example'],
        response: /^250 /,
      });
      t.equal(second, 'SMTP_TEMPORARY451');
      const mail = await bench.only(t);
      t.equal(mail?.to, 'you@far.example');
      t.match(mail?.content.toString(), /^\.\n\.\.two\nK=C3=A4se$/m);
      t.equal((await bench.sh('viassh recipe nodemailer elsewhere | sh; grep -c elsewhere viassh-mailer.mjs')).code, 1);
    });
  },
  skipWithoutExim,
);

onBothTransports(
  'the example send-mail sends, and says who did not accept',
  async (t, transport) => {
    await using sshd = await startSshd();
    await using exim = await startExim();
    const file = join(import.meta.dirname, '../../../examples/send-mail.ts');
    const args = ['--server', `localhost:${exim.port}`, ...at(sshd, transport), 'me@near.example'];
    const sent = await viassh([...args, 'you@far.example', 'refused@far.example'], { file, input: 'Grüße\n' });
    t.equal(sent.code, 1, sent.stderr);
    t.match(sent.stdout.toString(), /^you@far\.example: 250 /);
    t.equal(sent.stderr, 'not accepted: refused@far.example\n');
    t.equal((await exim.arrived()).length, 1);
    const refused = await viassh([...args, 'refused@far.example'], { file });
    t.equal(refused.code, 255);
    t.match(refused.stderr, /^SMTP_REFUSED: /);
  },
  skipWithoutExim,
);
