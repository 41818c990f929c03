import type { Channel, Logger, SessionChannel } from '@viassh/core';
import { sanitize } from '@viassh/core';

const KEPT = 4096; // bytes
const PATIENCE_MS = 1000;

/** Reads the stderr of a command of the far end to `log.info`; gives its last line, waiting shortly for its end. */
export function watchComplaints(channel: Channel | SessionChannel, log: Logger): () => Promise<string> {
  if (!('stderr' in channel)) return async () => '';
  channel.exit.catch(() => undefined);
  let kept = Buffer.alloc(0);
  channel.stderr.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-KEPT);
    log.info(`far end: ${sanitize(chunk.toString('utf8'))}`);
  });
  const ended = new Promise<void>((resolve) => {
    channel.stderr
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
  });
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([ended, patience]);
    clearTimeout(timer);
    return kept.toString('utf8').trim().split('\n').at(-1)?.trim() ?? '';
  };
}
