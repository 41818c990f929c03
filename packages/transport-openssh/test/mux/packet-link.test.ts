import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import t from 'tap';
import { PacketLink } from '../../src/mux/packet-link.ts';

t.test('never the error of the socket itself: what was being written when it went is called done', async (t) => {
  const inOnePiece = 4096;
  const writes: readonly [name: string, write: (link: PacketLink, sent: () => void) => void][] = [
    ['short data', (link, sent) => link.sendData(0, Buffer.alloc(inOnePiece), sent)],
    ['long data', (link, sent) => link.sendData(0, Buffer.alloc(inOnePiece + 1), sent)],
    ['datagrams', (link, sent) => link.sendDatagrams(0, [{ prefix: undefined, bytes: Buffer.alloc(20) }], sent)],
  ];
  for (const [name, write] of writes) {
    const lost = new Writable({ write: (_chunk, _encoding, done) => done(new Error('write ECANCELED')) });
    const closed = new Promise<void>((resolve) => lost.on('error', () => undefined).once('close', resolve));
    const link = new PacketLink({ socket: lost as Socket, take: () => undefined }, () => undefined);
    const calls: unknown[][] = [];
    write(link, (...told: unknown[]) => void calls.push(told));
    await closed;
    t.strictSame(calls, [[]], name);
  }
});
