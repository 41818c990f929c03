import { join } from 'node:path';
import { findProgram, missingForNamespacePair, networkState, startNamespacePair } from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import { countBytes, failLink, fetchPage, type LinkPlace, serveWeb, startLink } from './ppp-link.ts';

const skip =
  (await missingForNamespacePair()) ??
  ((await findProgram('slirp-fullbolt')) === undefined
    ? 'no slirp on this machine (Debian: apt-get install slirp)'
    : false);

tidyTest(
  'slirp of a plain user of the far end',
  async (t) => {
    await using pair = await startNamespacePair();
    const { near, far, sshd } = pair;
    await serveWeb(far, sshd.folder);
    const before = await networkState(near);
    for (const transport of ['ssh2', 'openssh']) {
      const place: LinkPlace = {
        network: near,
        configFile: sshd.configFile,
        transport,
        stateFolder: join(sshd.folder, 'state'),
      };
      await t.test(`${transport}: HTTP through it`, async (t) => {
        await using link = await startLink(place, [sshd.destination, '--far', 'slirp', '--route', '10.88.0.0/24']);
        t.equal(await fetchPage(place, 'http://10.88.0.1/'), 'hello from the far end\n');
        t.equal(await countBytes(place, 'http://10.88.0.1/1m'), 1 << 20);
        t.equal(await fetchPage(place, 'http://10.0.2.2/'), 'hello from the far end\n', 'slirp itself is its machine');
        link.kill('SIGTERM');
        t.strictSame(await link.exit, { code: 143, signal: null });
      });
      t.strictSame(await networkState(near), before);
    }

    await t.test('what the shell says before the terminal is raw is not taken for slirp', async (t) => {
      const stateFolder = join(sshd.folder, 'state');
      const place: LinkPlace = { network: near, configFile: sshd.configFile, transport: 'ssh2', stateFolder };
      const shell = (then: string): string[] => [
        sshd.destination,
        '--far',
        'slirp',
        '--command',
        `echo 'welcome to ~slirp~'; sleep 0.2; ${then}`,
      ];
      await using link = await startLink(place, shell(`stty raw -echo; exec slirp-fullbolt ppp 'asyncmap 0'`));
      t.equal(await fetchPage(place, 'http://10.0.2.2/'), 'hello from the far end\n');
      link.kill('SIGTERM');
      await link.exit;
      const { stderr } = await failLink(place, shell('echo no slirp here; exit 3'));
      t.match(stderr, /slirp of the far end ended at once \(status 3\).*no slirp here.*FAR_LINK_MISSING/);
    });

    await t.test('that a program of the far end was killed is not hidden behind the end of its stream', async (t) => {
      const stateFolder = join(sshd.folder, 'state');
      const place: LinkPlace = { network: near, configFile: sshd.configFile, transport: 'ssh2', stateFolder };
      for (const [kind, command, said] of [
        ['slirp', 'kill -9 $$', 'ended at once (signal KILL)'],
        ['slirp', 'stty raw -echo; echo Slirp v1; sleep 0.2; kill -9 $$', 'ended with signal KILL'],
        ['pppd', 'kill -9 $$', 'ended with signal KILL'],
        ['viassh', 'kill -9 $$', 'ended with signal KILL'],
        ['viassh', 'exit 0', 'ended with status 0'],
      ] as const) {
        const { stderr } = await failLink(place, [sshd.destination, '--far', kind, '--command', command]);
        t.match(stderr, `${kind} of the far end ${said}`, command);
      }
    });
  },
  skip,
);
