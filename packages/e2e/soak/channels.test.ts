import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { startSshd } from '@viassh/testing';
import { onBothTransports } from '../test/both-transports.ts';
import { connectTo, memory } from './soak-bench.ts';

const CHANNELS = 10_000;
const AT_ONCE = 50;
const MOST_MORE_MIB = 10;

onBothTransports(`${CHANNELS} channels opened and closed: memory and descriptors stay`, async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen', config: ['MaxSessions 200'] });
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => undefined).pipe(socket));
  await once(echo.listen(0, '127.0.0.1', 511), 'listening');
  const { port } = echo.address() as AddressInfo;
  {
    await using connection = await connectTo(sshd, transport);
    const round = async (): Promise<void> => {
      const channel = await connection.openDirectTcpip({ host: '127.0.0.1', port });
      channel.end('echo');
      const said = Buffer.concat(await channel.toArray()).toString();
      if (said !== 'echo') throw new Error(`not the echo: '${said}'`);
    };
    const many = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, round));
    };
    await many(1000);
    const [memoryBefore, descriptorsBefore] = [memory(), (await readdir('/proc/self/fd')).length];
    await many(CHANNELS - 1000);
    const [memoryAfter, descriptorsAfter] = [memory(), (await readdir('/proc/self/fd')).length];
    t.comment(
      `${transport}: ${memoryBefore.toFixed(1)} → ${memoryAfter.toFixed(1)} MiB, ${descriptorsBefore} → ${descriptorsAfter} descriptors`,
    );
    t.ok(memoryAfter - memoryBefore < MOST_MORE_MIB, 'memory stays');
    t.ok(descriptorsAfter - descriptorsBefore <= 2 * AT_ONCE, 'descriptors stay'); // the echo server's may linger
  }
  echo.close();
  await once(echo, 'close');
});
