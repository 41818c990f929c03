import { isViasshError, ViasshError } from '@viassh/core';
import { type DeliveryResult, type Envelope, openSmtp, type SmtpOptions } from '@viassh/plugin-smtp';
import { mock } from 'node:test';
import t from 'tap';
import { waitUntil } from '@viassh/testing';
import { contentOf, cut, type Moment, type Script, ScriptedServer, silence } from '../scripted-server.ts';

const envelope: Envelope = { from: 'me@here', parameters: [], recipients: [to('one@there'), to('two@there')] };
const text = 'Subject: x\r\n\r\nhello\r\n';

function to(address: string, ...parameters: readonly string[]): Envelope['recipients'][number] {
  return { address, parameters };
}

/** One message to a server; with its result or the error of opening. */
async function deliver(
  script: Script,
  {
    partial = 'refuse',
    content = text,
    options = {},
    ...own
  }: Partial<Envelope> & { partial?: 'refuse' | 'deliver'; content?: string; options?: Partial<SmtpOptions> } = {},
): Promise<{ server: ScriptedServer; result?: DeliveryResult; code?: string; usable?: boolean }> {
  const server = new ScriptedServer(script);
  try {
    const client = await openSmtp(server.channel, { name: 'here.example', answerTimeoutMs: 5000, ...options });
    const result = await client.deliver({ ...envelope, ...own }, contentOf(content), { partial });
    const { usable } = client;
    await client.quit();
    return { server, result, usable };
  } catch (error) {
    if (isViasshError(error)) return { server, code: error.code };
    throw error;
  }
}

const answering =
  (at: Moment, answer: ReturnType<NonNullable<Script['answer']>>, only = /./s): NonNullable<Script['answer']> =>
  (moment, line) =>
    moment === at && (line === '' || only.test(line)) ? answer : undefined;

async function* failing(error: Error): AsyncGenerator<Buffer> {
  yield Buffer.from('half');
  throw error;
}

t.test('a message arrives byte for byte, with commands in one go where PIPELINING is offered', async (t) => {
  const { server, result } = await deliver({});
  t.match(result, { outcome: 'accepted', recipients: [{ outcome: 'accepted' }, { outcome: 'accepted' }] });
  t.strictSame(server.commands, [
    'EHLO here.example',
    'MAIL FROM:<me@here>',
    'RCPT TO:<one@there>',
    'RCPT TO:<two@there>',
    'DATA',
    'QUIT',
  ]);
  t.strictSame(server.messages, [{ from: 'me@here', to: ['one@there', 'two@there'], content: Buffer.from(text) }]);
  t.strictSame(server.complaints, []);
});

t.test('without PIPELINING no command is sent before the answer to the one before', async (t) => {
  const order: string[] = [];
  const { result } = await deliver({
    extensions: ['8BITMIME'],
    answer: (_moment, line) => {
      order.push(`> ${line}`);
      return undefined;
    },
    send: (bytes, server) => {
      setImmediate(() => {
        order.push(`< ${bytes.toString().slice(0, 3)}`);
        server.write(bytes);
      });
    },
  });
  t.match(result, { outcome: 'accepted' });
  t.strictSame(
    order.map((each) => each[0]),
    order.map((_, index) => '><'[index % 2]), // the first is the greeting
    order.join(' '),
  );
  t.ok(order.length > 12);
});

t.test('HELO where EHLO is unknown, and nothing that only EHLO would offer', async (t) => {
  const { server, result } = await deliver(
    { answer: answering('EHLO', '502 5.5.1 what?') },
    { parameters: ['SIZE=5'] },
  );
  t.match(result, { outcome: 'accepted' });
  t.strictSame(server.commands.slice(0, 3), ['EHLO here.example', 'HELO here.example', 'MAIL FROM:<me@here>']);
});

t.test('replies cut at every byte, and each byte alone, are read the same', async (t) => {
  const long = '250-2.1.5 one\r\n250-2.1.5 two\r\n250 2.1.5 three';
  for (let at = 1; at < long.length + 2; at += 1) {
    const { result } = await deliver({
      answer: answering('RCPT', long),
      send: (bytes, server) => {
        server.write(bytes.subarray(0, at));
        setImmediate(() => server.write(bytes.subarray(at)));
      },
      extensions: [],
    });
    t.equal(result?.outcome, 'accepted', `cut at ${at}`);
  }
  const { result } = await deliver({
    send: (bytes, server) => bytes.forEach((byte) => server.write(Buffer.from([byte]))),
  });
  t.equal(result?.outcome, 'accepted', 'each alone');
});

t.test('a greeting that is none: each with its own code', async (t) => {
  const cases: readonly (readonly [answer: ReturnType<NonNullable<Script['answer']>>, code: string])[] = [
    ['421 4.3.2 busy', 'SMTP_TEMPORARY'],
    ['450 later', 'SMTP_TEMPORARY'],
    ['554 no service here', 'SMTP_REFUSED'],
    ['250 ok', 'SMTP_PROTOCOL'],
    ['* OK IMAP4rev1 ready', 'SMTP_PROTOCOL'],
    ['SSH-2.0-OpenSSH_9.2', 'SMTP_PROTOCOL'],
    ['Welcome to this machine!\r\n220 far.example ESMTP', 'SMTP_PROTOCOL'],
    ['220-one\r\n221 two', 'SMTP_PROTOCOL'],
    ['199 too low', 'SMTP_PROTOCOL'],
    ['220far', 'SMTP_PROTOCOL'],
    ['', 'SMTP_PROTOCOL'],
    ['220 x\r\n220 y', 'SMTP_PROTOCOL'],
    ['220 '.padEnd(9000, 'x'), 'SMTP_PROTOCOL'],
    [Array.from({ length: 300 }, () => '220-x').join('\r\n'), 'SMTP_PROTOCOL'],
    [cut, 'CONNECTION_LOST'],
  ];
  for (const [answer, expected] of cases) {
    const { code, server } = await deliver({ answer: answering('GREETING', answer) });
    t.equal(code, expected, JSON.stringify(answer).slice(0, 60));
    t.strictSame(
      server.commands.filter((each) => !each.startsWith('EHLO')),
      [],
      'nothing but EHLO was said',
    );
    t.ok(server.channel.destroyed);
  }
});

t.test('a line without end does not fill the memory', async (t) => {
  const server = new ScriptedServer({ answer: answering('GREETING', silence) });
  const opened = openSmtp(server.channel, { name: 'x', answerTimeoutMs: 5000 });
  server.write(Buffer.alloc(20_000, 'x'));
  await t.rejects(opened, { code: 'SMTP_PROTOCOL' });
});

t.test('silence ends with SMTP_TIMEOUT: before the greeting thrown, later as a result', async (t) => {
  const options = { answerTimeoutMs: 30 };
  t.equal((await deliver({ answer: answering('GREETING', silence) }, { options })).code, 'SMTP_TIMEOUT');
  for (const at of ['MAIL', 'RCPT', 'DATA'] as const) {
    const { result } = await deliver({ answer: answering(at, silence) }, { options });
    t.match(result, { outcome: 'temporary', failure: { code: 'SMTP_TIMEOUT' } }, at);
  }
  const { result } = await deliver({ answer: answering('CONTENT', silence) }, { options });
  t.match(result, { outcome: 'unknown', failure: { code: 'SMTP_TIMEOUT' } }, 'after the final dot nobody knows');
});

t.test('each of many recipients has its time, however many were asked in one go', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const recipients = Array.from({ length: 8 }, (_, index) => to(`${index}@there`));
  const held: Buffer[] = [];
  const server = new ScriptedServer({
    send: (bytes, self) => (bytes.includes('2.1.5') ? held.push(bytes) : self.write(bytes)),
  });
  const client = await openSmtp(server.channel, { name: 'x', answerTimeoutMs: 1000 });
  const slow = client.deliver({ ...envelope, recipients }, contentOf('x'), { partial: 'refuse' });
  for (let turn = 0; turn < recipients.length; turn += 1) {
    await waitUntil('all to be asked', () => held.length === recipients.length);
    mock.timers.tick(900);
    server.write(held.at(turn) ?? '');
    await new Promise(setImmediate);
  }
  t.match(await slow, { outcome: 'accepted' });
  const never = client.deliver({ ...envelope, recipients }, contentOf('x'), { partial: 'refuse' });
  await new Promise(setImmediate);
  mock.timers.tick(1000);
  t.match(await never, { outcome: 'temporary', failure: { code: 'SMTP_TIMEOUT' } }, 'and no more than that');
});

t.test('a server that takes nothing any more ends with SMTP_TIMEOUT, and the message is not sent', async (t) => {
  const server = new ScriptedServer();
  const client = await openSmtp(server.channel, { name: 'x', answerTimeoutMs: 50 });
  const endless = async function* (): AsyncGenerator<Buffer> {
    server.stop();
    for (;;) yield Buffer.alloc(65_536, 'x\r\n');
  };
  const result = await client.deliver(envelope, endless(), { partial: 'refuse' });
  t.match(result, { outcome: 'temporary', failure: { code: 'SMTP_TIMEOUT' } });
  t.notOk(client.usable);
});

t.test('a cut in each phase: temporary up to the final dot, unknown behind it', async (t) => {
  for (const at of ['MAIL', 'RCPT', 'DATA'] as const) {
    const { result, server } = await deliver({ answer: answering(at, cut) });
    t.match(result, { outcome: 'temporary', failure: { code: 'CONNECTION_LOST' } }, at);
    t.equal(server.messages.length, 0);
  }
  const { result: inside } = await deliver({ cutInside: 10 }, { content: 'x'.repeat(1_000_000) });
  t.match(inside, { outcome: 'temporary', recipients: [{ phase: 'unsent' }, { phase: 'unsent' }] }, 'inside');
  const { result: after } = await deliver({ answer: answering('CONTENT', cut) });
  t.match(after, { outcome: 'unknown', recipients: [{ outcome: 'unknown' }, { outcome: 'unknown' }] }, 'after the dot');
});

t.test('a cut within an answer is no answer', async (t) => {
  const { result } = await deliver({
    send: (bytes, server) => {
      if (!bytes.includes('queued')) return server.write(bytes);
      server.write(bytes.subarray(0, -2));
      server.end();
    },
  });
  t.equal(result?.outcome, 'unknown');
});

t.test('an answer that came just before the cut counts', async (t) => {
  const { result, usable } = await deliver({
    send: (bytes, server) => {
      server.write(bytes);
      if (bytes.includes('queued')) server.end();
    },
  });
  t.equal(result?.outcome, 'accepted');
  t.equal(usable, false);
  const { result: with421 } = await deliver({
    answer: answering('CONTENT', '250 2.0.0 queued\r\n421 4.3.2 going down'),
  });
  t.equal(with421?.outcome, 'accepted', 'and 421 behind it takes nothing back');
});

t.test('one recipient refused: sent to nobody, each told its own answer, the others told why', async (t) => {
  for (const extensions of [['PIPELINING'], []]) {
    const { server, result, usable } = await deliver({
      extensions,
      answer: answering('RCPT', '550 5.1.1 nobody', /two/),
    });
    t.match(result, {
      outcome: 'refused',
      recipients: [
        { address: 'one@there', outcome: 'refused', phase: 'withheld', reply: { code: 250 } },
        {
          address: 'two@there',
          outcome: 'refused',
          phase: 'rcpt',
          reply: { code: 550, enhanced: '5.1.1' },
          reason: '550 5.1.1 nobody',
        },
      ],
    });
    t.strictSame(server.messages, []);
    t.notOk(server.commands.includes('DATA'));
    t.ok(server.commands.includes('RSET'));
    t.ok(usable);
  }
});

t.test('temporary wins over refused', async (t) => {
  const { result, server } = await deliver({
    answer: (moment, line) => (moment !== 'RCPT' ? undefined : /one/.test(line) ? '451 later' : '550 never'),
  });
  t.match(result, { outcome: 'temporary', recipients: [{ outcome: 'temporary' }, { outcome: 'refused' }] });
  t.notOk(server.commands.includes('DATA'));
});

t.test('with partial delivery the accepted get it, the others their answers', async (t) => {
  const { server, result } = await deliver({ answer: answering('RCPT', '550 no', /two/) }, { partial: 'deliver' });
  t.match(result, {
    outcome: 'refused',
    recipients: [{ outcome: 'accepted', phase: 'content' }, { outcome: 'refused' }],
  });
  t.match(server.messages, [{ to: ['one@there'] }]);
  const none = await deliver({ answer: answering('RCPT', '550 no') }, { partial: 'deliver' });
  t.match(none.result, { outcome: 'refused' });
  t.notOk(none.server.commands.includes('DATA'), 'and nobody accepted: no DATA');
});

t.test('with partial delivery a cut takes nothing back from those that were refused', async (t) => {
  const { result } = await deliver(
    { answer: (moment, line) => (moment === 'CONTENT' ? cut : /two/.test(line) ? '550 no' : undefined) },
    { partial: 'deliver' },
  );
  t.match(result, { outcome: 'unknown', recipients: [{ outcome: 'unknown' }, { outcome: 'refused', phase: 'rcpt' }] });
});

t.test('MAIL, DATA and the message refused or put off: the phase is told', async (t) => {
  for (const at of ['MAIL', 'DATA', 'CONTENT'] as const)
    for (const [code, outcome] of [
      ['451', 'temporary'],
      ['552', 'refused'],
    ] as const) {
      const { result, server, usable } = await deliver({ answer: answering(at, `${code} said`) });
      t.match(result, {
        outcome,
        recipients: [{ outcome, phase: at.toLowerCase(), reply: { code: Number(code) } }, {}],
      });
      t.equal(server.messages.length, 0);
      t.ok(usable, 'the session goes on');
    }
});

t.test('QUIT without an answer is not waited for long', async (t) => {
  const server = new ScriptedServer({ answer: answering('QUIT', silence) });
  const client = await openSmtp(server.channel, { name: 'x' });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const quit = client.quit();
  await new Promise(setImmediate);
  mock.timers.tick(5000);
  await quit;
  t.ok(server.channel.destroyed);
});

t.test('421 as an answer, and 421 unasked, put the message off and end the session', async (t) => {
  for (const at of ['MAIL', 'RCPT', 'DATA', 'CONTENT'] as const) {
    const { result, usable } = await deliver({ answer: answering(at, '421 4.3.2 going down') });
    t.match(result, { outcome: 'temporary', recipients: [{ reply: { code: 421 } }, {}] }, at);
    t.notOk(usable);
  }
});

t.test('answers that nobody asked for are never taken for the next one', async (t) => {
  for (const at of ['EHLO', 'MAIL', 'RCPT', 'DATA'] as const) {
    const said = { EHLO: '250 x', MAIL: '250 x', RCPT: '250 x', DATA: '354 go' }[at];
    const { result, code, server } = await deliver({
      extensions: [],
      answer: answering(at, `${said}\r\n250 and one more`),
    });
    t.equal(code ?? result?.failure?.code, 'SMTP_PROTOCOL', at);
    t.not(result?.outcome, 'accepted');
    t.equal(server.messages.length, 0);
  }
});

t.test('a refusal in the middle of the message is the answer; an acceptance there is none', async (t) => {
  for (const [said, expected] of [
    ['552 5.3.4 too large', 'refused'],
    ['452 full', 'temporary'],
    ['250 fine', 'temporary'],
  ] as const) {
    const server = new ScriptedServer();
    const client = await openSmtp(server.channel, { name: 'x' });
    const content = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.alloc(100_000, 'x');
      server.write(`${said}\r\n`);
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      yield Buffer.from('end');
    };
    const result = await client.deliver(envelope, content(), { partial: 'refuse' });
    t.equal(result.outcome, expected, said);
    t.equal(server.messages.length, 0);
  }
});

t.test('an answer that is neither yes nor no ends the session', async (t) => {
  const failure = { code: 'SMTP_PROTOCOL' };
  t.match((await deliver({ answer: answering('DATA', '250 ok') })).result, { outcome: 'temporary', failure });
  t.match((await deliver({ answer: answering('CONTENT', '354 more') })).result, { outcome: 'unknown' });
  t.match((await deliver({ answer: answering('MAIL', '354 more') })).result, { outcome: 'temporary' });
});

t.test('what the server does not offer: dropped where it does no harm, else not sent', async (t) => {
  const bare = { extensions: [] };
  const dropped = await deliver(bare, {
    parameters: ['SIZE=100', 'RET=HDRS', 'BODY=7BIT', 'ENVID=a'],
    recipients: [to('a@b', 'NOTIFY=NEVER')],
  });
  t.match(dropped.result, { outcome: 'accepted' });
  t.match(dropped.server.commands, ['EHLO here.example', 'MAIL FROM:<me@here>', 'RCPT TO:<a@b>']);
  for (const own of [
    { parameters: ['BODY=8BITMIME'] },
    { parameters: ['SMTPUTF8'] },
    { from: 'mé@here' },
    { recipients: [to('dömäin@there')] },
    { parameters: ['REQUIRETLS'] },
  ]) {
    const { result, server } = await deliver(bare, own);
    t.match(result, { outcome: 'refused', recipients: [{ phase: 'unsent', outcome: 'refused' }] }, JSON.stringify(own));
    t.strictSame(server.commands, ['EHLO here.example', 'QUIT']);
  }
});

t.test('what the server offers is used', async (t) => {
  const { server, result } = await deliver({}, { from: 'mé@here', parameters: ['SIZE=23', 'BODY=8BITMIME'] });
  t.match(result, { outcome: 'accepted' });
  t.equal(server.commands[1], 'MAIL FROM:<mé@here> SIZE=23 BODY=8BITMIME SMTPUTF8');
});

t.test('a message larger than the server takes is not sent', async (t) => {
  const { result, server } = await deliver({ extensions: ['SIZE 100'] }, { parameters: ['SIZE=101'] });
  t.match(result, { outcome: 'refused', recipients: [{ phase: 'unsent', reason: /101 bytes, the server takes 100/ }] });
  t.equal(server.commands.length, 2);
  for (const extension of ['SIZE 101', 'SIZE 0', 'SIZE'])
    t.match((await deliver({ extensions: [extension] }, { parameters: ['SIZE=101'] })).result, { outcome: 'accepted' });
});

t.test('no address and no parameter can become a command', async (t) => {
  for (const own of [
    { from: 'a@b>\r\nRCPT TO:<c@d' },
    { from: 'a@b\n' },
    { from: 'a> SIZE=1' },
    { recipients: [to('a@b\r')] },
    { recipients: [to('')] },
    { recipients: [to('a b@c')] },
    { recipients: [] },
    { parameters: ['SIZE=1\r\nDATA'] },
    { parameters: ['X Y'] },
    { recipients: [to('a@b', 'NOTIFY=\n')] },
    { from: '\ud800@b' },
  ]) {
    const { result, server } = await deliver({}, own);
    t.equal(result?.outcome, 'refused', JSON.stringify(own));
    t.strictSame(server.commands, ['EHLO here.example', 'QUIT']);
  }
  const { server, result } = await deliver({}, { from: '', recipients: [to('"odd > one"@there')] });
  t.match(result, { outcome: 'accepted' }, 'the null path, and a quoted one');
  t.strictSame(server.commands.slice(1, 3), ['MAIL FROM:<>', 'RCPT TO:<"odd > one"@there>']);
});

t.test('content that fails: nothing is accepted, and the error is its own', async (t) => {
  const server = new ScriptedServer();
  const client = await openSmtp(server.channel, { name: 'x' });
  await t.rejects(client.deliver(envelope, failing(new RangeError('gone')), { partial: 'refuse' }), RangeError);
  await new Promise(setImmediate);
  t.strictSame(server.messages, []);
  t.notOk(client.usable);
  t.match(await client.deliver(envelope, contentOf('x'), { partial: 'refuse' }), { outcome: 'temporary' });
  const other = await openSmtp(new ScriptedServer().channel, { name: 'x' });
  const error = new ViasshError('STREAM_FAILED', 'the disk is gone');
  await t.rejects(other.deliver(envelope, failing(error), { partial: 'refuse' }), error, 'also when it is one of ours');
});

t.test('an abort ends it at once; but behind the final dot the answer is awaited for a while', async (t) => {
  const early = new AbortController();
  const { result } = await deliver(
    {
      answer: (moment) => {
        if (moment === 'DATA') early.abort();
        return undefined;
      },
    },
    { options: { signal: early.signal } },
  );
  t.match(result, { outcome: 'temporary', failure: { code: 'ABORTED' } });
  const late = new AbortController();
  const patient = await deliver(
    {
      send: (bytes, server) => {
        if (!bytes.includes('queued')) return server.write(bytes);
        late.abort();
        setImmediate(() => server.write(bytes));
      },
    },
    { options: { signal: late.signal } },
  );
  t.match(patient.result, { outcome: 'accepted' });
  t.equal(patient.usable, false, 'and the session is over then');
  const never = new AbortController();
  const impatient = await deliver(
    {
      answer: (moment) => {
        if (moment !== 'CONTENT') return undefined;
        never.abort();
        return silence;
      },
    },
    { options: { signal: never.signal, patienceMs: 20 } },
  );
  t.match(impatient.result, { outcome: 'unknown', failure: { code: 'ABORTED' } });
});

t.test('two messages over one session do not touch each other', async (t) => {
  const server = new ScriptedServer({ answer: answering('RCPT', '550 no', /two/) });
  const client = await openSmtp(server.channel, { name: 'x' });
  const send = (address: string): Promise<DeliveryResult> =>
    client.deliver({ ...envelope, recipients: [to(address)] }, contentOf('.'), { partial: 'refuse' });
  t.match(
    [await send('two@x'), await send('one@x'), await send('three@x')],
    [{ outcome: 'refused' }, { outcome: 'accepted' }, { outcome: 'accepted' }],
  );
  await client.quit();
  t.match(server.messages, [{ to: ['one@x'] }, { to: ['three@x'] }]);
  t.strictSame(server.complaints, []);
});

t.test('a name that would break EHLO is refused', async (t) => {
  for (const name of ['', 'a b', 'x\r\nMAIL FROM:<>', '[::1', 'ä']) {
    const server = new ScriptedServer();
    await t.rejects(openSmtp(server.channel, { name }), { code: 'OPTION_INVALID' });
    t.strictSame(server.commands, []);
  }
});
