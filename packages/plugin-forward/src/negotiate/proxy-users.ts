import { createHash, timingSafeEqual } from 'node:crypto';
import { ViasshError } from '@viassh/core';

/** Who may use a dynamic forward: passwords by user. Without it, whoever can connect may. */
export type SocksUsers = ReadonlyMap<string, string>;

const LONGEST = 255; // RFC 1929 §2

/** True for a user with that password; how long it takes tells nothing of the password. */
export function isUser(users: SocksUsers, user: string, password: string): boolean {
  const expected = users.get(user);
  const same = timingSafeEqual(digest(expected ?? ''), digest(password));
  return same && expected !== undefined;
}

/**
 * Reads lines `USER:PASSWORD`; empty lines and those that begin with `#` are passed over. What stands in the lines is in
 * no error.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseSocksUsers(text: string): SocksUsers {
  const users = new Map<string, string>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, user, password] = /^([^:]+):(.+)$/.exec(line) ?? [];
    if (user === undefined || password === undefined) throw invalid(at, 'is not of the form USER:PASSWORD');
    if (Buffer.byteLength(user) > LONGEST || Buffer.byteLength(password) > LONGEST)
      throw invalid(at, `has a user or a password of more than ${LONGEST} bytes, which SOCKS cannot carry`);
    if (users.has(user)) throw invalid(at, 'names a user for the second time');
    users.set(user, password);
  }
  if (users.size === 0)
    throw new ViasshError('OPTION_INVALID', 'there is no user in the list of users', {
      hint: 'write a line USER:PASSWORD for each, or leave the list out to let everybody in',
    });
  return users;
}

function invalid(at: number, what: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `line ${at + 1} of the list of users ${what}`, {
    hint: 'write a line USER:PASSWORD for each user',
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
