import t from 'tap';
import { type Connection, describeFarEnd, type FarEnd, farEndNeeds, openFarEnd, parseTcpFarEnd } from '@viassh/core';
import { FakeChannel } from './fake-channel.ts';

t.test('host and port are read, and shown as they were read', async (t) => {
  for (const [text, host, port, shown = text] of [
    ['localhost:25', 'localhost', 25],
    ['25', 'localhost', 25, 'localhost:25'],
    ['mail.example:65535', 'mail.example', 65_535],
    ['[::1]:110', '::1', 110],
    ['[fe80::1%eth0]:110', 'fe80::1%eth0', 110],
  ] as const) {
    t.strictSame(parseTcpFarEnd(text), { kind: 'tcp', host, port }, text);
    t.equal(describeFarEnd(parseTcpFarEnd(text)), shown);
  }
});

t.test('what is no host and port is refused with an example', async (t) => {
  for (const text of ['', 'localhost', 'localhost:', ':25', '0', '65536', '::1:25', '[::1]', '[x]:1', 'a b:25', '25 '])
    t.throws(() => parseTcpFarEnd(text), { code: 'OPTION_INVALID', hint: /localhost:25/ }, text);
});

t.test('each far end is opened as what it is, and needs that capability', async (t) => {
  const channel = new FakeChannel();
  const { signal } = new AbortController();
  const asked: unknown[] = [];
  const answer = async (...words: readonly unknown[]): Promise<FakeChannel> => {
    asked.push(words);
    return channel;
  };
  const connection = {
    openSession: answer,
    openDirectTcpip: answer,
    openDirectStreamlocal: answer,
  } as unknown as Connection;
  const farEnds: readonly FarEnd[] = [
    { kind: 'exec', command: 'sendmail -bs' },
    { kind: 'tcp', host: '::1', port: 25 },
    { kind: 'unix', path: '/run/lmtp' },
  ];
  for (const farEnd of farEnds) t.equal(await openFarEnd(connection, farEnd, { signal }), channel);
  t.strictSame(asked, [
    [{ kind: 'exec', command: 'sendmail -bs', signal }],
    [{ host: '::1', port: 25 }, { signal }],
    ['/run/lmtp', { signal }],
  ]);
  t.strictSame(
    farEnds.map(({ kind }) => farEndNeeds[kind]),
    ['exec', 'direct-tcpip', 'direct-streamlocal'],
  );
  t.strictSame(farEnds.map(describeFarEnd), ["'sendmail -bs'", '[::1]:25', '/run/lmtp']);
});
