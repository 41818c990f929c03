import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { standUp } from '../../src/run/stand-up.ts';
import { parseLocalForward, parseRemoteForward } from '../../src/spec/parse-forward.ts';
import { forwardWorld } from '../forward/forward-world.ts';

t.test('those that stood already when another one fails are taken down, and the first failure is told', async (t) => {
  const { connection } = await forwardWorld(t);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const specs = [
    parseLocalForward(`127.0.0.1:${port}:web:80`),
    parseLocalForward('/no/such/folder/near:web:80'),
    parseRemoteForward('0:web:80'),
  ];
  const signal = new AbortController().signal;
  await t.rejects(standUp(connection, specs, { signal, onEvent: () => undefined }), {
    code: 'LISTEN_FAILED',
    message: /no such folder/,
  });
  await t.rejects(once(connect({ host: '127.0.0.1', port }), 'connect'), { code: 'ECONNREFUSED' });
});
