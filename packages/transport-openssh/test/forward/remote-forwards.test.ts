import { silentLogger, verifyByKnownHosts, ViasshError } from '@viassh/core';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { RemoteForwards } from '../../src/forward/remote-forwards.ts';
import type { ControlClient, ForwardAnswer } from '../../src/mux/control-client.ts';
import { programs, routeTo, runtimeFolderFor } from '../bench.ts';
import { testRemoteForwards } from './forward-cases.ts';

testRemoteForwards(t, async (sshd, runtimeFolder) => {
  const transport = createOpensshTransport({ programs, runtimeFolder });
  return await transport.connect(await routeTo(sshd), { verifyHostKey: verifyByKnownHosts, log: silentLogger });
});

t.test('a server that does not answer: the next request for the place can be aborted, too', async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<ForwardAnswer>();
  const control = {
    openForward: () => {
      asked.resolve();
      return answer.promise;
    },
  } as unknown as ControlClient;
  const forwards = new RemoteForwards(async () => control, { path: await runtimeFolderFor(t) });
  const request = { kind: 'tcpip', port: 4711 } as const;
  for (const round of ['the first', 'the next']) {
    const stop = new AbortController();
    const asking = forwards.request(request, () => undefined, { signal: stop.signal });
    asking.catch(() => undefined);
    await asked.promise;
    setImmediate(() => stop.abort());
    await t.rejects(asking, { code: 'ABORTED' }, round);
  }
  t.equal(forwards.areUsed, true, 'the answer may come yet');
  answer.resolve({ granted: false, said: 'no' });
  await forwards.end(new ViasshError('CONNECTION_CLOSED', 'closed'), false);
  t.equal(forwards.areUsed, false);
});
