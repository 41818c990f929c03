import { existsSync } from 'node:fs';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ViasshError } from '@viassh/core';
import { makeScratchFolder, type MemoryTransport } from '@viassh/testing';
import t from 'tap';
import { runBsmtp } from '../run-bsmtp.ts';
import { cut, type Script, silence } from '../scripted-server.ts';

/** A message to each address, all in one batch. */
const batchFor = (...addresses: readonly string[]): string =>
  addresses
    .map(
      (each) =>
        `MAIL FROM:<me@here>\r\n${each
          .split(',')
          .map((to) => `RCPT TO:<${to}>\r\n`)
          .join('')}DATA\r\nto ${each}\r\n.\r\n`,
    )
    .join('');
const one = batchFor('one@there');
const rcpt =
  (answers: Readonly<Record<string, string>>): NonNullable<Script['answer']> =>
  (moment, line) =>
    moment === 'RCPT' ? Object.entries(answers).find(([name]) => line.includes(name))?.[1] : undefined;
/** The connection ends at the second message. */
const cutLater: Script['answer'] = (moment, _line, { messages }) =>
  moment === 'MAIL' && messages.length === 1 ? cut : undefined;

t.test('a batch that is accepted: 0, and not a word', async (t) => {
  const { code, stdout, servers } = await runBsmtp(
    `HELO my.name\n${batchFor('one@there', 'two@there').replaceAll('\r', '')}`,
  );
  t.equal(code, 0);
  t.equal(stdout, '');
  t.equal(servers.length, 1, 'both over one session');
  t.match(servers[0], { messages: [{ to: ['one@there'] }, { to: ['two@there'] }], complaints: [] });
  t.strictSame(
    servers[0]?.messages.map(({ content }) => content.toString()),
    ['to one@there\r\n', 'to two@there\r\n'],
  );
  t.equal(servers[0]?.commands[0], 'EHLO my.name');
  t.equal(servers[0]?.commands[1], 'MAIL FROM:<me@here> SIZE=14');
});

t.test('the name for EHLO: what is asked for, that of the batch, or something that passes', async (t) => {
  t.equal(
    (await runBsmtp(`HELO batch\r\n${one}`, { raw: { helo: 'asked.for' } })).servers[0]?.commands[0],
    'EHLO asked.for',
  );
  t.equal((await runBsmtp(`HELO under_score\r\n${one}`)).servers[0]?.commands[0], 'EHLO [127.0.0.1]');
  t.match((await runBsmtp(one)).servers[0]?.commands[0], /^EHLO \S+$/);
});

t.test(
  '8-bit content and UTF-8 addresses ask for what they need, and are not sent where it is not offered',
  async (t) => {
    const batch = Buffer.from('MAIL FROM:<mé@here> SIZE=1 BODY=7BIT\r\nRCPT TO:<a@b>\r\nDATA\r\ngrüße\r\n.\r\n');
    const { code, servers } = await runBsmtp(batch);
    t.equal(code, 0);
    t.equal(servers[0]?.commands[1], 'MAIL FROM:<mé@here> SIZE=9 BODY=8BITMIME SMTPUTF8');
    for (const extensions of [['8BITMIME'], ['SMTPUTF8'], ['SMTPUTF8', '8BITMIME', 'SIZE 8']]) {
      const refused = await runBsmtp(batch, { scripts: [{ extensions }] });
      t.equal(refused.code, 69, extensions.join(' '));
      t.match(refused.stdout, /^<a@b>: not sent: /);
      t.strictSame(refused.servers[0]?.messages, []);
    }
  },
);

t.test('exit codes: what was refused, and by what', async (t) => {
  const cases: readonly (readonly [code: number, answer: NonNullable<Script['answer']>])[] = [
    [67, rcpt({ one: '550 5.1.1 nobody' })],
    [67, rcpt({ one: '553 what' })],
    [67, rcpt({ one: '554 5.1.2 no such host' })],
    [69, rcpt({ one: '554 no' })],
    [69, rcpt({ one: '552 5.2.2 full' })],
    [75, rcpt({ one: '450 4.2.0 greylisted' })],
    [75, rcpt({ one: '421 bye' })],
    [69, (moment) => (moment === 'MAIL' ? '550 5.1.8 sender' : undefined)],
    [75, (moment) => (moment === 'MAIL' ? '452 full' : undefined)],
    [65, (moment) => (moment === 'CONTENT' ? '554 5.6.0 spam' : undefined)],
    [67, (moment) => (moment === 'CONTENT' ? '550 5.1.1 nobody after all' : undefined)],
    [75, (moment) => (moment === 'CONTENT' ? '451 later' : undefined)],
    [69, (moment) => (moment === 'DATA' ? '554 no' : undefined)],
    [69, (moment) => (moment === 'GREETING' ? '554 not here' : undefined)],
    [75, (moment) => (moment === 'GREETING' ? '421 busy' : undefined)],
    [75, (moment) => (moment === 'GREETING' ? 'what' : undefined)],
    [75, (moment) => (moment === 'EHLO' ? cut : undefined)],
    [75, (moment) => (moment === 'DATA' ? cut : undefined)],
    [75, (moment) => (moment === 'CONTENT' ? cut : undefined)],
  ];
  for (const [index, [expected, answer]] of cases.entries()) {
    const { code, stdout } = await runBsmtp(one, { scripts: [{ answer }] });
    t.equal(code, expected, `case ${index}`);
    t.match(stdout, /^<one@there>: [^\n]+\n$/);
  }
  t.equal(
    (
      await runBsmtp(one, {
        scripts: [{ answer: (moment) => (moment === 'MAIL' ? silence : undefined) }],
        raw: { answerTimeout: 0.05 },
      })
    ).code,
    75,
  );
});

t.test('one message to several has one fate, and the report names each', async (t) => {
  const { code, stdout, servers } = await runBsmtp(batchFor('one@x,two@x,three@x'), {
    scripts: [{ answer: rcpt({ two: '550 5.1.1 nobody' }) }],
  });
  t.equal(code, 67);
  t.strictSame(stdout.split('\n'), [
    '<one@x>: not sent, since another recipient was not accepted (250 2.1.5 ok)',
    '<two@x>: 550 5.1.1 nobody',
    '<three@x>: not sent, since another recipient was not accepted (250 2.1.5 ok)',
    '',
  ]);
  t.strictSame(servers[0]?.messages, []);
  const later = await runBsmtp(batchFor('one@x,two@x'), {
    scripts: [{ answer: rcpt({ one: '450 later', two: '550 never' }) }],
  });
  t.equal(later.code, 75);
});

t.test('some accepted and others not: never 75, and the report has the others alone', async (t) => {
  const batch = batchFor('one@x', 'two@x', 'three@x');
  for (const answer of ['450 later', '550 never']) {
    const { code, stdout, servers } = await runBsmtp(batch, { scripts: [{ answer: rcpt({ two: answer }) }] });
    t.equal(code, 69, answer);
    t.equal(stdout, `<two@x>: ${answer}\n`);
    t.match(servers[0]?.messages, [{ to: ['one@x'] }, { to: ['three@x'] }]);
  }
  const lost = await runBsmtp(batch, { scripts: [{ answer: cutLater }, { answer: rcpt({ three: '550 no' }) }] });
  t.equal(lost.code, 69);
  t.match(lost.stdout, /^<two@x>: not sent: [^\n]+\n<three@x>: 550 no\n$/);
});

t.test('--rest takes what was not accepted, and the code is about that alone', async (t) => {
  await using folder = await makeScratchFolder();
  const rest = join(folder.path, 'rest');
  const batch = `HELO me\r\n${batchFor('one@x', 'two@x', 'three@x').replaceAll('to two@x\r\n', '..\r\nx\ny\r..\r\n')}`;
  const first = await runBsmtp(batch, { raw: { rest }, scripts: [{ answer: rcpt({ two: '450 later' }) }], json: true });
  t.equal(first.code, 75);
  t.match(JSON.parse(first.stdout), {
    exitCode: 75,
    rest,
    messages: [{ outcome: 'accepted' }, { outcome: 'temporary' }, { outcome: 'accepted' }],
  });
  t.equal(
    await readFile(rest, 'latin1'),
    'HELO me\r\nMAIL FROM:<me@here>\r\nRCPT TO:<two@x>\r\nDATA\r\n..\r\nx\r\ny\r\n...\r\n.\r\n',
  );
  t.equal((await stat(rest)).mode & 0o777, 0o600);
  const refused = await runBsmtp(one, { raw: { rest } });
  t.match(refused, { code: 75, error: { code: 'STREAM_FAILED' } }, 'what is there is not overwritten');
  t.strictSame(refused.servers, []);
  const again = await readFile(rest);
  await writeFile(rest, '');
  const second = await runBsmtp(again, { raw: { rest } });
  t.equal(second.code, 0);
  t.match(second.servers[0]?.messages, [{ to: ['two@x'], content: Buffer.from('.\r\nx\r\ny\r\n..\r\n') }]);
  t.notOk(existsSync(rest), 'nothing left: no file');
});

t.test('--rest has everything when nobody was reached', async (t) => {
  await using folder = await makeScratchFolder();
  const rest = join(folder.path, 'rest');
  const { code } = await runBsmtp(one, { raw: { rest }, unreachable: new ViasshError('HOST_KEY_CHANGED', 'changed') });
  t.equal(code, 75);
  t.equal(await readFile(rest, 'latin1'), one);
  const nowhere = await runBsmtp(one, { raw: { rest: join(folder.path, 'no', 'rest') } });
  t.match(nowhere, { code: 75, error: { code: 'STREAM_FAILED' }, servers: [] });
});

t.test('--rest is no device, no pipe, no folder: they are not replaced by a file', async (t) => {
  await using folder = await makeScratchFolder();
  const device = join(folder.path, 'null');
  await symlink('/dev/null', device);
  for (const rest of [device, folder.path]) {
    const outcome = await runBsmtp(one, { raw: { rest } });
    t.match(outcome, { code: 75, error: { code: 'STREAM_FAILED', message: /no ordinary file/ }, servers: [] }, rest);
  }
  t.strictSame(await readdir(folder.path), ['null'], 'nothing was made, nothing is gone');
});

t.test('nobody reached: 75 whatever the reason, 64 for a mistake in the call', async (t) => {
  for (const reason of [
    'HOST_KEY_UNKNOWN',
    'AUTH_FAILED',
    'CONFIG_INVALID',
    'CONNECTION_REFUSED',
    'INTERNAL',
    'CAPABILITY_MISSING',
  ] as const) {
    const { code, stdout } = await runBsmtp(one, { unreachable: new ViasshError(reason, 'because') });
    t.equal(code, 75, reason);
    t.equal(stdout, '<one@there>: not sent: because\n');
  }
  t.equal((await runBsmtp(one, { unreachable: new ViasshError('DESTINATION_INVALID', 'x') })).code, 64);
});

t.test('a batch that is none: 65, and nobody is called', async (t) => {
  for (const batch of ['', 'hello\r\n', one.slice(0, -3)]) {
    const { code, error, servers } = await runBsmtp(batch, {
      unreachable: new ViasshError('INTERNAL', 'not to be dialled'),
    });
    t.match({ code, error }, { code: 65, error: { code: 'BSMTP_INVALID' } });
    t.strictSame(servers, []);
  }
  const bare = one.replace('to one', 'to\none');
  t.equal((await runBsmtp(bare, { raw: { bareNewlines: 'refuse' } })).code, 65);
  t.equal((await runBsmtp(bare)).code, 0);
});

t.test('input that fails is put off, not taken for the end', async (t) => {
  const input = new PassThrough();
  input.write(one);
  setImmediate(() => input.destroy(new Error('EIO')));
  t.match(await runBsmtp('', { input }), { code: 75, error: { code: 'STREAM_FAILED' }, servers: [] });
  const closed = new PassThrough();
  closed.write(one);
  setImmediate(() => closed.destroy());
  t.match(await runBsmtp('', { input: closed }), { code: 75, error: { code: 'STREAM_FAILED' }, servers: [] });
});

t.test('an abort: while reading and while sending 75, but what was accepted stays accepted', async (t) => {
  const reading = new AbortController();
  const input = new PassThrough();
  input.write(one);
  setImmediate(() => reading.abort());
  t.match(await runBsmtp('', { input, signal: reading.signal }), { code: 75, error: { code: 'ABORTED' }, servers: [] });
  for (const [at, codes] of [
    ['MAIL', [75, 75]],
    ['DATA', [75, 75]],
    ['CONTENT', [0, 69]],
    ['QUIT', [0, 0]],
  ] as const) {
    for (const [index, batch] of [one, batchFor('one@x', 'two@x')].entries()) {
      const aborted = new AbortController();
      const answer: Script['answer'] = (moment) => {
        if (moment === at) aborted.abort();
        return undefined;
      };
      t.equal(
        (await runBsmtp(batch, { signal: aborted.signal, scripts: [{ answer }] })).code,
        codes[index],
        `${at} ${index}`,
      );
    }
  }
});

t.test('a session that ends is replaced for the next message, but not after a silence', async (t) => {
  const batch = batchFor('one@x', 'two@x', 'three@x');
  const { code, servers } = await runBsmtp(batch, {
    scripts: [{ answer: rcpt({ two: '421 4.7.0 enough for one session' }) }, {}],
  });
  t.equal(code, 69);
  t.match(servers, [{ messages: [{ to: ['one@x'] }] }, { messages: [{ to: ['three@x'] }] }]);
  const silent = await runBsmtp(batch, {
    scripts: [{ answer: (moment) => (moment === 'MAIL' ? silence : undefined) }],
    raw: { answerTimeout: 0.05 },
  });
  t.match(silent, { code: 75, servers: { length: 1 } });
});

t.test('the ssh connection cut in each phase: 75, and the report says it', async (t) => {
  for (const at of ['GREETING', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'CONTENT'] as const) {
    let transport: MemoryTransport | undefined;
    const answer: Script['answer'] = (moment) => {
      if (moment !== at) return undefined;
      transport?.server.cut();
      return silence;
    };
    const { code, stdout } = await runBsmtp(batchFor('one@x', 'two@x'), {
      scripts: [{ answer }],
      onTransport: (made) => {
        transport = made;
      },
    });
    t.equal(code, 75, at);
    t.match(
      stdout,
      at === 'CONTENT' ? /^<one@x>: sent, but no answer came[^]*\n<two@x>: not sent/ : /^<one@x>: not sent/,
    );
  }
});

t.test('--json: one object, whatever happened', async (t) => {
  const parse = (text: string): unknown => {
    t.match(text, /^\{[^\n]*\}\n$/);
    return JSON.parse(text);
  };
  t.match(parse((await runBsmtp(one, { json: true })).stdout), {
    exitCode: 0,
    messages: [
      {
        from: 'me@here',
        outcome: 'accepted',
        recipients: [{ address: 'one@there', outcome: 'accepted', code: 250, enhanced: '2.0.0' }],
      },
    ],
  });
  t.match(parse((await runBsmtp('x', { json: true })).stdout), {
    exitCode: 65,
    error: { code: 'BSMTP_INVALID' },
    messages: [],
  });
  const unreachable = new ViasshError('AUTH_FAILED', 'no key');
  t.match(parse((await runBsmtp(one, { json: true, unreachable })).stdout), {
    exitCode: 75,
    error: { code: 'AUTH_FAILED' },
    messages: [{ outcome: 'temporary', recipients: [{ phase: 'unsent' }] }],
  });
});

t.test('what a server says cannot break a report: no control character, no second line', async (t) => {
  const { stdout } = await runBsmtp(one, {
    scripts: [{ answer: rcpt({ one: '550-5.1.1 a\u001b[2Jb\r\n550 5.1.1 <two@x>: c\rd' }) }],
  });
  t.equal(stdout, '<one@there>: 550 5.1.1 a\\u001b[2Jb 5.1.1 <two@x>: c d\n');
});

t.test('options that mean nothing here are refused', async (t) => {
  for (const raw of [
    { bareNewlines: 'maybe' },
    { helo: 'a b' },
    { bsmtp: false, rest: 'x' },
    { bsmtp: false, helo: 'x' },
  ])
    await t.rejects(runBsmtp(one, { raw }), { code: 'OPTION_INVALID' });
});

t.test('20 MB with long lines arrive as they are', async (t) => {
  const content = Buffer.concat([
    Buffer.alloc(5_000_000, 'x'),
    Buffer.from('\r\n.\r\n'),
    Buffer.alloc(15_000_000, '.\r\ny'),
  ]);
  const stuffed = content.toString('latin1').replaceAll('\r\n.', '\r\n..');
  const { code, servers } = await runBsmtp(`MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n${stuffed}\r\n.\r\n`, {
    scripts: [{ extensions: ['SIZE'] }],
  });
  t.equal(code, 0);
  t.equal(servers[0]?.commands[1], `MAIL FROM:<> SIZE=${content.length + 2}`);
  t.ok(servers[0]?.messages[0]?.content.equals(Buffer.concat([content, Buffer.from('\r\n')])));
});
