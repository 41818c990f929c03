import { missingForNamespacePair, networkState, startNamespacePair, watchLeaks } from '@viassh/testing';
import t from 'tap';

const skip = (await missingForNamespacePair()) ?? false;

void t.test(
  'ssh gets from one namespace into the other, as a user and as root, and again after a cut',
  { skip },
  async (t) => {
    await watchLeaks(t);
    await using pair = await startNamespacePair();
    const { near, sshd, rootDestination } = pair;
    const whoami = async (destination: string): Promise<string> =>
      (await near.run('ssh', ['-F', sshd.configFile, destination, 'id -un; ip -br address show dev lo'])).stdout;
    t.equal((await whoami(sshd.destination)).split('\n')[0], sshd.user);
    t.match(await whoami(rootDestination), /^root\nlo .* 10\.88\.0\.1\/32 .*fd88::1\/128 /);
    await t.rejects(near.run('busybox', ['wget', '-O', '-', 'http://10.88.0.1/']), /refused/, 'not on the cable');
    await pair.stop();
    await t.rejects(whoami(sshd.destination), /refused/);
    await pair.listen();
    const sleeper = near
      .run('ssh', ['-F', sshd.configFile, sshd.destination, 'echo up; sleep 1000'])
      .catch(() => 'cut');
    await near.run('ssh', ['-F', sshd.configFile, sshd.destination, 'until pgrep -u $(id -u) sleep; do :; done']);
    await pair.cut();
    t.equal(await sleeper, 'cut');
    t.match(await whoami(sshd.destination), sshd.user);
  },
);

void t.test('what a link leaves behind is seen, and nothing else is', { skip }, async (t) => {
  await using pair = await startNamespacePair();
  const { near } = pair;
  const before = await networkState(near);
  t.match(before, { links: /cable/, addresses: /fd78::1/, routes: /-6 default via fd78::2/, rules: /-4 0:/ });
  for (const [add, remove] of [
    ['ip link add left type veth', 'ip link del left'],
    ['ip address add 10.1.1.1/32 dev lo', 'ip address del 10.1.1.1/32 dev lo'],
    ['ip route add unreachable 10.9.0.0/16 metric 999', 'ip route del unreachable 10.9.0.0/16'],
    ['ip -6 route add blackhole fd99::/64 table 77', 'ip -6 route del blackhole fd99::/64 table 77'],
    ['ip rule add to 10.9.0.0/16 table 77', 'ip rule del to 10.9.0.0/16 table 77'],
    ['nft add table inet left', 'nft delete table inet left'],
    ['echo "# left" >>/etc/resolv.conf', 'sed -i "/# left/d" /etc/resolv.conf'],
  ] as const) {
    await near.run('sh', ['-c', add]);
    t.notSame(await networkState(near), before, add);
    await near.run('sh', ['-c', remove]);
    t.strictSame(await networkState(near), before, remove);
  }
});
