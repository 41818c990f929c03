import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgramRunner } from '@viassh/program';
import { makeScratchFolder, missingForPppGuest, networkState, startPppGuest, waitUntil } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { countBytes, failLink, fetchPage, type LinkPlace, ping, startLink } from './ppp-link.ts';
import { viassh } from './run-viassh.ts';

const skip = (await missingForPppGuest()) ?? false;

tidyTest(
  'with a real pppd on the far end',
  async (t) => {
    await using guest = await startPppGuest();
    await using scratch = await makeScratchFolder();
    const place = (transport: string): LinkPlace => ({
      network: guest.network,
      configFile: guest.configFile,
      transport,
      stateFolder: join(scratch.path, 'state'),
    });
    const secretFile = join(scratch.path, 'secret');
    await writeFile(secretFile, 'testpass\n', { mode: 0o600 });
    const who = ['--far', 'pppd', '--name', 'testuser', '--secret-file', secretFile];
    const routes = ['--route', '10.88.0.0/24', '--route', 'fd88::/64'];

    for (const [transport, user, proof] of [
      ['ssh2', 'near-guest', 'require-pap'],
      ['openssh', 'near-guest-user', 'require-chap'],
    ] as const) {
      await t.test(`${transport}: ${user}, ${proof}: ping, HTTP both ways, IPv6; nothing is left of it`, async (t) => {
        const before = await networkState(guest.network);
        await using link = await startLink(place(transport), [user, ...who, ...routes, ...pppd(proof, '+ipv6')]);
        await ping(place(transport), '10.99.0.1');
        await ping(place(transport), '10.88.0.1');
        t.equal(await fetchPage(place(transport), 'http://10.88.0.1/'), 'hello from the guest\n');
        t.equal(await countBytes(place(transport), 'http://10.88.0.1/1m'), 1 << 20);
        const { stdout } = await guest.run(`ip -6 address show ppp0 | sed -n 's/.*inet6 \\(fe80[^/ ]*\\).*/\\1/p'`);
        const remote = stdout.trim();
        t.match(link.stderr(), new RegExp(remote), 'the address that pppd has given itself');
        t.equal(await fetchPage(place(transport), `http://[${remote}%${link.device}]/`), 'hello from the guest\n');
        t.equal(await fetchPage(place(transport), 'http://[fd88::1]/'), 'hello from the guest\n');
        link.kill('SIGTERM');
        t.strictSame(await link.exit, { code: 143, signal: null });
        t.strictSame(await networkState(guest.network), before);
        await waitUntil('pppd to have ended', async () => (await guest.run('pidof pppd')).stdout === '');
      });
    }

    await t.test(
      'what `viassh account ppp` prints is all that a key needs, and what the client names is not asked for',
      async (t) => {
        const key = join(scratch.path, 'account');
        await createProgramRunner().run({ file: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', '', '-f', key] });
        const printed = await viassh(['account', 'ppp', `${key}.pub`, '--name', 'testuser']);
        await guest.run('printf "#!/bin/sh\\necho \\$* >/tmp/ip-up\\n" >/etc/ppp/ip-up; chmod 755 /etc/ppp/ip-up');
        await guest.run('cat >>.ssh/authorized_keys', { user: 'user', input: printed.stdout.toString() });
        const configFile = join(scratch.path, 'account.config');
        await writeFile(configFile, `IdentityFile ${key}\nInclude ${guest.configFile}\n`);
        const askpass = join(scratch.path, 'askpass');
        await writeFile(askpass, '#!/bin/sh\ncase $1 in *testuser*) echo testpass ;; esac\n', { mode: 0o700 });
        const words = ['near-guest-user', '--far', 'pppd', '--name', 'testuser', '--askpass', askpass];
        await using link = await startLink({ ...place('openssh'), configFile }, [...words, ...routes]);
        await ping(place('openssh'), '192.168.45.1');
        t.equal(await fetchPage(place('openssh'), 'http://10.88.0.1/'), 'hello from the guest\n');
        t.match((await guest.run('cat /tmp/ip-up')).stdout, /192\.168\.45\.2 pppoverssh$/m);
        link.kill('SIGTERM');
        await link.exit;
      },
    );

    await t.test('what pppd does not accept is said with its own exit status', async (t) => {
      const wrong = join(scratch.path, 'wrong');
      await writeFile(wrong, 'wrong\n', { mode: 0o600 });
      const before = await networkState(guest.network);
      for (const [words, code, said] of [
        [
          ['--name', 'testuser', '--secret-file', wrong, ...pppd('require-pap')],
          'PPP_AUTH_FAILED',
          /status 11|Authentication failed/i,
        ],
        [[...pppd('no-such-option')], 'FAR_LINK_MISSING', /does not take its options \(status 2\): .*no-such-option/],
      ] as const) {
        const { stderr, code: status } = await failLink(place('ssh2'), ['near-guest', '--far', 'pppd', ...words]);
        t.match(stderr, said, code);
        t.equal(status, 255);
      }
      const { stderr } = await failLink(place('ssh2'), ['near-guest-user', '--far', 'pppd']);
      t.match(stderr, /noauth.*privileged|--name and --secret-file/s, 'an account that is not root is told what to do');
      t.strictSame(await networkState(guest.network), before);
    });

    await t.test('a pppd that ends by itself ends the link, and its status is the status', async (t) => {
      const before = await networkState(guest.network);
      await using link = await startLink(place('ssh2'), [
        'near-guest',
        ...who,
        ...routes,
        ...pppd('require-pap', 'idle 1'),
      ]);
      const { code } = await link.exit;
      t.equal(code, 12, 'the link was idle: pppd(8)');
      t.match(link.stderr(), /has ended the link with status 12: the link was idle/);
      t.strictSame(await networkState(guest.network), before);
    });
  },
  skip,
);

/** What starts it there, with the proof that it wants. */
function pppd(...words: readonly string[]): string[] {
  return [
    '--command',
    `/usr/sbin/pppd notty nodetach nodefaultroute noccp auth ${words.join(' ')} 10.99.0.1:10.99.0.2`,
  ];
}
