import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type HostKey, parseHostKey } from './host-key.ts';

/** One line of a known_hosts file, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHostsEntry {
  readonly marker?: 'cert-authority' | 'revoked' | undefined;
  /** Does the line speak of this name (`host`, or `[host]:port` for another port than 22)? */
  matches(name: string): boolean;
  readonly keyType: string;
  readonly blob: Buffer;
  /** For messages. */
  readonly file: string;
  readonly line: number;
}

/** What known_hosts says of a key presented under a name. */
export type KnownHostsFinding =
  | { readonly kind: 'known'; readonly entry: KnownHostsEntry }
  | {
      readonly kind: 'unknown' /** Types of keys that are known for the name. */;
      readonly otherTypes: readonly string[];
    }
  | { readonly kind: 'changed'; readonly entry: KnownHostsEntry }
  | { readonly kind: 'revoked'; readonly entry: KnownHostsEntry };

/** Parses a file's text. Lines that are no entries are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  return text.split('\n').flatMap((line, index) => parseLine(line.trim(), file, index + 1) ?? []);
}

/**
 * Looks a key up. A revoked key is revoked whatever else is said. A key of a type of which another key is known for
 * the name is `changed`; one of a type not seen yet is `unknown`. `@cert-authority` lines say nothing of a plain key.
 */
export function lookUpHostKey(entries: readonly KnownHostsEntry[], name: string, key: HostKey): KnownHostsFinding {
  const applying = entries.filter((entry) => entry.marker !== 'cert-authority' && entry.matches(name));
  const same = (entry: KnownHostsEntry): boolean => entry.blob.equals(key.blob);
  const revoked = applying.find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const plain = applying.filter((entry) => entry.marker === undefined);
  const known = plain.find(same);
  if (known !== undefined) return { kind: 'known', entry: known };
  const changed = plain.find((entry) => entry.keyType === key.type);
  if (changed !== undefined) return { kind: 'changed', entry: changed };
  return { kind: 'unknown', otherTypes: [...new Set(plain.map((entry) => entry.keyType))] };
}

/** The key types known for a name, in file order: to be asked for first, so that a known key is what the server shows. */
export function knownKeyTypes(entries: readonly KnownHostsEntry[], name: string): readonly string[] {
  return [
    ...new Set(
      entries.filter((entry) => entry.marker === undefined && entry.matches(name)).map((entry) => entry.keyType),
    ),
  ];
}

/** A new line for a key, ending in a line feed; with `hashed` the name cannot be read from it (HashKnownHosts). */
export function formatKnownHostsLine(
  name: string,
  key: HostKey,
  { hashed = false }: { readonly hashed?: boolean } = {},
): string {
  return `${hashed ? hashedName(name) : name} ${key.type} ${key.blob.toString('base64')}\n`;
}

function parseLine(line: string, file: string, number: number): KnownHostsEntry | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  const fields = line.split(/[ \t]+/);
  const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
  const [names, keyType, base64] = fields;
  if (names === undefined || keyType === undefined || base64 === undefined) return undefined;
  if (marker !== undefined && marker !== '@cert-authority' && marker !== '@revoked') return undefined;
  const blob = Buffer.from(base64, 'base64');
  if (typeOf(blob) !== keyType) return undefined;
  return {
    marker: marker === undefined ? undefined : marker === '@revoked' ? 'revoked' : 'cert-authority',
    matches: names.startsWith('|1|') ? hashedMatcher(names) : patternMatcher(names.split(',')),
    keyType,
    blob,
    file,
    line: number,
  };
}

function typeOf(blob: Buffer): string | undefined {
  try {
    return parseHostKey(blob).type;
  } catch {
    return undefined;
  }
}

function hashedName(name: string): string {
  const salt = randomBytes(20); // hostfile.c, host_hash(): as long as the digest
  const digest = createHmac('sha1', salt).update(name.toLowerCase()).digest();
  return `|1|${salt.toString('base64')}|${digest.toString('base64')}`;
}

/** `|1|salt|HMAC-SHA1(salt, name)` */
function hashedMatcher(field: string): (name: string) => boolean {
  const [, , salt = '', hash = ''] = field.split('|');
  const expected = Buffer.from(hash, 'base64');
  const key = Buffer.from(salt, 'base64');
  return (name) => {
    const actual = createHmac('sha1', key).update(name.toLowerCase()).digest();
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  };
}

/** Patterns with `*` and `?`; a match of one with `!` overrules all others (ssh_config(5) PATTERNS). */
function patternMatcher(patterns: readonly string[]): (name: string) => boolean {
  const rules = patterns.map((pattern) => ({
    negated: pattern.startsWith('!'),
    expression: globExpression(pattern.replace(/^!/, '')),
  }));
  return (name) => {
    const matching = rules.filter(({ expression }) => expression.test(name));
    return matching.length > 0 && !matching.some(({ negated }) => negated);
  };
}

function globExpression(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}
