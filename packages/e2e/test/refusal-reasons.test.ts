import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { whyRefused, type ViasshError } from '@viassh/core';
import { startSshd } from '@viassh/testing';
import { connect } from 'viassh';
import { onBothTransports } from './both-transports.ts';

/** Too long a label for DNS: no resolver is asked for it. */
const nowhere = `${'x'.repeat(64)}.invalid`;

onBothTransports(
  'why sshd reached no target is told apart, as clients of a proxy are to hear it',
  async (t, transport) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close'); // nobody listens there now
    await using sshd = await startSshd({ config: [`PermitOpen 127.0.0.1:${port} ${nowhere}:80`] });
    await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
    const why = async (host: string, port: number): Promise<string> =>
      await connection.openDirectTcpip({ host, port }).then(
        () => 'opened',
        (error: ViasshError) => whyRefused(error),
      );
    t.equal(await why('127.0.0.1', port), 'connection-refused');
    t.equal(await why(nowhere, 80), 'name-unknown');
    t.equal(await why('127.0.0.1', 1), 'prohibited');
  },
);
