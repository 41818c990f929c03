/**
 * What the forwards of a race lead to, in a process of its own: says `port N`, and answers each {@link request} with
 * the same few bytes.
 */
import { createServer } from 'node:net';
import { request, response } from './forward-load.ts';

const server = createServer({ noDelay: true }, (socket) => {
  let came = 0;
  socket
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      came += chunk.length;
      for (; came >= request.length; came -= request.length) socket.write(response);
    });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`port ${address.port}`);
});
process.stdin.resume().once('end', () => process.exit());
