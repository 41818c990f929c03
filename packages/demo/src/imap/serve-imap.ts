import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { ImapSession } from './imap-session.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * Serves one client over a stream until it logs out or ends. Resolves when the last answer was handed over, never
 * rejects; ending the stream is the caller's. Answers wait for a client that does not read.
 */
export async function serveImap(stream: Duplex, mailboxes: readonly Mailbox[]): Promise<void> {
  const session = new ImapSession(mailboxes);
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  try {
    stream.write(session.greeting);
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      for (const answer of session.receive(chunk as Buffer)) {
        if (!stream.write(answer)) await once(stream, 'drain', { signal: gone.signal });
      }
      if (session.over) return;
    }
  } catch {
    // The client is gone, and there is nobody to tell.
  }
}
