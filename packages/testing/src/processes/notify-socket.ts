import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { waitUntil } from './wait-until.ts';

/** Node has no sockets of datagrams. BARRIER is systemd-notify's own, and answered by taking no descriptors. */
const RECEIVER = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, pack_sockaddr_un($ARGV[0])) or die; $| = 1;
while (defined recv(S, my $said, 8192, 0)) { $said =~ s/\\n/|/g; print "$said\\n" if $said !~ /BARRIER/ }`;

/** What a service manager has at $NOTIFY_SOCKET, sd_notify(3). */
export interface NotifySocket extends AsyncDisposable {
  /** The messages so far; `|` between the lines of one. */
  said(): readonly string[];
}

/** Listens for notifications at `path`. Needs `perl`. */
export async function startNotifySocket(path: string): Promise<NotifySocket> {
  const receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(receiver, 'exit');
  let text = '';
  receiver.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await waitUntil('the socket', () => existsSync(path));
  return {
    said: () => text.split('\n').slice(0, -1),
    async [Symbol.asyncDispose]() {
      receiver.kill();
      await ended;
    },
  };
}
