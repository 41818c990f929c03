import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import {
  findProgram,
  missingForNamespacePair,
  type NamespacePair,
  networkState,
  startNamespacePair,
  waitUntil,
} from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { countBytes, failLink, fetchPage, type LinkPlace, ping, serveWeb, startLink, timesUp } from './ppp-link.ts';
import { commandsInPath } from './run-program.ts';

const skip =
  (await missingForNamespacePair()) ??
  ((await findProgram('iperf3')) === undefined ? 'no iperf3 on this machine (Debian: apt-get install iperf3)' : false);

const routes = ['--route', '10.88.0.0/24', '--route', 'fd88::/64'];
const addresses = ['--address', '10.9.9.2:10.9.9.1', '--address', 'fd09::2,fd09::1'];

for (const [far, transport] of [
  ['viassh', 'ssh2'],
  ['tun', 'openssh'],
] as const) {
  tidyTest(
    `${transport}: a link with --far ${far} between two machines`,
    async (t) => {
      await using pair = await startNamespacePair({ config: [`SetEnv PATH=${commandsInPath}`] });
      const { near, far: there, sshd, rootDestination } = pair;
      await serveWeb(there, sshd.folder);
      await there.serve('iperf3', ['-s', '-B', '10.88.0.1']);
      await there.serve('socat', ['TCP-LISTEN:7,fork,reuseaddr', 'EXEC:cat']);
      const place: LinkPlace = {
        network: near,
        configFile: sshd.configFile,
        transport,
        stateFolder: join(sshd.folder, 'state'),
      };
      const words = [rootDestination, '--far', far, ...addresses];
      const before = await networkState(near);
      const beforeThere = await networkState(there);
      const nothingLeft = async (how: string): Promise<void> => {
        t.strictSame(await networkState(near), before, `here, after ${how}`);
        await waitUntil('the far end to have tidied up', async () => {
          const now = await networkState(there);
          return JSON.stringify(now) === JSON.stringify(beforeThere);
        }).catch(async () => t.strictSame(await networkState(there), beforeThere, `there, after ${how}`));
      };

      await t.test('ping, HTTP, IPv6 and bulk both ways', async (t) => {
        await using link = await startLink(place, [...words, ...routes]);
        for (const address of ['10.9.9.1', '10.88.0.1', 'fd09::1', 'fd88::1']) await ping(place, address);
        t.equal(await fetchPage(place, 'http://10.88.0.1/'), 'hello from the far end\n');
        t.equal(await countBytes(place, 'http://[fd88::1]/1m'), 1 << 20);
        for (const direction of [[], ['--reverse']]) t.ok((await bulk(pair, direction)) > 15_000_000);
        link.kill('SIGTERM');
        t.strictSame(await link.exit, { code: 143, signal: null });
      });
      await nothingLeft('SIGTERM');

      await t.test(
        'the default route goes through the link, our own connection does not, and both are as before',
        async (t) => {
          await using link = await startLink(place, [...words, '--route', 'default']);
          t.match((await near.run('ip', ['route', 'get', '192.0.2.1'])).stdout, ` dev ${link.device} `);
          t.match((await near.run('ip', ['route', 'get', '198.18.99.1'])).stdout, ' dev cable ');
          t.equal(await countBytes(place, 'http://10.88.0.1/1m'), 1 << 20);
          link.kill('SIGINT');
          t.strictSame(await link.exit, { code: 130, signal: null });
        },
      );
      await nothingLeft('SIGINT with --route default');

      await t.test('a TCP connection survives that ours is cut', async (t) => {
        await using link = await startLink(place, [...words, ...routes]);
        const client = await near.serve('socat', ['STDIO', 'TCP:10.88.0.1:7'], { stdio: ['pipe', 'pipe', 'ignore'] });
        if (client.stdin === undefined || client.stdout === undefined) throw new Error('socat has no pipes');
        const lines = createInterface({ input: client.stdout });
        const echoed = async (line: string): Promise<unknown> => {
          client.stdin?.write(`${line}\n`);
          return (await once(lines, 'line'))[0];
        };
        t.equal(await echoed('before'), 'before');
        const { stdout: device } = await near.run('ip', ['-o', 'link', 'show', link.device]);
        await pair.cut();
        t.equal((await near.run('ip', ['-o', 'link', 'show', link.device])).stdout, device, 'the device stays');
        const answer = echoed('after');
        await waitUntil('the link to be up again', () => timesUp(link) === 2, { withinMs: 30_000 });
        t.equal(await answer, 'after');
        client.kill('SIGKILL');
        link.kill('SIGTERM');
        await link.exit;
      });
      await nothingLeft('a cut');

      await t.test('after SIGKILL the next start tidies up', async (t) => {
        const words2 = [...words, '--route', 'default', '--on-down', 'block', '--name-server', '10.88.0.1'];
        const killed = await startLink(place, words2);
        killed.kill('SIGKILL');
        await killed.exit;
        t.notSame(await networkState(near), before, 'something was left');
        const link = await startLink(place, [...words, ...routes]);
        link.kill('SIGTERM');
        await link.exit;
      });
      await nothingLeft('SIGKILL and another start');
    },
    skip,
  );
}

tidyTest(
  'what cannot be is said, with what would help, and nothing is left of it',
  async (t) => {
    await using pair = await startNamespacePair({ config: ['PermitTunnel no', `SetEnv PATH=${commandsInPath}`] });
    const { near, sshd, rootDestination } = pair;
    const place: LinkPlace = {
      network: near,
      configFile: sshd.configFile,
      transport: 'ssh2',
      stateFolder: join(sshd.folder, 'state'),
    };
    const before = await networkState(near);
    const noCapability = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', '--'];
    const noDevice = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'];
    for (const [what, words, without, said] of [
      ['tun that sshd does not permit', ['--far', 'tun', ...addresses], [], /PermitTunnel/],
      ['no pppd there', ['--far', 'pppd', ...addresses], [], /apt|install the package ppp/],
      ['no CAP_NET_ADMIN', ['--far', 'viassh', ...addresses], noCapability, /ip tuntap add/],
      ['no /dev/net/tun', ['--far', 'viassh', ...addresses], noDevice, /\/dev\/net\/tun/],
      [
        'an address that is taken, which would lead the far end away from us',
        ['--far', 'viassh', '--address', '198.18.78.1:10.9.9.1'],
        [],
        /198\.18\.78\.1 is an address of cable/,
      ],
      [
        'the address that the ssh connection goes to',
        ['--far', 'viassh', '--address', '10.9.9.2:198.18.99.1'],
        [],
        /198\.18\.99\.1 is where the ssh connection goes to/,
      ],
      ['a device that is taken', ['--far', 'viassh', '--device', 'cable', ...addresses], [], /cable/],
    ] as const) {
      const { code, stderr } = await failLink({ ...place, without }, [rootDestination, ...words]);
      t.equal(code, 255, what);
      t.match(stderr, said, what);
      t.strictSame(await networkState(near), before, what);
    }
    await using first = await startLink(place, [rootDestination, '--far', 'viassh', ...routes]);
    const secondWords = ['--device', 'second', '--route', '198.18.78.2/32', '--address', '10.9.8.2:10.9.8.1'];
    await using second = await startLink(place, [rootDestination, '--far', 'viassh', ...secondWords]);
    await ping(place, '10.88.0.1');
    await ping(place, '10.9.8.1');
    await near.run('ip', ['link', 'delete', first.device]);
    t.equal((await first.exit).code, 255, 'its device was deleted');
    t.match(first.stderr(), first.device);
    await ping(place, '10.9.8.1');
    second.kill('SIGTERM');
    await second.exit;
    t.strictSame(await networkState(near), before);
  },
  skip,
);

/** How many bytes of 20,000,000 have arrived: iperf3 counts no more once it has sent them. */
async function bulk({ near }: NamespacePair, words: readonly string[]): Promise<number> {
  const { stdout } = await near.run('iperf3', ['-c', '10.88.0.1', '-n', '20000000', '-l', '20000', '-J', ...words]);
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bytes: number } } };
  return end.sum_received.bytes;
}
