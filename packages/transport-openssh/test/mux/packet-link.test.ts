import { once } from 'node:events';
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
    const stuck = new Writable({ write: () => undefined });
    stuck.write('on its way'); // what waits behind it is told when the socket goes
    const link = new PacketLink({ socket: stuck as Socket, take: () => undefined }, () => undefined);
    const calls: unknown[][] = [];
    write(link, (...told: unknown[]) => void calls.push(told));
    stuck.destroy();
    await once(stuck, 'close');
    t.strictSame(calls, [[]], name);
  }
});
