import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A mail as a server put it into a Maildir. */
export interface ArrivedMail {
  /** The reverse-path; empty for bounces. */
  readonly from: string;
  /** The recipient's address. */
  readonly to: string;
  /** Without the header fields that servers put on top on its way (RFC 5321 §4.4); lines end in LF. */
  readonly content: Buffer;
}

const traceField =
  /^(return-path|envelope-to|delivered-to|x-original-to|delivery-date|received):[^\n]*\n(?:[ \t][^\n]*\n)*/i;

/** All that is in the folder `new` of a Maildir; nothing where there is none yet. */
export async function readArrived(maildir: string): Promise<ArrivedMail[]> {
  const folder = join(maildir, 'new');
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(names.map(async (name) => readMail(await readFile(join(folder, name)))));
}

function readMail(bytes: Buffer): ArrivedMail {
  let rest = bytes.toString('latin1');
  const fields = new Map<string, string>();
  for (let field = traceField.exec(rest); field !== null; field = traceField.exec(rest)) {
    const [text, name = ''] = field;
    const value = Buffer.from(text.slice(name.length + 1).trim(), 'latin1').toString();
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value);
    rest = rest.slice(text.length);
  }
  return {
    from: (fields.get('return-path') ?? '').replace(/^<(.*)>$/s, '$1'),
    to: fields.get('envelope-to') ?? fields.get('x-original-to') ?? fields.get('delivered-to') ?? '',
    content: bytes.subarray(bytes.length - rest.length),
  };
}
