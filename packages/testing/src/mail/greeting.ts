import { connect } from 'node:net';
import { waitUntil } from '../processes/wait-until.ts';

/** Waits until the SMTP server that calls itself `name` greets on a port of 127.0.0.1. @throws Error after 20 s */
export async function waitForGreeting(port: number, name: string): Promise<void> {
  await waitUntil(`${name} to greet on port ${port}`, () => isGreetedBy(port, name), { withinMs: 20_000, everyMs: 50 });
}

async function isGreetedBy(port: number, name: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('data', (chunk) => {
        socket.end('QUIT\r\n');
        resolve(chunk.toString().startsWith(`220 ${name} `));
      })
      .setTimeout(1000, () => socket.destroy())
      .on('error', () => undefined)
      .once('close', () => resolve(false));
  });
}
