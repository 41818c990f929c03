import { once } from 'node:events';
import { connect } from 'node:net';
import { waitUntil } from '@viassh/testing';

/** Says one line after the other, waits for each answer, and gives all of them. */
export async function say(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  for (const line of ['', ...lines]) {
    const before = said.length;
    if (line !== '') socket.write(`${line}\r\n`, 'latin1');
    await waitUntil(`an answer to ${line}`, () => /^\d{3} .*\r\n$/m.test(said.slice(before)));
  }
  socket.end();
  await closed;
  return said;
}
