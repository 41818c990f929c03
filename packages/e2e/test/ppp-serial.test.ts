import { isDeepStrictEqual } from 'node:util';
import {
  findProgram,
  missingForNamespacePair,
  missingForPppGuest,
  networkState,
  type PppGuest,
  type PrivateNetwork,
  startNamespacePair,
  startPppGuest,
  waitUntil,
} from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { serveWeb } from './ppp-link.ts';
import { commandsInPath } from './run-program.ts';
import { type Exit, startViassh, viassh } from './run-viassh.ts';

const skip =
  (await missingForNamespacePair()) ??
  (await missingForPppGuest()) ??
  ((await findProgram('slirp-fullbolt')) === undefined
    ? 'no slirp on this machine (Debian: apt-get install slirp)'
    : false);

tidyTest(
  'a pppd on a serial line, joined to viassh ppp --stdio',
  async (t) => {
    await using pair = await startNamespacePair({ config: [`SetEnv PATH=${commandsInPath}`] });
    const { near, far, sshd, rootDestination } = pair;
    await serveWeb(far, sshd.folder);
    await using guest = await startPppGuest();
    const before = await networkState(near);
    const beforeThere = await networkState(far);
    const addresses = ['--address', '10.9.9.2:10.9.9.1', '--address', 'fd09::2,fd09::1'];
    const direct = { user: rootDestination, words: addresses, hosts: ['10.9.9.1', '[fd09::1]'] };
    for (const [transport, kind, { user, words, hosts }] of [
      ['openssh', 'slirp', { user: sshd.destination, words: [], hosts: ['10.0.2.2'] }],
      ['ssh2', 'viassh', direct],
      ['openssh', 'tun', direct],
    ] as const)
      await t.test(`${transport}: to a far end that is ${kind}: HTTP, IPv6; nothing is left of it`, async (t) => {
        const args = ['-F', sshd.configFile, '--transport', transport, '--far', kind, ...words, user];
        const { got, exit, said } = await throughLine(guest, near, args, await linkOf(kind, hosts));
        t.equal(got, hosts.map(() => 'hello from the far end\n').join(''), said);
        t.strictSame(exit, { code: 0, signal: null }, said);
        t.strictSame(await networkState(near), before);
        // The far end has its own time to tidy up in.
        await waitUntil('the far end to be as before', async () =>
          isDeepStrictEqual(await networkState(far), beforeThere),
        );
      });
    await t.test('ssh2: to a pppd of the far end, as a plain user of it', async (t) => {
      await using there = await startPppGuest();
      const before = await networkState(there.network);
      const [, words = ''] = /^pty ".* --stdio (.*)"$/m.exec(await recipeFor('pppd')) ?? [];
      const args = ['-F', there.configFile, '--transport', 'ssh2', '--address', '10.9.9.2:10.9.9.1', 'near-guest-user'];
      const { got, exit, said } = await throughLine(
        guest,
        there.network,
        [...words.split(' '), ...args],
        await linkOf('pppd', ['10.9.9.1']),
      );
      t.equal(got, 'hello from the guest\n', said);
      t.strictSame(exit, { code: 16, signal: null }, 'pppd there was hung up on: pppd(8)');
      t.strictSame(await networkState(there.network), before);
    });
  },
  skip,
);

/** Joins the guest's line to `viassh ppp --stdio` in `network` for as long as the script runs there, and hangs up. */
async function throughLine(
  guest: PppGuest,
  network: PrivateNetwork,
  args: readonly string[],
  script: string,
): Promise<{ readonly got: string; readonly exit: Exit; readonly said: string }> {
  await using line = startViassh(['ppp', '--stdio', ...args], { shell: `exec ${network.inside.join(' ')} "$@"` });
  guest.serial.pipe(line.stdin);
  line.stdout.pipe(guest.serial, { end: false });
  const { stdout, stderr } = await guest.run(script);
  guest.serial.unpipe(line.stdin);
  line.stdin.end();
  return { got: stdout, exit: await line.exit, said: stderr + line.stderr() };
}

async function recipeFor(far: string): Promise<string> {
  return (await viassh(['recipe', 'pppd', 'gate', '--far', far, '--name', 'testuser'])).stdout.toString();
}

/** A script for the guest: a link as the recipe has it, but on the line, from its start to its end, and what comes through it. */
async function linkOf(far: string, hosts: readonly string[]): Promise<string> {
  return `state() { { ip address; ip route; ip -6 route; } | grep -v fe80; } # an address of the kernel is tentative for a while
sh -s <<'RECIPE' >/dev/null
${await recipeFor(far)}
RECIPE
sed -i '/^pty /d' /etc/ppp/peers/viassh
sed -i s/SECRET/testpass/ /etc/ppp/pap-secrets
state >/tmp/before
# A session of its own: the line must not become the terminal of one that ends.
setsid pppd /dev/ttyS0 115200 local nocrtscts call viassh </dev/null >/tmp/pppd.log 2>&1 &
until ip address show ppp0 2>/dev/null | grep -q peer; do
  kill -0 $! || { cat /tmp/pppd.log >&2; exit; }
  usleep 20000
done
ip address add fd09::2 peer fd09::1 dev ppp0
for host in ${hosts.join(' ')}; do timeout 10 wget -q -O - "http://$host/"; done
kill $!
wait $!
state | diff - /tmp/before`;
}
