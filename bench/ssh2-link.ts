import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sshd } from '@viassh/testing';
import { Client } from 'ssh2';
import { cipher, expectZero, type Link } from './link.ts';
import { Counter, zeros } from './streams.ts';

/** npm's ssh2 on a socket without Nagle's delay: by itself it does not switch that off, and stalls. */
export async function ssh2Link(sshd: Sshd): Promise<Link> {
  const client = new Client();
  const sock = connect({ host: '127.0.0.1', port: sshd.port, noDelay: true });
  const ready = once(client, 'ready');
  client.connect({
    sock,
    username: sshd.user,
    privateKey: await readFile(sshd.identityFile),
    algorithms: { cipher: [cipher] },
    hostVerifier: () => true,
  });
  await ready;
  // The exit status may come in one piece with the confirmation: whoever listens after the callback misses it.
  const exec = (command: string): Promise<{ channel: Duplex; code: Promise<unknown[]> }> =>
    new Promise((resolve, reject) =>
      client.exec(command, (error, channel) => {
        if (error === undefined) resolve({ channel, code: once(channel, 'exit') });
        else reject(error);
      }),
    );
  return {
    async download(command) {
      const { channel, code } = await exec(command);
      const stdout = new Counter();
      await pipeline(channel, stdout);
      expectZero((await code)[0]);
      return stdout.bytes;
    },
    async firstByte(command) {
      const before = performance.now();
      const { channel, code } = await exec(command);
      await once(channel, 'data');
      const took = performance.now() - before;
      expectZero((await code)[0]);
      return took;
    },
    async upload(command, bytes) {
      const { channel, code } = await exec(command);
      channel.resume();
      await pipeline(zeros(bytes), channel);
      expectZero((await code)[0]);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(client, 'close');
      client.end();
      await closed;
    },
  };
}
