import { silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createControlTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { programs, routeTo } from '../bench.ts';
import { testRemoteForwards } from '../forward/forward-cases.ts';
import { startUserMaster } from './user-master.ts';

testRemoteForwards(t, async (sshd, runtimeFolder, undo) => {
  const { controlPath } = undo.use(await startUserMaster(sshd));
  const transport = createControlTransport({ programs, controlPath, runtimeFolder });
  return await transport.connect(await routeTo(sshd), { verifyHostKey: verifyByKnownHosts, log: silentLogger });
});
