/**
 * Reads a mailbox with imapflow. The IMAP server is a command of the account at the far end, logged in already: no port,
 * no password.
 *
 *     node read-mail.ts [-F SSH_CONFIG] [--transport openssh|ssh2] DEST [COMMAND]
 */
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { imapOver } from '@viassh/plugin-imap';
import { ImapFlow } from 'imapflow';
import { connect, isViasshError, type LibraryOptions } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string', short: 'F' }, transport: { type: 'string' } },
});
const [destination, command] = positionals;

try {
  if (destination === undefined) throw new Error('usage: read-mail.ts [-F SSH_CONFIG] DEST [COMMAND]');
  await using connection = await connect(destination, {
    configFile: values.config,
    transport: values.transport as LibraryOptions['transport'],
  });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'read-mail-')); // 0700: nobody else gets at the socket
  const socketPath = join(folder.path, 'imap');
  await serveOnce(socketPath, await imapOver(connection, { command }));
  await readMail(socketPath);
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}

/** Prints the folders, the subjects in the inbox, and the text of its first message. */
async function readMail(socketPath: string): Promise<void> {
  // imapflow wants a host and a port; what stands in `tls` goes to net.connect too, and there a path wins.
  const tls: object = { path: socketPath };
  const client = new ImapFlow({ host: 'localhost', port: 143, secure: false, tls, logger: false });
  client.on('error', (error) => console.error(`imap: ${error.message}`));
  await client.connect();
  for (const { path } of await client.list()) console.log(`folder: ${path}`);
  const { exists } = await client.mailboxOpen('INBOX', { readOnly: true });
  if (exists > 0) {
    for (const { seq, envelope } of await client.fetchAll('1:*', { envelope: true })) {
      console.log(`${seq}: ${envelope?.subject ?? '(no subject)'}`);
    }
    const { content } = await client.download('1', '1');
    console.log(`\n${await text(content)}`);
  }
  await client.logout();
}

/** Listens on a Unix socket; its first client gets the channel, there is no second one. */
async function serveOnce(path: string, channel: Duplex): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    server.close();
    pipeline(client, channel, client).catch((error: Error) => client.destroy(error));
  });
  server.maxConnections = 1;
  await once(server.listen(path), 'listening');
}
