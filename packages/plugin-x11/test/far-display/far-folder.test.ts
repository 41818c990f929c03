import { Duplex, PassThrough } from 'node:stream';
import type { SessionChannel } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { makeFarFolder } from '../../src/far-display/far-folder.ts';

/** A far end that says `first`, then `answer` to what it is told, and after each the same `flood` for 16 MB. */
function farEnd(first: string, answer: string, flood: string) {
  const piece = Buffer.from(flood.repeat(Math.ceil(32_768 / flood.length)));
  let room = 512; // pieces: who keeps all of them fails here, and does not fill the machine
  let hasFlood = answer === '';
  const exit = Promise.withResolvers<unknown>();
  const session = new Duplex({
    read() {
      if (hasFlood && room-- > 0) setImmediate(() => this.push(piece));
    },
    write(_chunk, _encoding, done: () => void) {
      this.push(answer);
      hasFlood = true;
      this.push(piece);
      done();
    },
    destroy(error, done) {
      exit.resolve({ kind: 'missing' });
      done(error);
    },
    final(done) {
      exit.resolve({ kind: 'status', code: 0 });
      done();
    },
  });
  session.push(first);
  const channel = Object.assign(session, { stderr: new PassThrough(), exit: exit.promise });
  return {
    connection: { openSession: () => Promise.resolve(channel as unknown as SessionChannel) },
    isThrough: () => room < 0 && session.readableLength === 0,
  };
}

const good = 'Welcome!\r\nviassh-x11 sockets yes\nviassh-x11 taken 50\nviassh-x11 taken 7\nviassh-x11 host h\n';

for (const [name, flood] of [
  ['lines of a shell', 'hello there\n'],
  ['answers', 'viassh-x11 taken 12\n'],
  ['one line without an end', 'a'],
] as const)
  t.test(`a far end that never ends its answers is refused, and not kept: ${name}`, async (t) => {
    const { connection } = farEnd(good, '', flood);
    await t.rejects(makeFarFolder(connection, {}), { code: 'X11_REFUSED', message: /says too much/ });
  });

t.test('what is said behind the answers is forgotten', async (t) => {
  const { connection, isThrough } = farEnd(`${good}viassh-x11 folder /tmp/é\n`, 'viassh-x11 written 3\n', 'a\n');
  await using folder = await makeFarFolder(connection, {});
  t.match(folder, { path: '/tmp/é', hostName: 'h', hasSockets: true });
  t.strictSame([...folder.taken], [50, 7]);
  t.equal(await folder.writeAuthority(Buffer.from('abc'), undefined), '/tmp/é/authority');
  await waitUntil('all was read', isThrough);
});
