import { randomInt } from 'node:crypto';
import t from 'tap';
import { randomFrom } from '../random-from.ts';
import { runBsmtp } from '../run-bsmtp.ts';

/** What servers were found to take for the end of a message, CVE-2023-51764 to 51766 and their relatives. */
const laxEnds = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\n.\r',
  '\r.\n',
  '\r\n.\r\r\n',
  '\n\n.\r\n',
  '\r\r.\r\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\n.\r\r\n',
];
const inner = 'MAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nDATA\r\nSubject: evil\r\n\r\nevil';
/** With a NUL in it, a bare CR or LF is not all that is wrong: what only a server that drops NUL takes for an end. */
const withNul = laxEnds.filter((mark) => mark.includes('\0'));

t.test('the corpus: no server takes two messages from one, however lax it is', async (t) => {
  for (const own of ['\r\n', '\n'])
    for (const mark of laxEnds)
      for (const framed of [inner, inner.replaceAll('\r\n', '\n'), inner.replaceAll('\r\n', '\r')]) {
        const head = `MAIL FROM:<me@here>${own}RCPT TO:<a@b>${own}DATA${own}`;
        if (`${own}x${mark}`.includes(`${own}.${own}`)) continue; // the end of data of this batch, and no smuggling
        const { code, servers } = await runBsmtp(`${head}Subject: x${own}${own}text${mark}${framed}${own}.${own}`, {
          scripts: [{ laxEnds: laxEnds.filter((each) => !withNul.includes(each)) }],
        });
        t.equal(code, 0, `${JSON.stringify(mark)} in a batch of ${JSON.stringify(own)}`);
        t.match(servers[0], { messages: { length: 1 }, complaints: [] });
        t.match(
          servers[0]?.messages[0]?.content.toString(),
          /evil@x[^]*evil\r\n$/,
          'all of it is text of the one message',
        );
      }
});

t.test('any mixture of what is critical arrives as one message, with canonical line ends', async (t) => {
  const seed = Number(process.env['VIASSH_FUZZ_SEED'] ?? randomInt(2 ** 31));
  t.comment(`VIASSH_FUZZ_SEED=${seed}`);
  const random = randomFrom(seed);
  const pieces = ['\r', '\n', '\r\n', '.', '..', 'x', 'DATA\r\n', 'QUIT\r\n', 'MAIL FROM:<a@b>\r\n', '\0', '\xff', ' '];
  for (let run = 0; run < 400; run += 1) {
    const own = random(2) === 0 ? '\r\n' : '\n';
    const content = Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('');
    const lines = content === '' ? [] : content.split(own);
    const stuffed = lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}${own}`).join('');
    const batch = `MAIL FROM:<me@here>${own}RCPT TO:<a@b>${own}DATA${own}${stuffed}.${own}`;
    const { code, servers } = await runBsmtp(batch, {
      scripts: [{ laxEnds: laxEnds.filter((each) => !withNul.includes(each)) }],
    });
    const expected = lines
      .map((line) => `${line}${own}`)
      .join('')
      .replaceAll(/\r\n|\r|\n/g, '\r\n');
    const got = servers[0]?.messages.map((message) => message.content.toString('latin1'));
    if (code !== 0 || got?.length !== 1 || got[0] !== expected || servers[0]?.complaints.length !== 0)
      t.strictSame({ code, got }, { code: 0, got: [expected] }, `seed ${seed}, run ${run}: ${JSON.stringify(batch)}`);
  }
  t.pass('400 messages');
});

t.test('a server of garbage is never believed, and nothing hangs', async (t) => {
  const seed = Number(process.env['VIASSH_FUZZ_SEED'] ?? randomInt(2 ** 31));
  t.comment(`VIASSH_FUZZ_SEED=${seed}`);
  const random = randomFrom(seed);
  const pieces = [
    '2',
    '5',
    '250',
    '354',
    ' ',
    '-',
    '\r\n',
    '\n',
    '\0',
    '250 ok\r\n',
    '421 x\r\n',
    '550 no\r\n',
    '354 go\r\n',
    'x',
  ];
  for (let run = 0; run < 200; run += 1) {
    let spoilt = false;
    const { code, servers } = await runBsmtp('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n', {
      scripts: [
        {
          send: (bytes, server) => {
            if (random(4) !== 0 || bytes.includes('queued')) return server.write(bytes);
            spoilt = true;
            server.write(Array.from({ length: random(6) }, () => pieces[random(pieces.length)]).join(''));
            server.end();
          },
        },
      ],
    });
    const taken = servers[0]?.messages.length ?? 0;
    if (taken === 0 ? code === 0 : code !== 0) t.fail(`seed ${seed}, run ${run}: code ${code}, ${taken} taken`);
    if (!spoilt && code !== 0) t.fail(`seed ${seed}, run ${run}: code ${code} without a reason`);
  }
  t.pass('200 servers');
});
