import type { Envelope } from './delivery.ts';

/** What a server offers, by keyword in upper case, as `SmtpClient.extensions`. */
export type Extensions = ReadonlyMap<string, readonly string[]>;

/** MAIL and RCPT as they go to one server, or why they cannot. */
export type FittedEnvelope =
  | { readonly ok: true; readonly mail: string; readonly rcpts: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Of each known parameter: the extension it belongs to, and what happens where that is not offered. */
const parameterTable: Readonly<Record<string, { readonly extension: string; readonly without: 'drop' | 'refuse' }>> = {
  SIZE: { extension: 'SIZE', without: 'drop' }, // RFC 1870
  BODY: { extension: '8BITMIME', without: 'refuse' }, // RFC 6152
  SMTPUTF8: { extension: 'SMTPUTF8', without: 'refuse' }, // RFC 6531
  RET: { extension: 'DSN', without: 'drop' }, // RFC 3461
  ENVID: { extension: 'DSN', without: 'drop' },
  NOTIFY: { extension: 'DSN', without: 'drop' },
  ORCPT: { extension: 'DSN', without: 'drop' },
  AUTH: { extension: 'AUTH', without: 'drop' }, // RFC 4954 §5
  REQUIRETLS: { extension: 'REQUIRETLS', without: 'refuse' }, // RFC 8689
};

/**
 * The two commands for one server: only what it offers, SMTPUTF8 where an address needs it. Parameters that are in no
 * table go as they are: it is the server that answers for them.
 */
export function fitEnvelope({ from, parameters, recipients }: Envelope, extensions: Extensions): FittedEnvelope {
  if (recipients.length === 0) return refuse('the message has no recipient');
  const bad = [from, ...recipients.map(({ address }) => address)].find((path, index) => !isPath(path, index === 0));
  if (bad !== undefined) return refuse(`this is no address of mail: <${bad}>`);
  const all = [...parameters, ...recipients.flatMap((each) => each.parameters)];
  const malformed = all.find((parameter) => !/^[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\p{Cc}\s=]+)?$/u.test(parameter));
  if (malformed !== undefined) return refuse(`this is no parameter of SMTP: '${malformed}'`);
  // oxlint-disable-next-line no-control-regex -- ASCII is what it is about
  const needsUtf8 = [from, ...recipients.map(({ address }) => address)].some((path) => /[^\x00-\x7f]/.test(path));
  const ofMail = needsUtf8 && !parameters.some(isNamed('SMTPUTF8')) ? [...parameters, 'SMTPUTF8'] : parameters;
  const missing = [...ofMail, ...all].map((each) => missingFor(each, extensions)).find((each) => each !== undefined);
  if (missing !== undefined) return refuse(missing);
  const offered = (parameter: string): boolean => {
    const entry = parameterTable[keywordOf(parameter)];
    return (entry === undefined || extensions.has(entry.extension)) && !isSevenBit(parameter);
  };
  const line = (path: string, own: readonly string[]): string => [`<${path}>`, ...own.filter(offered)].join(' ');
  return {
    ok: true,
    mail: `MAIL FROM:${line(from, ofMail)}`,
    rcpts: recipients.map(({ address, parameters: own }) => `RCPT TO:${line(address, own)}`),
  };
}

function refuse(reason: string): FittedEnvelope {
  return { ok: false, reason };
}

/** A path that fits between `<` and `>`: no control character, no angle bracket outside of a quoted string, RFC 5321 §4.1.2. */
function isPath(path: string, mayBeEmpty: boolean): boolean {
  if (path === '') return mayBeEmpty;
  return /^(?:"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"|[^"<>\s\p{Cc}])+$/u.test(path) && path.isWellFormed();
}

function missingFor(parameter: string, extensions: Extensions): string | undefined {
  const keyword = keywordOf(parameter);
  if (keyword === 'SIZE') return tooLarge(parameter, extensions.get('SIZE')?.[0]);
  const entry = parameterTable[keyword];
  if (entry === undefined || entry.without === 'drop' || isSevenBit(parameter)) return undefined;
  if (keyword === 'BODY' && !/=8BITMIME$/i.test(parameter)) return `${parameter} cannot be sent by DATA`;
  if (extensions.has(entry.extension)) return undefined;
  return `the server does not offer ${entry.extension}, which the message needs`;
}

function tooLarge(parameter: string, limit: string | undefined): string | undefined {
  const [size, most] = [Number(parameter.slice('SIZE='.length)), Number(limit ?? 0)];
  if (!(most > 0 && size > most)) return undefined; // RFC 1870 §4: 0 or nothing is no limit
  return `the message has ${size} bytes, the server takes ${most}`;
}

/** What every server takes needs not be said. */
function isSevenBit(parameter: string): boolean {
  return /^BODY=7BIT$/i.test(parameter);
}

function isNamed(keyword: string): (parameter: string) => boolean {
  return (parameter) => keywordOf(parameter) === keyword;
}

/** `size=100` → `SIZE` */
export function keywordOf(parameter: string): string {
  return parameter.replace(/=.*$/s, '').toUpperCase();
}
