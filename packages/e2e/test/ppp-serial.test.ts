import {
  findProgram,
  missingForNamespacePair,
  missingForPppGuest,
  networkState,
  startNamespacePair,
  startPppGuest,
} from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { serveWeb } from './ppp-link.ts';
import { commandsInPath } from './run-program.ts';
import { startViassh } from './run-viassh.ts';

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
    const before = [await networkState(near), await networkState(far)];
    const addresses = ['--address', '10.9.9.2:10.9.9.1', '--address', 'fd09::2,fd09::1'];
    const direct = { user: rootDestination, words: addresses, options: '+ipv6', hosts: ['10.9.9.1', '[fd09::1]'] };
    for (const [transport, kind, { user, words, options, hosts }] of [
      ['openssh', 'slirp', { user: sshd.destination, words: [], options: ':10.0.2.2', hosts: ['10.0.2.2'] }],
      ['ssh2', 'viassh', direct],
      ['openssh', 'tun', direct],
    ] as const)
      await t.test(`${transport}: to a far end that is ${kind}: HTTP, IPv6; nothing is left of it`, async (t) => {
        const args = ['-F', sshd.configFile, '--transport', transport, '--far', kind, ...words, user];
        await using line = startViassh(['ppp', '--stdio', ...args], { shell: `exec ${near.inside.join(' ')} "$@"` });
        guest.serial.pipe(line.stdin);
        line.stdout.pipe(guest.serial, { end: false });
        const { stdout, stderr } = await guest.run(linkOf(options, hosts));
        t.equal(stdout, hosts.map(() => 'hello from the far end\n').join(''), stderr + line.stderr());
        guest.serial.unpipe(line.stdin);
        line.stdin.end(); // it hangs up, as a modem that is switched off
        t.strictSame(await line.exit, { code: 0, signal: null }, line.stderr());
        t.strictSame([await networkState(near), await networkState(far)], before);
      });
  },
  skip,
);

/** A script for the guest: a link from its start to its end, and what comes through it. */
function linkOf(options: string, hosts: readonly string[]): string {
  const words = `local nocrtscts noauth nodefaultroute noipdefault noccp novj nodetach ${options}`;
  return `state() { ip address; ip route; ip -6 route; }
state >/tmp/before
# A session of its own: the line must not become the terminal of one that ends.
setsid pppd /dev/ttyS0 115200 ${words} </dev/null >/tmp/pppd.log 2>&1 &
until ip address show ppp0 2>/dev/null | grep -q peer; do
  kill -0 $! || { cat /tmp/pppd.log >&2; exit; }
  usleep 20000
done
case '${options}' in *ipv6*) ip address add fd09::2 peer fd09::1 dev ppp0;; esac
for host in ${hosts.join(' ')}; do timeout 10 wget -q -O - "http://$host/"; done
kill $!
wait $!
state | diff - /tmp/before`;
}
