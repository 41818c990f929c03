import { once } from 'node:events';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { LinkPlan } from '@viassh/linux';
import { createProgramRunner } from '@viassh/program';
import {
  makeScratchFolder,
  missingForPrivateNetwork,
  missingForTun,
  startPrivateNetwork,
  waitUntil,
} from '@viassh/testing';

const child = fileURLToPath(new URL('network-child.ts', import.meta.url));
const skip = (await missingForPrivateNetwork()) ?? (await missingForTun());

const plan: LinkPlan = {
  device: 'vt0',
  mode: 'point-to-point',
  mtu: 9000,
  addresses: [
    { local: '10.9.0.1', remote: '10.9.0.2', prefix: 32 },
    { local: 'fe80::1', remote: 'fe80::2', prefix: 128 },
    { local: 'fd00:9::1', remote: 'fd00:9::2', prefix: 128 },
  ],
  onDown: 'block',
};

t.test('networks', skip === undefined ? {} : { skip }, async (t) => {
  const network = await startPrivateNetwork();
  t.teardown(() => network[Symbol.asyncDispose]());
  const folder = await makeScratchFolder();
  t.teardown(() => folder[Symbol.asyncDispose]());
  const stateFolder = `${folder.path}/state`;
  await mkdir(`${folder.path}/nobody`, { mode: 0o700 });
  await chown(`${folder.path}/nobody`, 65_534, 65_534);
  const far = await startPrivateNetwork();
  t.teardown(() => far[Symbol.asyncDispose]());

  // A machine with a default route, an ssh server of sorts behind it, and name servers.
  await network.run('sh', ['-c', setUp, 'sh', `${far.pid}`]);
  await far.run('sh', [
    '-c',
    'ip address add 203.0.113.1/24 dev lan; ip address add fd00:1::1/64 dev lan nodad; ip link set lan up; ip address add 198.51.100.7/32 dev lo; ip address add fd00:2::7/128 dev lo',
  ]);
  const echo = `require('node:net').createServer((s) => s.pipe(s)).listen(22, '::', () => console.log('up'))`;
  const server = await far.serve(process.execPath, ['-e', echo], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout ?? process.stdin, 'data');

  async function run(script: string): Promise<string> {
    return (await network.run('sh', ['-c', script])).stdout;
  }
  const snapshot = (): Promise<string> =>
    run(
      'ip -d -j link; ip -j address; ip -4 route show table all; ip -6 route show table all; ip rule; ip -6 rule; nft list ruleset; cat /etc/resolv.conf /etc/hosts',
    );

  interface Child extends AsyncDisposable {
    /** What it says next. */
    said(): Promise<Record<string, unknown>>;
    go(): void;
    end(): Promise<void>;
    kill(): Promise<void>;
  }

  async function start(task: object, as: readonly string[] = []): Promise<Child> {
    const [file, ...args] = [...network.inside, ...as, process.execPath, '--conditions=@viassh/source', child];
    const running = await createProgramRunner().start({
      file,
      args: [...args, JSON.stringify({ stateFolder, ...task })],
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = (async function* () {
      for await (const chunk of running.stdout ?? []) yield* String(chunk).trim().split('\n');
    })();
    const go = (): void => void running.stdin?.write('\n');
    const end = async (): Promise<void> => {
      running.stdin?.end();
      await running.exit;
    };
    return {
      said: async () => JSON.parse((await lines.next()).value ?? '"it ended"') as Record<string, unknown>,
      go,
      end,
      async kill() {
        running.kill('SIGKILL');
        await running.exit;
      },
      [Symbol.asyncDispose]: end,
    };
  }

  t.test('addresses, MTU and routes stand, and all is as before when the link ends', async (t) => {
    const before = await snapshot();
    await using link = await start({
      plans: [
        {
          ...plan,
          routes: ['10.50.3.4/16', 'fd50::/16'],
          dns: ['10.9.0.2'],
          names: [{ name: 'ssh.example', address: '198.51.100.7' }],
        },
      ],
    });
    t.match(await link.said(), { up: 1, recovered: 0 });
    const device = await run('ip address show vt0');
    t.match(device, /[<,]UP[,>].* mtu 9000/);
    t.match(device, 'inet 10.9.0.1 peer 10.9.0.2/32');
    t.match(device, 'inet6 fd00:9::1 peer fd00:9::2/128');
    t.equal(device.match(/inet6 fe80/g)?.length, 1, 'the kernel has made none of its own');
    t.match(await run('ip route get 10.50.9.9'), /dev vt0 src 10\.9\.0\.1/);
    t.match(await run('ip route get fd50::1'), /dev vt0/);
    t.match(await run('ip route show 10.50.0.0/16'), /unreachable 10\.50\.0\.0\/16 proto 118 metric/);
    t.match(
      await run('cat /etc/resolv.conf'),
      /^# viassh vt0: begin\nnameserver 10\.9\.0\.2\n# viassh vt0: end\n#viassh# nameserver 192\.0\.2\.53\nsearch example\n$/,
    );
    t.match(await run('getent ahosts ssh.example'), /^198\.51\.100\.7/);
    await link.end();
    t.equal(await snapshot(), before);
    t.strictSame(await readdir(stateFolder), []);
  });

  t.test('the way to the other end of an IPv6 address stands, whatever else happens as devices go up', async (t) => {
    const before = await snapshot();
    const plans = Array.from({ length: 12 }, (_, number) => ({
      ...plan,
      device: `vt${number}`,
      addresses: [{ local: `fd77::a${number}:1`, remote: `fd77::a${number}:2`, prefix: 128 }],
    }));
    await using links = await start({ plans });
    t.match(await links.said(), { up: plans.length });
    await waitUntil('the kernel to know all ways', async () => {
      const ways = await run('ip -6 route');
      return plans.every(({ device }, number) => ways.includes(`fd77::a${number}:2 dev ${device} `));
    });
    await links.end();
    t.equal(await snapshot(), before);
  });

  t.test('on an Ethernet the other end is reached through the link, and not by the usual way', async (t) => {
    const before = await snapshot();
    await using link = await start({ plans: [{ ...plan, mode: 'ethernet', routes: ['10.50.0.0/16'] }] });
    t.match(await link.said(), { up: 1 });
    for (const address of ['10.9.0.2', 'fd00:9::2'])
      t.match(await run(`ip route get ${address}`), / dev vt0 /, address);
    t.match(await run('ip route get 10.50.1.1'), / via 10\.9\.0\.2 dev vt0 /);
    await link.end();
    t.equal(await snapshot(), before);
  });

  t.test('a default route does not cut our own connection, and the old one stays', async (t) => {
    const before = await snapshot();
    for (const host of ['198.51.100.7', 'fd00:2::7']) {
      await using link = await start({ plans: [{ ...plan, routes: ['default'] }], connect: { host, port: 22 } });
      const { peers } = (await link.said()) as { peers: string[] };
      t.equal(peers.length, 1);
      t.match(await run(`ip route get ${host}`), /dev lan/);
      t.match(await run('ip route get 8.8.8.8'), /dev vt0/);
      t.match(await run('ip route get 2001:db8::1'), /dev vt0/);
      t.match(await run('ip route show default'), 'default via 203.0.113.1 dev lan');
      await link.end();
    }
    t.equal(await snapshot(), before);
  });

  t.test('our own connection keeps its way when this machine has come into another network', async (t) => {
    const before = await snapshot();
    for (const [host, old, other] of [
      ['198.51.100.7', 'default via 203.0.113.1', 'default via 203.0.113.2'],
      ['fd00:2::7', 'default via fd00:1::1', 'default via fd00:1::2'],
    ] as const) {
      const family = host.includes(':') ? 6 : 4;
      const change = async (from: string, to: string): Promise<void> =>
        void (await run(`ip -${family} route del ${from}; ip -${family} route add ${to}`));
      const connect = { host, port: 22 };
      await using link = await start({
        plans: [{ ...plan, routes: ['default'] }],
        connect,
        afterwards: ['keep', 'keep'],
      });
      await link.said();
      await change(old, other);
      link.go();
      await link.said();
      t.match(await run(`ip route get ${host}`), `via ${other.slice('default via '.length)} dev lan`);
      await change(other, old);
      link.go();
      await link.said();
      t.match(await run(`ip route get ${host}`), `via ${old.slice('default via '.length)} dev lan`);
      await link.end();
    }
    t.equal(await snapshot(), before);
  });

  t.test('a host that nothing leads to any more is not dialled by the link, and is found again', async (t) => {
    const before = await snapshot();
    for (const [onDown, family, host, gateway] of [
      ['block', 4, '198.51.100.7', '203.0.113.1'],
      ['block', 6, 'fd00:2::7', 'fd00:1::1'],
      ['pass', 4, '198.51.100.7', '203.0.113.1'],
    ] as const) {
      await using link = await start({
        plans: [{ ...plan, routes: ['default'], onDown }],
        connect: { host, port: 22 },
        afterwards: ['keep', 'down', 'keep', 'up'],
      });
      await link.said();
      const wayTo = async (): Promise<string> => await run(`ip route get ${host} 2>&1 || true`);
      await run(`ip -${family} route del default`);
      for (const step of ['keep', 'down']) {
        link.go();
        await link.said();
        t.match(await wayTo(), /No route to host|Network is unreachable/, `${onDown}, ${step}: ${host}`);
      }
      await run(`ip -${family} route add default via ${gateway}`);
      for (const step of ['keep', 'up']) {
        link.go();
        await link.said();
        t.match(await wayTo(), `via ${gateway} dev lan`, `${onDown}, ${step}`);
      }
      await link.end();
    }
    t.equal(await snapshot(), before);
  });

  t.test('while the link is down traffic goes nowhere, or its old way: as it was asked for', async (t) => {
    const before = await snapshot();
    const noIpv6 = [{ local: '10.9.0.1', remote: '10.9.0.2', prefix: 32 }];
    for (const onDown of ['block', 'pass']) {
      await using link = await start({
        plans: [{ ...plan, addresses: noIpv6, routes: ['default'], dns: ['10.9.0.2'], onDown }],
        afterwards: ['down', 'up', { deleted: 'vt0' }],
      });
      await link.said();
      t.match(
        await run('ip route get 2001:db8::1 2>&1 || true'),
        onDown === 'block' ? /No route to host/ : /dev lan/,
        `${onDown}: a family that the link does not have`,
      );
      link.go();
      await link.said();
      t.match(await run('ip route get 8.8.8.8'), onDown === 'block' ? /dev vt0/ : /dev lan/);
      t.match(await run('cat /etc/resolv.conf'), onDown === 'block' ? /^nameserver 10/m : /^nameserver 192/m);
      link.go();
      await link.said();
      t.match(await run('ip route get 8.8.8.8'), /dev vt0/);
      link.go();
      await link.said();
      t.match(await run('ip route get 8.8.8.8 2>&1 || true'), onDown === 'block' ? /No route to host/ : /dev lan/);
      await link.end();
      t.equal(await snapshot(), before);
    }
  });

  t.test('the next start takes back what a killed process left, and no other does', async (t) => {
    const before = await snapshot();
    const task = {
      plans: [{ ...plan, routes: ['default'], dns: ['10.9.0.2'] }],
      connect: { host: '198.51.100.7', port: 22 },
    };
    await using killed = await start(task);
    await killed.said();
    const other = {
      ...plan,
      device: 'vt1',
      addresses: [{ local: '10.8.0.1', remote: '10.8.0.2', prefix: 32 }],
      routes: ['10.60.0.0/16'],
      dns: ['10.8.0.2'],
    };
    await using lives = await start({ plans: [other] });
    t.match(await lives.said(), { recovered: 0 });
    const withOther = await snapshot();
    await killed.kill();
    t.match(await run('ip route get 8.8.8.8 2>&1 || true'), /No route to host/, 'blocked until then');
    await using next = await start(task);
    t.match(await next.said(), { up: 1, recovered: 1, said: [/taking back .* of vt0/] });
    t.match(await run('ip route get 10.60.1.1'), /dev vt1/);
    await next.end();
    t.match(await run('cat /etc/resolv.conf'), /begin\nnameserver 10\.8\.0\.2\n[^\n]*\n#viassh# nameserver/);
    t.not(await snapshot(), before);
    t.not(withOther, before);
    await lives.end();
    t.equal(await snapshot(), before);
    t.strictSame(await readdir(stateFolder), []);
  });

  t.test('other terms after a reconnect: what is the same stays, what differs is set anew', async (t) => {
    const before = await snapshot();
    const routes = ['10.50.0.0/16'];
    const second: LinkPlan = {
      ...plan,
      mtu: 1400,
      addresses: [{ local: '10.9.0.5', remote: '10.9.0.6', prefix: 32 }],
      routes,
    };
    await using link = await start({ plans: [{ ...plan, routes }], afterwards: ['keep', { set: second }] });
    await link.said();
    const first = await snapshot();
    link.go();
    await link.said();
    t.equal(await snapshot(), first);
    link.go();
    t.match(await link.said(), { did: {} });
    t.match(await run('ip route get 10.50.1.1'), /dev vt0 src 10\.9\.0\.5/);
    t.notMatch(await run('ip address show vt0'), '10.9.0.1');
    t.match(await run('ip link show vt0'), 'mtu 1400');
    await link.end();
    t.equal(await snapshot(), before);
  });

  t.test('an address or a network that is in use is refused, and nothing stays set', async (t) => {
    const before = await snapshot();
    const [ipv4] = plan.addresses;
    const wrong: [string, Partial<LinkPlan>, RegExp][] = [
      [
        'our address',
        { addresses: [{ local: '203.0.113.9', remote: '10.9.0.2', prefix: 32 }] },
        /203\.0\.113\.9 is an address of lan/,
      ],
      [
        'their address',
        { addresses: [{ local: '10.9.0.1', remote: '203.0.113.9', prefix: 32 }] },
        /203\.0\.113\.9 is an address of lan/,
      ],
      ['their address', { addresses: [{ local: '10.9.0.1', remote: '203.0.113.1', prefix: 32 }] }, /gateway/],
      ['a network', { addresses: [{ local: '203.0.113.200', prefix: 25 }] }, /overlap/],
      [
        'a route',
        { addresses: ipv4 === undefined ? [] : [ipv4], routes: ['10.50.0.0/16', '203.0.113.0/24', '10.77.0.0/16'] },
        /in use already/,
      ],
    ];
    await using link = await start({ plans: [], refused: wrong.map(([, partial]) => ({ ...plan, ...partial })) });
    await link.said();
    for (const [what, , message] of wrong) {
      link.go();
      const { code, message: said } = await link.said();
      t.equal(code, 'ADDRESS_CONFLICT', what);
      t.match(said, message);
      t.equal(await snapshot(), before, what);
    }
    await link.end();
  });

  t.test('two links do not take the same network, and share what they may', async (t) => {
    const before = await snapshot();
    const one = { ...plan, routes: ['default'], dns: ['10.9.0.2'] };
    const two = {
      ...plan,
      device: 'vt1',
      addresses: [{ local: '10.8.0.1', remote: '10.8.0.2', prefix: 32 }],
      routes: ['198.51.0.0/16'],
      dns: ['10.8.0.2'],
    };
    await using both = await start({ plans: [one, two], connect: { host: '198.51.100.7', port: 22 } });
    t.match(await both.said(), { up: 2 });
    t.match(await run('ip route get 198.51.100.7'), /dev lan/);
    t.match(await run('ip route get 198.51.1.1'), /dev vt1/);
    await using third = await start({
      plans: [{ ...two, device: 'vt2', addresses: [{ local: '10.7.0.1', remote: '10.7.0.2', prefix: 32 }] }],
    });
    t.match(await third.said(), { code: 'ADDRESS_CONFLICT' });
    await third.end();
    t.match(await run('ip route get 198.51.1.1'), /dev vt1/);
    t.match(await run('ip route show 198.51.0.0/16'), /unreachable/);
    await both.end();
    t.equal(await snapshot(), before);
  });

  t.test('a device that root has prepared is left as it was, and its user needs no rights', async (t) => {
    await run(
      'ip tuntap add dev vt5 mode tun user 65534; ip address add 10.9.0.1 peer 10.9.0.2 dev vt5; ip link set vt5 addrgenmode none; ip link set vt5 up mtu 1400',
    );
    // Its carrier comes and goes with who has it open: the kernel's own entries follow, a while later.
    const snapshot = (): Promise<string> =>
      run(
        `ip -o address show vt5; cat /sys/class/net/vt5/mtu; ip route | sed 's/ linkdown//'; ip -6 route | sed 's/ linkdown//'`,
      );
    const before = await snapshot();
    const prepared = {
      ...plan,
      device: 'vt5',
      mtu: 1400,
      addresses: [{ local: '10.9.0.1', remote: '10.9.0.2', prefix: 32 }],
    };
    const routed = { ...prepared, routes: ['10.50.0.0/16'], onDown: 'pass' };
    await using link = await start({ plans: [{ ...routed, mtu: 1300 }] });
    t.match(await link.said(), { up: 1 });
    t.match(await run('ip link show vt5'), 'mtu 1300');
    await link.end();
    t.equal(await snapshot(), before);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const usual = { stateFolder: undefined }; // root's is none for others
    const inTemporary = [...nobody, 'env', `TMPDIR=${folder.path}/nobody`];
    await using own = await start({ ...usual, plans: [prepared] }, inTemporary);
    t.match(await own.said(), { up: 1 });
    await own.end();
    await using more = await start({ ...usual, plans: [routed] }, inTemporary);
    t.match(await more.said(), { code: 'TUN_FORBIDDEN', message: /route add/ });
    await more.end();
    t.equal(await snapshot(), before);
    await run('ip link delete vt5');
  });

  t.test('a folder that others may write to is not believed', async (t) => {
    await chmod(stateFolder, 0o777);
    await using link = await start({ plans: [plan] });
    t.match(await link.said(), { code: 'NETWORK_SETUP_FAILED', message: /others may write/ });
    await chmod(stateFolder, 0o700);
  });
});

const setUp = `set -e
ip link add lan type veth peer name lan netns "$1"
ip address add 203.0.113.9/24 dev lan
ip address add fd00:1::9/64 dev lan nodad
ip link set lan up
ip route add default via 203.0.113.1
ip -6 route add default via fd00:1::1
printf 'nameserver 192.0.2.53\nsearch example\n' >/etc/resolv.conf
echo '127.0.0.1 localhost' >/etc/hosts
`;
