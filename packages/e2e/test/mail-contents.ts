import { randomBytes } from 'node:crypto';

/** A mail as it is given to sendmail. */
export interface TestMail {
  readonly from: string;
  readonly to: string;
  readonly content: Buffer;
}

const MIB = 1024 * 1024;

/** Bodies that something on the way may want to change; lines end in LF. */
const bodies: readonly (() => Buffer | string)[] = [
  () => 'an ordinary line\n',
  () => '.\n..\n...\n.x\n ..\n.\n',
  () => 'From here on\n>From there\nQUIT\nRCPT TO:<other@far.example>\n',
  () => '',
  () => '\n\n\n',
  () => `${'x'.repeat(998)}\n${'y'.repeat(5000)}\n.${'z'.repeat(20_000)}\n`,
  () => Buffer.from('Grüße, 漢字, \u{1f4ee}\n.ü\n'),
  () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0 && byte !== 13)),
  () => ` leading, trailing \t \n\tand \u00a0 others\n`,
];

/** The mail with this number; what it is made of repeats, its Message-Id does not. */
export function testMail(index: number, to = `you${index}@far.example`): TestMail {
  const body = Buffer.from(bodies[index % bodies.length]?.() ?? '');
  const end = body.length === 0 || body.at(-1) === 10 ? '' : '\n';
  return { from: 'me@near.example', to, content: Buffer.concat([header(index), body, Buffer.from(end)]) };
}

/** 20 MiB, in lines that all begin with a dot or are long, with all bytes that a line can have. */
export function largeMail(index: number): TestMail {
  const bytes = randomBytes(20 * MIB).map((byte) => (byte === 0 || byte === 13 ? 46 : byte));
  return { ...testMail(index), content: Buffer.concat([header(index), Buffer.from(bytes), Buffer.from('\n')]) };
}

/** The Message-Id that {@link testMail} put in. */
export function messageIdOf(content: Buffer): string | undefined {
  return /^Message-Id: <(.*)>$/m.exec(content.toString('latin1', 0, 2000))?.[1];
}

function header(index: number): Buffer {
  return Buffer.from(
    `Message-Id: <mail-${index}@near.example>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nFrom: me@near.example\nTo: you@far.example\nSubject: number ${index}\n\n`,
  );
}
