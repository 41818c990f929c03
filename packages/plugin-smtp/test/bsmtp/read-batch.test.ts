import { randomInt } from 'node:crypto';
import t from 'tap';
import { isViasshError, type ViasshError } from '@viassh/core';
import type { Batch } from '../../src/bsmtp/batch.ts';
import { ContentSpool } from '../../src/dialogue/content-spool.ts';
import { type BareNewlines, readBatch } from '../../src/bsmtp/read-batch.ts';
import { randomFrom } from '../random-from.ts';
import { contentOf } from '../scripted-server.ts';

interface Read {
  readonly batch?: Batch;
  readonly contents?: readonly string[];
  readonly error?: ViasshError;
}

async function read(chunks: readonly string[], bareNewlines: BareNewlines = 'repair'): Promise<Read> {
  await using spool = new ContentSpool();
  try {
    const batch = await readBatch(contentOf(...chunks), spool, { bareNewlines });
    const contents: string[] = [];
    for (const { start, end } of batch.items) {
      let content = '';
      for await (const part of spool.read(start, end)) content += part.toString('latin1');
      contents.push(content);
    }
    return { batch, contents };
  } catch (error) {
    if (isViasshError(error)) return { error };
    throw error;
  }
}

const head = 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n';
const lf = (text: string): string => text.replaceAll('\r\n', '\n');

t.test('a batch as exim writes it, with CRLF and with LF, cut anywhere', async (t) => {
  const text = `HELO me.example\r\n${head}Subject: x\r\n\r\n..dot\r\n...\r\nlast\r\n.\r\nMAIL FROM:<> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nrcpt to: <"x y"@d>\r\ndata\r\n.\r\nQUIT\r\n`;
  const expected = {
    name: 'me.example',
    items: [
      { from: 'a@b', parameters: [], recipients: [{ address: 'c@d', parameters: [] }], octets: 30, eightBit: false },
      {
        from: '',
        parameters: ['SIZE=10', 'BODY=8BITMIME'],
        recipients: [
          { address: 'c@d', parameters: ['NOTIFY=NEVER'] },
          { address: '"x y"@d', parameters: [] },
        ],
        octets: 0,
      },
    ],
  };
  for (const whole of [text, lf(text)]) {
    const content = 'Subject: x\r\n\r\n.dot\r\n..\r\nlast\r\n';
    const contents = [whole === text ? content : lf(content), ''];
    for (let at = 0; at <= whole.length; at += 1) {
      const { batch, contents: found, error } = await read([whole.slice(0, at), whole.slice(at)]);
      if (error !== undefined) t.fail(`cut at ${at}: ${error.message}`);
      t.match(batch, expected, `cut at ${at}`);
      t.strictSame(found, contents);
    }
    t.strictSame((await read([...whole])).contents, contents, 'each byte alone');
  }
});

t.test('a batch that ends anywhere before its end is refused', async (t) => {
  const whole = `${head}text\r\n.\r\n`;
  for (let at = 0; at < whole.length; at += 1)
    t.match((await read([whole.slice(0, at)])).error, { code: 'BSMTP_INVALID' }, `${at} bytes`);
  t.equal((await read([whole])).error, undefined);
  const second = await read([`${whole}${whole.slice(0, -3)}`]);
  t.match(second.error, { code: 'BSMTP_INVALID', message: /message 2/ });
});

t.test('what is no batch is refused, and says where', async (t) => {
  for (const text of [
    'From me Mon Jan 1\r\nSubject: x\r\n',
    'MAIL FROM:a@b\r\n',
    'MAIL FROM:<a@b\r\n',
    'MAIL FROM:<a@b>x\r\n',
    'RCPT TO:<a@b>\r\n',
    'DATA\r\n',
    'MAIL FROM:<a@b>\r\nDATA\r\n',
    'MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n',
    'MAIL FROM:<a@b>\r\nRCPT TO:<>\r\n',
    'MAIL FROM:<a@b>\r\nHELO x\r\n',
    'MAIL FROM:<a\rb@c>\r\n',
    'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\nDATA\r\n',
    'BDAT 5 LAST\r\n',
    'MAIL FROM:<\xff@b>\r\n',
    `${head}.\r\nQUIT\r\nMAIL FROM:<a@b>\r\n`,
    `${head}.\r\nfoo\r\n`,
    'NOOP\r\n'.padStart(10_000, 'x'),
    'x'.repeat(10_000),
    '\r\n',
    '',
  ]) {
    t.match(
      (await read([text])).error,
      { code: 'BSMTP_INVALID', hint: /MAIL FROM/ },
      JSON.stringify(text.slice(0, 60)),
    );
  }
});

t.test('RSET takes a message back, NOOP does nothing', async (t) => {
  const { batch } = await read([`NOOP\r\nMAIL FROM:<x@y>\r\nRSET\r\nEHLO me\r\n${head}.\r\n`]);
  t.match(batch, { name: 'me', items: [{ from: 'a@b' }] });
  t.equal(batch?.items.length, 1);
});

t.test('UTF-8 in addresses is read as that', async (t) => {
  const { batch } = await read([
    Buffer.from(`MAIL FROM:<mé@ü> SMTPUTF8\r\nRCPT TO:<日本@x>\r\nDATA\r\nä\r\n.\r\n`).toString('latin1'),
  ]);
  t.match(batch, { items: [{ from: 'mé@ü', recipients: [{ address: '日本@x' }], eightBit: true }] });
});

t.test('the end of data is a dot between line ends of the batch itself, and nothing else', async (t) => {
  for (const [own, marks] of [
    [
      '\r\n',
      [
        '\n.\n',
        '\n.\r\n',
        '\r\n.\n',
        '\r.\r',
        '\r.\r\n',
        '\r\n.\r',
        '\n.\r',
        '\r.\n',
        '\r\n.\r\r\n',
        '\r\n.\0\r\n',
        '\r\n. \r\n',
        '\r\n\0.\r\n',
        '\r\r\n.\r\r\n',
        '\n\r\n.\n\r\n',
      ],
    ],
    ['\n', ['\r\n.\r\n', '\r.\r', '\n.\r\n', '\r\n.\r', '\n.\r', '\r.\n', '\n.\0\n', '\r.\r\n']],
  ] as const) {
    const start = head.replaceAll('\r\n', own);
    const inner = `MAIL FROM:<evil@x>${own}RCPT TO:<c@d>${own}DATA${own}evil`;
    for (const mark of marks) {
      const text = `${start}one${mark}${inner}${own}.${own}`;
      for (let at = start.length; at <= text.length; at += 1) {
        const { batch, contents } = await read([text.slice(0, at), text.slice(at)]);
        t.equal(batch?.items.length, 1, `${JSON.stringify(mark)} in a batch of ${JSON.stringify(own)}`);
        t.match(contents?.[0], /^one[^]*MAIL FROM:<evil@x>/);
      }
      const clean = !/\0|\. /.test(mark);
      const refused = (await read([text], 'refuse')).error;
      t.equal(refused?.code, clean ? 'BSMTP_INVALID' : undefined, `refused: ${JSON.stringify(mark)}`);
    }
  }
});

t.test('any bytes give the same whatever way they are cut, and never another error', async (t) => {
  const seed = Number(process.env['VIASSH_FUZZ_SEED'] ?? randomInt(2 ** 31));
  t.comment(`VIASSH_FUZZ_SEED=${seed}`);
  const random = randomFrom(seed);
  const pieces = [
    head,
    lf(head),
    '.\r\n',
    '.\n',
    '.',
    '\r',
    '\n',
    '\r\n',
    'x',
    'RSET\r\n',
    'QUIT\n',
    'HELO a\r\n',
    '\0',
    '\xff',
  ];
  let batches = 0;
  for (let run = 0; run < 2000; run += 1) {
    const own = random(2) === 0 ? '\r\n' : '\n';
    const inner = Array.from({ length: random(8) }, () => pieces[random(pieces.length)]).join('');
    const text = `${random(4) === 0 ? '' : head.replaceAll('\r\n', own)}${inner}${random(4) === 0 ? '' : `${own}.${own}`}`;
    const whole = await read([text]);
    const each = await read([...text]);
    if (whole.batch !== undefined) batches += 1;
    const same = whole.error?.message === each.error?.message && JSON.stringify(whole) === JSON.stringify(each);
    if (!same || (whole.error !== undefined && whole.error.code !== 'BSMTP_INVALID'))
      t.strictSame(each, whole, `seed ${seed}, run ${run}: ${JSON.stringify(text)}`);
  }
  t.ok(batches > 50, `${batches} were batches`);
});
