import { keepaliveSeconds, type ResolvedDestination } from '@viassh/core';
import type { Algorithms, ConnectConfig } from 'ssh2';
import type { AlgorithmLists } from './algorithms.ts';

/** What ssh2 is told of a hop. Time limits of the login are kept by us: ssh2's run on while a person types. */
export function clientConfig(
  hop: ResolvedDestination,
  { ciphers, macs, kex, hostKeys }: AlgorithmLists,
): ConnectConfig {
  return {
    username: hop.user,
    readyTimeout: 0,
    strictVendor: false, // streamlocal channels are for every server that knows them
    keepaliveInterval: keepaliveSeconds(hop) * 1000,
    keepaliveCountMax: hop.serverAliveCountMax,
    algorithms: {
      cipher: ciphers,
      hmac: macs,
      kex,
      serverHostKey: hostKeys,
      compress: hop.compression ? ['zlib@openssh.com', 'none'] : ['none'],
    } as Algorithms,
  };
}
