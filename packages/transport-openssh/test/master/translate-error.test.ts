import type { ResolvedDestination } from '@viassh/core';
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
  ['CONNECT_TIMEOUT', ['ssh: connect to host gate port 22: Connection timed out']],
  ['NEGOTIATION_FAILED', ['Unable to negotiate with 192.0.2.1 port 22: no matching cipher found. Their offer: x']],
  ['PROTOCOL_ERROR', ['debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request']],
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

t.test('a jump host that fails is not the destination that fails', async (t) => {
  const log = logOf(
    'debug1: Executing proxy command: exec ssh -W gate:22 hop',
    'Connection closed by UNKNOWN port 65535',
  );
  log.addStderr('me@hop: Permission denied (publickey).');
  const failure = log.failure({ ...hop, proxyJump: ['hop'] });
  t.equal(failure.code, 'PROXY_FAILED');
  t.match(failure.message, /the jump host hop failed: me@hop: Permission denied/);
});
