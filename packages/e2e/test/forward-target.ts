/**
 * A server in a process of its own, for tests with more connections than one process may have at both ends: says
 * `port N` once it listens on 127.0.0.1. It gives back what it reads, and its end; a line on stdin has it say
 * `open N`: how many connections it has.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

let open = 0;
const server = createServer({ allowHalfOpen: true }, (socket) => {
  open += 1;
  socket.on('error', () => undefined).once('close', () => (open -= 1));
  socket.pipe(socket);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`port ${address.port}`);
});
for await (const _ of createInterface({ input: process.stdin })) console.log(`open ${open}`);
process.exit();
