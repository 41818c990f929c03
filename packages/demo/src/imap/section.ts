import type { MimePart } from './mime.ts';
import { ImapRefusal } from './refusal.ts';

/**
 * The bytes of a body section (RFC 3501 §6.4.5): empty = the whole mail, `HEADER`, `HEADER.FIELDS (…)`,
 * `HEADER.FIELDS.NOT (…)`, `TEXT`, a part number, `2.MIME`. `undefined`: there is no such part.
 *
 * @throws ImapRefusal BAD
 */
export function readSection(mail: MimePart, section: string): string | undefined {
  const match =
    /^(?<number>\d+(?:\.\d+)*)?\.?(?<what>HEADER|TEXT|MIME|HEADER\.FIELDS(?<not>\.NOT)? \((?<names>[^()]*)\))?$/i.exec(
      section,
    );
  if (match?.groups === undefined) throw new ImapRefusal('BAD', 'no such section');
  const { number, what, not, names } = match.groups;
  const part = number === undefined ? mail : findPart(mail, number.split('.').map(Number));
  if (part === undefined) return undefined;
  if (what === undefined) return number === undefined ? mail.header + mail.body : part.body;
  if (number !== undefined) return what.toUpperCase() === 'MIME' ? part.header : undefined;
  if (names !== undefined) return selectFields(mail, names, not === undefined);
  if (what.toUpperCase() === 'MIME') throw new ImapRefusal('BAD', 'MIME wants a part number');
  return what.toUpperCase() === 'TEXT' ? mail.body : mail.header;
}

/** Part 1 of what is no multipart is its body itself. */
function findPart(mail: MimePart, [first = 0, ...rest]: readonly number[]): MimePart | undefined {
  const part = mail.parts.length === 0 && first === 1 ? mail : mail.parts[first - 1];
  if (part === undefined || rest.length === 0) return part;
  return part.parts.length === 0 ? undefined : findPart(part, rest);
}

function selectFields(mail: MimePart, names: string, wanted: boolean): string {
  const set = new Set(names.toLowerCase().replaceAll('"', '').split(' '));
  const chosen = mail.fields.filter(({ name }) => set.has(name.toLowerCase()) === wanted);
  return `${chosen.map(({ raw }) => raw).join('')}\r\n`;
}
