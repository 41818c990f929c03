import { EventEmitter } from 'node:events';
import type { Client } from 'ssh2';
import t from 'tap';
import { startLoginEarly } from '../../src/ssh2-private/early-login.ts';

/** The part of a Client that is used, and what it came to. */
function fakeClient(): {
  client: Client;
  told: string[];
  handlers: Record<string, (protocol?: unknown, what?: unknown) => void>;
  handshake: () => Promise<void>;
} {
  const told: string[] = [];
  const handlers = {
    SERVICE_ACCEPT: (_protocol: unknown, name: unknown) => void told.push(`login ${String(name)}`),
    EXT_INFO: () => void told.push('extensions'),
    USERAUTH_PK_OK: () => void told.push('taken'),
  };
  const client = Object.assign(new EventEmitter(), { _protocol: { _handlers: handlers, authPK: () => undefined } });
  const handshake = async (): Promise<void> => {
    client.emit('handshake');
    told.push('service request');
    await Promise.resolve();
  };
  return { client: client as unknown as Client, told, handlers, handshake };
}

const early = { wantsServerAlgorithms: false, signedAtOnce: undefined, onRoundTrip: () => undefined };

const key = (blob: string): object => ({ getPublicSSH: () => Buffer.from(blob) });
const sign = (): void => undefined;

t.test('the login starts behind the service request, once, and its answer is the round trip', async (t) => {
  const { client, told, handlers, handshake } = fakeClient();
  const measured: number[] = [];
  startLoginEarly(client, { ...early, onRoundTrip: (ms) => measured.push(ms) });
  await handshake();
  t.strictSame(told, ['service request', 'login ssh-userauth']);
  for (const name of ['ssh-connection', 'ssh-userauth', 'ssh-userauth']) handlers['SERVICE_ACCEPT']?.(undefined, name);
  t.equal(told.length, 2);
  t.equal(measured.length, 1);
});

t.test('an answer nobody asked for starts nothing', async (t) => {
  const { client, told, handlers } = fakeClient();
  startLoginEarly(client, early);
  handlers['SERVICE_ACCEPT']?.(undefined, 'ssh-userauth');
  handlers['EXT_INFO']?.(undefined, []);
  t.strictSame(told, ['extensions']);
});

t.test('where the algorithms of the server matter', async (t) => {
  await t.test('they are waited for', async (t) => {
    const { client, told, handlers, handshake } = fakeClient();
    startLoginEarly(client, { ...early, wantsServerAlgorithms: true });
    await handshake();
    t.strictSame(told, ['service request']);
    handlers['EXT_INFO']?.(undefined, []);
    t.strictSame(told, ['service request', 'extensions', 'login ssh-userauth']);
  });
  await t.test('and may be there already', async (t) => {
    const { client, told, handlers, handshake } = fakeClient();
    startLoginEarly(client, { ...early, wantsServerAlgorithms: true });
    handlers['EXT_INFO']?.(undefined, []);
    await handshake();
    t.strictSame(told, ['extensions', 'service request', 'login ssh-userauth']);
  });
  await t.test('and a server that does not tell them has answered before', async (t) => {
    const { client, told, handlers, handshake } = fakeClient();
    startLoginEarly(client, { ...early, wantsServerAlgorithms: true });
    await handshake();
    handlers['SERVICE_ACCEPT']?.(undefined, 'ssh-userauth');
    t.strictSame(told, ['service request', 'login ssh-userauth']);
  });
});

t.test('only the key that is signed with at once is taken without asking', async (t) => {
  const { client, told } = fakeClient();
  const asked: unknown[] = [];
  const { _protocol: protocol } = client as unknown as { _protocol: { authPK: (...args: unknown[]) => void } };
  protocol.authPK = (...args) => void asked.push(args);
  startLoginEarly(client, { ...early, signedAtOnce: Buffer.from('mine') });
  const [mine, other] = [key('mine'), key('other')];
  protocol.authPK('user', mine, undefined);
  t.strictSame(told.splice(0), ['taken']);
  protocol.authPK('user', mine, undefined, sign);
  protocol.authPK('user', other, 'rsa-sha2-512');
  t.strictSame(told, []);
  t.strictSame(asked, [
    ['user', mine, undefined, sign],
    ['user', other, 'rsa-sha2-512', undefined],
  ]);
});
