import type { ChannelHost } from './channel-host.ts';
import { globalCall } from './global-call.ts';

/**
 * The round trip in milliseconds, by a global request that no server knows and every server answers.
 *
 * @throws ViasshError ABORTED; when the connection ends, why it did
 */
export async function ping(host: ChannelHost, signal: AbortSignal | undefined): Promise<number> {
  const asked = performance.now();
  let answered = asked;
  await globalCall(host, {
    name: 'keepalive@openssh.com',
    signal,
    onReply: () => {
      answered = performance.now();
    },
  });
  host.windows.answeredAfter(answered - asked);
  return answered - asked;
}
