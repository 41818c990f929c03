import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeHostKey } from '../memory/memory-server.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';

/** An ssh agent with one key, whose comment tells it from every other. */
export interface FakeAgent extends AsyncDisposable {
  readonly path: string;
  readonly comment: string;
}

/** draft-ietf-sshm-ssh-agent §3 */
const message = { requestIdentities: 11, identitiesAnswer: 12, failure: 5 } as const;

/** Starts one that lists its key and can do nothing else. */
export async function startFakeAgent(): Promise<FakeAgent> {
  const folder = await makeScratchFolder();
  const path = join(folder.path, 'agent');
  const comment = `agent of ${folder.path}`;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    let asked = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      asked = Buffer.concat([asked, chunk]);
      while (asked.length >= 5 && asked.length >= 4 + asked.readUInt32BE()) {
        socket.write(
          asked[4] === message.requestIdentities ? identities(comment) : part(Buffer.from([message.failure])),
        );
        asked = asked.subarray(4 + asked.readUInt32BE());
      }
    });
  });
  await once(server.listen(path), 'listening');
  await chmod(path, 0o600);
  return {
    path,
    comment,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await folder[Symbol.asyncDispose]();
    },
  };
}

function identities(comment: string): Buffer {
  const head = Buffer.from([message.identitiesAnswer, 0, 0, 0, 1]);
  return part(Buffer.concat([head, part(makeHostKey().blob), part(Buffer.from(comment))]));
}

/** `string` of RFC 4251 §5. */
function part(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
