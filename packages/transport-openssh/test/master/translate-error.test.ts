import type { ResolvedDestination, ViasshError } from '@viassh/core';
import t from 'tap';
import { SshLog } from '../../src/master/translate-error.ts';

const hop = {
  hostName: 'gate',
  user: 'me',
  port: 22,
  proxyJump: [],
  userKnownHostsFiles: ['/home/me/.ssh/known_hosts'],
} as unknown as ResolvedDestination;

function logOf(...lines: string[]): SshLog {
  const log = new SshLog(hop);
  for (const line of lines) log.add(line);
  return log;
}

t.test('what a server makes ssh print is not taken for ssh saying it', async (t) => {
  const log = new SshLog(hop);
  t.equal(log.add('Entering interactive session.'), false, 'without the mark of a debug line');
  log.addStderr('debug1: Server host key: ssh-ed25519 SHA256:FORGED');
  t.equal(log.info.hostKey, undefined, 'a banner');
  log.add('debug1: Server host key: ssh-ed25519 SHA256:TRUE');
  log.add('debug1: Next authentication method: keyboard-interactive');
  log.add('debug1: Server host key: ssh-ed25519 SHA256:FORGED');
  log.add('debug1: Next authentication method: publickey');
  t.equal(log.info.hostKey, 'ssh-ed25519 SHA256:TRUE');
  t.equal(log.keyboardInteractiveBegan, true);
});

t.test('a banner cannot choose the error', async (t) => {
  const log = logOf('debug1: Server host key: ssh-ed25519 SHA256:x', 'Connection closed by 192.0.2.1 port 22');
  log.addStderr('REMOTE HOST IDENTIFICATION HAS CHANGED');
  log.addStderr('Permission denied (publickey)');
  t.equal(log.failure(hop).code, 'SERVER_CLOSED');
});

const key = 'debug1: Server host key: ssh-ed25519 SHA256:x';
const cases: readonly (readonly [code: string, lines: readonly string[]])[] = [
  ['HOST_KEY_UNKNOWN', [key, 'No ED25519 host key is known for gate and you have requested strict checking.']],
  [
    'HOST_KEY_CHANGED',
    [key, '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @', 'Host key verification failed.'],
  ],
  [
    'HOST_KEY_REVOKED',
    [key, '@       WARNING: REVOKED HOST KEY DETECTED!               @', 'Host key verification failed.'],
  ],
  ['AUTH_FAILED', [key, 'me@gate: Permission denied (publickey,password).']],
  ['HOST_NOT_FOUND', ['ssh: Could not resolve hostname gate: Name or service not known']],
  ['CONNECTION_REFUSED', ['ssh: connect to host gate port 22: Connection refused']],
  ['HOST_UNREACHABLE', ['ssh: connect to host gate port 22: No route to host']],
  ['HOST_UNREACHABLE', ['ssh: connect to host gate port 22: Permission denied']], // a VPN that lets nothing pass beside it
  [
    'HOST_UNREACHABLE',
    ['bind 192.0.2.1: Cannot assign requested address', 'ssh: connect to host gate port 22: failure'],
  ],
  ['CONNECT_TIMEOUT', ['ssh: connect to host gate port 22: Connection timed out']],
  ['NEGOTIATION_FAILED', ['Unable to negotiate with 192.0.2.1 port 22: no matching cipher found. Their offer: x']],
  ['PROTOCOL_ERROR', ['debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request']],
  ['SERVER_CLOSED', ['debug1: kex_exchange_identification: banner line 0: Not allowed at this time']],
  ['SERVER_CLOSED', ['kex_exchange_identification: Connection closed by remote host']],
  ['CONFIG_INVALID', ['command-line: line 0: Bad configuration option: nonsense']],
];
for (const [code, lines] of cases) {
  t.test(`${lines.at(-1)} is ${code}`, async (t) => {
    const failure = logOf(...lines).failure(hop);
    t.equal(failure.code, code);
    t.ok(failure.hint, 'says what to do');
  });
}

t.test('a way that fails is not the destination that fails', async (t) => {
  const before = new SshLog({ ...hop, hostName: 'hop' }, { isLast: false });
  const lost = [
    'kex_exchange_identification: Connection closed by remote host',
    'Connection closed by UNKNOWN port 65535',
  ];
  const failureAfter = (aside: readonly string[], said: readonly string[] = lost): ViasshError => {
    const log = new SshLog(hop, { before, isLast: true });
    for (const line of aside) log.addStderr(line);
    for (const line of said) log.add(line);
    return log.failure(hop);
  };
  t.match(failureAfter(['Control socket connect(/s): Connection refused']), {
    code: 'PROXY_FAILED',
    message: /^the jump host me@hop:22 did not reach gate port 22: Control socket connect/,
  });
  t.equal(failureAfter([]).code, 'SERVER_CLOSED', 'it was reached, and hung up');
  t.equal(
    failureAfter([], ['debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request']).code,
    'PROTOCOL_ERROR',
  );
  t.equal(failureAfter([], ['Connection timed out during banner exchange']).code, 'CONNECT_TIMEOUT');
  before.add('channel 2: open failed: connect failed: No route to host');
  t.match(failureAfter(['Stdio forwarding request failed: Session open refused by peer']), {
    code: 'PROXY_FAILED',
    message: /^the jump host me@hop:22 did not reach gate port 22: No route to host$/,
  });
  before.add('channel 2: open failed: administratively prohibited: open failed');
  t.match(failureAfter([]), {
    code: 'CHANNEL_REFUSED',
    message: /^the jump host me@hop:22: /,
    hint: /AllowTcpForwarding/,
  });
  const own = new SshLog({ ...hop, proxyCommand: 'nc' });
  own.addStderr('nc: no');
  t.match(own.failure({ ...hop, proxyCommand: 'nc' }), {
    code: 'PROXY_FAILED',
    message: /the ProxyCommand failed: nc: no/,
  });
});

t.test('the loss of a jump host says so', async (t) => {
  t.match(new SshLog(hop, { isLast: false }).loss().message, /^connection lost: the jump host me@gate:22/);
  t.match(new SshLog(hop, { isLast: true }).loss().message, /^connection lost: me@gate:22/);
});

t.test('what the log tells of a hop', async (t) => {
  const log = new SshLog(hop);
  let now = 100;
  // each line read 10 ms after the one before
  const add = (line: string): boolean => log.add(`debug1: ${line}`, { before: now, now: (now += 10) });
  add('expecting SSH2_MSG_KEXINIT');
  add('SSH2_MSG_KEXINIT received');
  add('kex: server->client cipher: aes128-ctr MAC: hmac-sha1 compression: zlib');
  add('kex: client->server cipher: chacha20-poly1305@openssh.com MAC: <implicit> compression: none');
  t.equal(log.info.roundTripMs, undefined);
  const asked = now;
  add('expecting SSH2_MSG_KEX_ECDH_REPLY');
  add('SSH2_MSG_KEX_ECDH_REPLY received');
  t.match(log.info, {
    state: 'up',
    cipher: 'chacha20-poly1305@openssh.com',
    mac: 'implicit',
    compression: 'none',
    roundTripMs: now - asked,
  });
  add('expecting SSH2_MSG_KEX_ECDH_REPLY');
  now += 1000;
  add('SSH2_MSG_KEX_ECDH_REPLY received');
  t.equal(log.info.roundTripMs, 20, 'of the first exchange');
  log.ended();
  t.equal(log.info.state, 'ended');
});

for (const lines of [
  ['expecting SSH2_MSG_KEX_DH_GEX_GROUP', 'got SSH2_MSG_KEX_DH_GEX_GROUP'],
  ['expecting SSH2_MSG_KEX_DH_GEX_GROUP', 'SSH2_MSG_KEX_DH_GEX_GROUP received'],
  ['expecting SSH2_MSG_KEXDH_REPLY', 'SSH2_MSG_KEXDH_REPLY received'],
]) {
  t.test(`${lines[0]} is a question`, async (t) => {
    const log = new SshLog(hop);
    for (const line of lines) log.add(`debug1: ${line}`, { before: 1, now: 4 });
    t.equal(log.info.roundTripMs, 3);
  });
}
