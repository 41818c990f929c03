import type { Sshd } from '@viassh/testing';
import { connect, exitCodeOf } from 'viassh';
import { cipher, expectZero, type Link } from './link.ts';
import { Counter, zeros } from './streams.ts';

/** viassh as a library. */
export async function viasshLink(sshd: Sshd, transport: 'openssh' | 'ssh2'): Promise<Link> {
  const connection = await connect(sshd.destination, {
    configFile: sshd.configFile,
    options: [`Ciphers=${cipher}`],
    transport,
  });
  return {
    async download(command) {
      const stdout = new Counter();
      const { exit } = await connection.pipe(command, { stdout });
      expectZero(exitCodeOf(await exit));
      return stdout.bytes;
    },
    async firstByte(command) {
      const before = performance.now();
      const stdout = new Counter();
      const { exit } = await connection.pipe(command, { stdout });
      const took = (await stdout.first) - before;
      expectZero(exitCodeOf(await exit));
      return took;
    },
    async upload(command, bytes) {
      const { exit } = await connection.pipe(command, { stdin: zeros(bytes), stdout: new Counter() });
      expectZero(exitCodeOf(await exit));
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
