import { silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { programs, routeTo } from '../bench.ts';
import { testRemoteForwards } from './forward-cases.ts';

testRemoteForwards(t, async (sshd, runtimeFolder) => {
  const transport = createOpensshTransport({ programs, runtimeFolder });
  return await transport.connect(await routeTo(sshd), { verifyHostKey: verifyByKnownHosts, log: silentLogger });
});
