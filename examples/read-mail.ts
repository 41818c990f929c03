/**
 * Reads a mailbox with imapflow. The IMAP server is a command of the account at the far end, logged in already: no port,
 * no password.
 *
 *     node read-mail.ts [-F SSH_CONFIG] [--transport openssh|ssh2] [--search TEXT] DEST [COMMAND]
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
import { ImapFlow } from 'imapflow';
import { connect, imapOver, isViasshError, type LibraryOptions } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { config: { type: 'string', short: 'F' }, transport: { type: 'string' }, search: { type: 'string' } },
});
const [destination, command] = positionals;

try {
  if (destination === undefined) throw new Error('usage: read-mail.ts [-F SSH_CONFIG] [--search TEXT] DEST [COMMAND]');
  await using connection = await connect(destination, {
    configFile: values.config,
    transport: values.transport as LibraryOptions['transport'],
  });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'read-mail-')); // 0700: nobody else gets at the socket
  const socketPath = join(folder.path, 'imap');
  await serveOnce(socketPath, await imapOver(connection, { command }));
  await readMail(socketPath, values.search);
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}

/** Prints the folders, the subjects in the inbox, of all messages or of those from, about or with `wanted`, and the first one's text. */
async function readMail(socketPath: string, wanted: string | undefined): Promise<void> {
  // imapflow wants a host and a port; what stands in `tls` goes to net.connect too, and there a path wins.
  const tls: object = { path: socketPath };
  const client = new ImapFlow({ host: 'localhost', port: 143, secure: false, tls, logger: false });
  client.on('error', (error) => console.error(`imap: ${error.message}`));
  await client.connect();
  for (const { path } of await client.list()) console.log(`folder: ${path}`);
  await client.mailboxOpen('INBOX', { readOnly: true });
  const found =
    (await client.search(
      wanted === undefined ? { all: true } : { or: [{ from: wanted }, { subject: wanted }, { body: wanted }] },
    )) || []; // sequence numbers
  const [first] = found;
  if (first !== undefined) {
    for (const { seq, envelope } of await client.fetchAll(found, { envelope: true })) {
      console.log(`${seq}: ${envelope?.subject ?? '(no subject)'}`);
    }
    const { content } = await client.download(String(first), '1');
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
