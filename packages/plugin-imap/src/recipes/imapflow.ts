import { defineRecipe, type Recipe } from '@viassh/core';
import { commandOf, mailHost, mailOptions } from './mail-command.ts';

/** imapflow dials by itself: it gets a Unix socket, by what it hands on to net.connect. */
export const imapflowRecipe: Recipe = defineRecipe({
  program: 'imapflow',
  summary: 'imapflow: a module for Node, ./viassh-mailbox.mjs',
  options: { command: mailOptions.command },
  script(situation, options) {
    const { host } = mailHost(situation);
    const command = commandOf(options);
    const destination = situation.destination.replace(/^'(.*)'$/s, '$1');
    return `# A module for the project in this folder: npm install viassh imapflow@1.2.0
file=viassh-mailbox.mjs
if [ -e "$file" ]; then
  echo "$file is there already; nothing was changed" >&2
else
  cat >"$file" <<'END'
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ImapFlow } from 'imapflow';
import { connect, imapOver } from 'viassh';

/** A connected ImapFlow; logout() also ends the connection. \`ssh\` is for connect(), \`client\` for ImapFlow. */
export async function openMailbox({ ssh = {}, client: options = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-mailbox-')); // 0700: nobody else gets at the socket
  const server = createServer({ allowHalfOpen: true });
  let connection;
  const close = async () => {
    server.close();
    await connection?.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    connection = await connect(${JSON.stringify(destination)}, ssh);
    const channel = await imapOver(connection${command === undefined ? '' : `, { command: ${JSON.stringify(command)} }`});
    server.once('connection', (socket) => {
      server.close();
      pipeline(socket, channel, socket).catch((error) => socket.destroy(error));
    });
    const path = join(folder, 'imap');
    await once(server.listen(path), 'listening');
    const client = new ImapFlow({ logger: false, ...options, host: ${JSON.stringify(host)}, port: 143, secure: false, tls: { path } });
    client.on('error', () => undefined); // its calls reject as well
    await client.connect();
    client.once('close', () => void close());
    return client;
  } catch (error) {
    await close();
    throw error;
  }
}
END
fi
# Then: import { openMailbox } from './viassh-mailbox.mjs'
#       const client = await openMailbox();
#       for (const { path } of await client.list()) console.log(path);
#       await client.logout();
`;
  },
});
