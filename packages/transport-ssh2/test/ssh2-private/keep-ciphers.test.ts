import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { missingForSshd, startSshd } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import { describeSsh2 } from '../../src/ssh2-private/installed.ts';
import { connectTo } from '../connect-to.ts';

const skip =
  (await missingForSshd()) ?? (describeSsh2().nativeCiphers ? false : 'ssh2 runs on JavaScript ciphers here');

t.test('no object of the addon is collected while the process lives', { skip }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const seen: WeakRef<object>[] = [];
  const { emit } = ssh2.Client.prototype;
  t.teardown(() => (ssh2.Client.prototype.emit = emit));
  ssh2.Client.prototype.emit = function (this: ssh2.Client, event: string, ...values: unknown[]) {
    const { _protocol } = this as unknown as { _protocol: Record<'_cipher' | '_decipher', { _instance: object }> };
    if (event === 'handshake')
      for (const held of [_protocol._cipher, _protocol._decipher]) seen.push(new WeakRef(held._instance));
    return emit.call(this, event as 'ready', ...(values as []));
  } as typeof emit;
  await using sshd = await startSshd();
  for (let round = 0; round < 3; round += 1) await (await connectTo(sshd)).close();
  for (let round = 0; round < 5; round += 1) {
    await turn();
    collect();
  }
  t.equal(seen.length, 6);
  t.strictSame(
    seen.map((reference) => reference.deref() !== undefined),
    seen.map(() => true),
  );
});
