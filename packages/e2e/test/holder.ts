/**
 * A program that holds a connection with running channels, for tests that are rough with it: `holder.ts CONFIG TRANSPORT`.
 * Says `up`; answers each line with what a new command says, or with the code of its failure; says `lost CODE` and ends
 * when the connection is lost.
 */
import { createInterface } from 'node:readline';
import { type Connection, connect, isViasshError, type LibraryOptions } from 'viassh';

const [configFile, transport] = process.argv.slice(2);
const connection = await connect('t', { configFile, transport: transport as LibraryOptions['transport'] });
void connection.closed.then((reason) => {
  console.log(reason.kind === 'lost' ? `lost ${reason.error.code}` : 'closed');
  process.exit();
});
for (const command of ['exec cat', 'exec cat /dev/zero', 'while :; do echo tick; sleep 0.05; done']) {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.on('error', () => undefined);
  if (command.includes('tick')) channel.resume();
}
console.log('up');
for await (const line of createInterface({ input: process.stdin })) console.log(await answer(connection, line));

async function answer(open: Connection, line: string): Promise<string> {
  try {
    const channel = await open.openSession({ kind: 'exec', command: 'cat' });
    channel.end(line);
    return Buffer.concat(await channel.toArray()).toString();
  } catch (error) {
    return isViasshError(error) ? error.code : String(error);
  }
}
