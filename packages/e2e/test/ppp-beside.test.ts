import { join } from 'node:path';
import type { Test } from 'tap';
import { missingForNamespacePair, networkState, startNamespacePair, waitUntil } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { failLink, type LinkPlace, ping, startLink, timesUp } from './ppp-link.ts';
import { commandsInPath } from './run-program.ts';

const skip = (await missingForNamespacePair()) ?? false;

tidyTest(
  'what has to go beside a link that takes everything',
  async (t) => {
    await using pair = await startNamespacePair({ config: [`SetEnv PATH=${commandsInPath}`] });
    const { near, far, sshd, rootDestination } = pair;
    const place: LinkPlace = {
      network: near,
      configFile: sshd.configFile,
      transport: 'ssh2',
      stateFolder: join(sshd.folder, 'state'),
    };
    const everything = [rootDestination, '--far', 'viassh', '--route', 'default'];
    const hosts = async (script: string): Promise<void> => void (await near.run('sed', ['-i', script, '/etc/hosts']));
    const wayTo = async (address: string): Promise<string> =>
      (await near.run('sh', ['-c', `ip route get ${address} 2>&1 || true`])).stdout;
    const before = await networkState(near);
    const names = (await near.run('cat', ['/etc/hosts'])).stdout;
    const asBefore = async (t: Test): Promise<void> => {
      t.strictSame(await networkState(near), before);
      t.equal((await near.run('cat', ['/etc/hosts'])).stdout, names);
    };

    await t.test(
      'a host that no name server tells any more is found again, and not by those that were killed',
      async (t) => {
        await hosts('$a198.18.99.1 gate.example # for now');
        const blocked = [...everything, '--dns', '--on-down', 'block', '-o', 'HostName=gate.example'];
        const link = await startLink(place, blocked);
        await hosts('/# for now$/d');
        await pair.cut();
        await waitUntil('the link to be up again', () => timesUp(link) === 2, { withinMs: 20_000 });
        await ping(place, '10.88.0.1');
        link.kill('SIGKILL');
        await link.exit;
        await far.run('ip', ['address', 'add', '198.18.99.2/32', 'dev', 'lo']);
        t.match(await wayTo('198.18.99.2'), /No route to host/, 'it blocks until the next start');
        await using next = await startLink(place, [...everything, '-o', 'HostName=198.18.99.2']);
        t.match(await wayTo('198.18.99.1'), ` dev ${next.device} `);
        next.kill('SIGTERM');
        await next.exit;
        await asBefore(t);
      },
    );

    await t.test("the way of a user's own master, and of hosts that were named", async (t) => {
      const control = join(sshd.folder, 'control');
      await near.run('ssh', ['-F', sshd.configFile, '-M', '-N', '-f', '-S', control, rootDestination]);
      const words = [...everything, '--control', control, '--keep-route', '192.0.2.9', '--keep-route', 'localhost'];
      const link = await startLink({ ...place, transport: 'control' }, words);
      for (const beside of ['198.18.99.1', '192.0.2.9']) t.match(await wayTo(beside), ' dev cable ', beside);
      t.match(await wayTo('192.0.2.10'), ` dev ${link.device} `);
      await ping(place, '10.88.0.1');
      link.kill('SIGTERM');
      await link.exit;
      await near.run('ssh', ['-S', control, '-O', 'exit', rootDestination]);
      const { code, stderr } = await failLink(place, [...everything, '--keep-route', '10.0.0.0/8']);
      t.equal(code, 64);
      t.match(stderr, /--keep-route: '10\.0\.0\.0\/8'/);
      await asBefore(t);
    });
  },
  skip,
);
