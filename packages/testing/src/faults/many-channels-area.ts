import type { Connection } from '@viassh/core';
import { collect, textOf } from '../compliance/collect.ts';
import type { FaultArea } from './fault-case.ts';
import { startEcho } from './echo-server.ts';

const CHANNELS = 1000;
const AT_ONCE = 200;

/** Many channels, one after the other and at once. */
export const manyChannelsArea: FaultArea = {
  name: 'many channels',
  cases: [
    {
      name: `${CHANNELS} channels opened and closed`,
      run: async (t, { sshd, connect, use }) => {
        const echo = use(await startEcho());
        const connection = await connect(sshd);
        let right = 0;
        for (let round = 0; round < CHANNELS; round += 20) {
          const answers = await Promise.all(Array.from({ length: 20 }, () => echoed(connection, echo.port)));
          right += answers.filter((text) => text === 'echo').length;
        }
        t.equal(right, CHANNELS);
      },
    },
    {
      name: `${AT_ONCE} sessions at once`,
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const channels = await Promise.all(
          Array.from({ length: AT_ONCE }, () => connection.openSession({ kind: 'exec', command: 'exec cat' })),
        );
        for (const [index, channel] of channels.entries()) channel.end(`${index}`);
        const said = await Promise.all(channels.map(collect));
        t.strictSame(
          said.map(({ stdout }) => stdout),
          channels.map((_, index) => `${index}`),
        );
      },
    },
    {
      name: `${AT_ONCE} channels open when the wire is cut: all end`,
      run: async (t, { relay, connect, use }) => {
        const echo = use(await startEcho());
        const own = await relay();
        const connection = await connect(own);
        const channels = await Promise.all(
          Array.from({ length: AT_ONCE }, () => connection.openDirectTcpip({ host: '127.0.0.1', port: echo.port })),
        );
        const ends = channels.map(
          (channel) =>
            new Promise((resolve) => channel.resume().once('error', (error: { code?: string }) => resolve(error.code))),
        );
        own.cut({ how: 'rst' });
        t.strictSame([...new Set(await Promise.all(ends))], ['CONNECTION_LOST']);
      },
    },
  ],
};

async function echoed(connection: Connection, port: number): Promise<string> {
  const channel = await connection.openDirectTcpip({ host: '127.0.0.1', port });
  channel.end('echo');
  return await textOf(channel);
}
