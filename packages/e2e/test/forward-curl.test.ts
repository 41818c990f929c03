import { startSshd } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { curl, skipWithoutCurl, startWeb } from './curl.ts';
import { portOf, startForward } from './forwarding.ts';

onBothTransports(
  'curl through -L, through -D in every version of SOCKS, through --http, and through -R from the other side',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ config: ['AddressFamily any'] }));
    const web = await startWeb(stack, 'v4');
    const web6 = await startWeb(stack, 'v6', '::1');
    const args = ['-L', `0:127.0.0.1:${web}`, '-D', '0', '--http', '0', '-R', `0:127.0.0.1:${web}`, '-R', '0'];
    const forward = stack.use(await startForward(sshd, transport, args, { count: 5 }));
    const [local, socks, http, remote, farSocks] = forward.places.map(portOf);
    const there = `http://127.0.0.1:${web}/page`;
    const byName = `http://localhost:${web}/page`;
    const ways: readonly (readonly [args: readonly string[], page: string])[] = [
      [[`http://127.0.0.1:${local}/page`], 'v4 /page'],
      [['--socks4', `127.0.0.1:${socks}`, there], 'v4 /page'],
      [['--socks4a', `127.0.0.1:${socks}`, byName], 'v4 /page'],
      [['--socks5', `127.0.0.1:${socks}`, there], 'v4 /page'],
      [['--socks5-hostname', `127.0.0.1:${socks}`, byName], 'v4 /page'],
      [['--socks5-hostname', `127.0.0.1:${socks}`, `http://[::1]:${web6}/page`], 'v6 /page'],
      [['-p', '-x', `http://127.0.0.1:${http}`, there], 'v4 /page'],
      [['-p', '-x', `http://127.0.0.1:${http}`, `http://[::1]:${web6}/page`], 'v6 /page'],
      [[`http://127.0.0.1:${remote}/page`], 'v4 /page'],
      [['--socks5-hostname', `127.0.0.1:${farSocks}`, byName], 'v4 /page'],
      [['--socks4a', `127.0.0.1:${farSocks}`, byName], 'v4 /page'],
    ];
    for (const [args, page] of ways)
      t.match(await curl(args), { code: 0, page }, `${args.slice(0, -1).join(' ')} ${forward.stderr()}`);
  },
  skipWithoutCurl,
);

onBothTransports(
  'curl is told in its protocol what the far end does not reach, and what is no CONNECT',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const web = await startWeb(stack, 'v4');
    const forward = stack.use(await startForward(sshd, transport, ['-D', '0', '--http', '0'], { count: 2 }));
    const [socks, http] = forward.places.map(portOf);
    const nobody = 'http://127.0.0.1:1/';
    for (const kind of ['--socks4', '--socks4a', '--socks5', '--socks5-hostname']) {
      const { code, stderr } = await curl([kind, `127.0.0.1:${socks}`, nobody]);
      t.equal(code, 97, `${kind}: ${stderr}`); // CURLE_PROXY
    }
    const connect = await curl(['-v', '-p', '-x', `http://127.0.0.1:${http}`, nobody]);
    t.equal(connect.code, 56, connect.stderr);
    t.match(connect.stderr, /HTTP\/1\.1 50[234]/);
    const get = await curl(['-v', '-x', `http://127.0.0.1:${http}`, `http://127.0.0.1:${web}/page`]);
    t.match(get.stderr, /HTTP\/1\.1 405/);
    t.notMatch(get.page, /^v4/);
    const own = await curl(['-v', `http://127.0.0.1:${http}/`]);
    t.match(own.stderr, /HTTP\/1\.1 4\d\d/, 'a page of its own it has not');
    t.match(
      await curl(['--socks5', `127.0.0.1:${socks}`, `http://127.0.0.1:${web}/`]),
      { page: 'v4 /' },
      'and goes on',
    );
  },
  skipWithoutCurl,
);

onTransport(
  'ssh2',
  'a web page of 64 MiB and a keep-alive connection through -D are whole',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const body = Buffer.alloc(64 * 1024 * 1024, 'x');
    const peers = new Set<number | undefined>();
    const web = await startWeb(stack, 'big', '127.0.0.1', (request, response) => {
      peers.add(request.socket.remotePort);
      response.end(request.url === '/big' ? body : 'small');
    });
    const forward = stack.use(await startForward(sshd, transport, ['-D', '0']));
    const url = `http://127.0.0.1:${web}`;
    const args = [
      '-x',
      `socks5h://127.0.0.1:${portOf(forward.places[0])}`,
      '-w',
      '%{size_download}\n',
      '-o',
      '/dev/null',
    ];
    const { code, page } = await curl([
      ...args,
      `${url}/big`,
      '-o',
      '/dev/null',
      `${url}/1`,
      '-o',
      '/dev/null',
      `${url}/2`,
    ]);
    t.strictSame({ code, page }, { code: 0, page: `${body.length}\n5\n5\n` });
    t.equal(peers.size, 1, 'one connection for all three');
  },
  skipWithoutCurl,
);
