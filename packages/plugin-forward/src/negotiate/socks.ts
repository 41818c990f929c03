import type { SocksUsers } from './proxy-users.ts';
import { socks4 } from './socks4.ts';
import { socks5 } from './socks5.ts';
import { type Asked, type Dialogue, type Talk, TurnedAway } from './talk.ts';
import { brokeRules } from './turned-away.ts';

/** SOCKS of the version that the client begins with. */
export function* socks(talk: Talk, users: SocksUsers | undefined): Dialogue<Asked> {
  const [version = 0] = yield* talk.bytes(1);
  if (version === 5) return yield* socks5(talk, users);
  if (version === 4) return yield* socks4(talk, users);
  if (version < 0x41 || version > 0x5a)
    throw new TurnedAway(brokeRules(`it does not speak SOCKS (its first byte is ${version})`), Buffer.alloc(0));
  const text = 'This is a SOCKS proxy, and no HTTP proxy.\n';
  throw new TurnedAway(
    brokeRules(
      'it speaks something like HTTP, and no SOCKS',
      'make it a SOCKS proxy in its settings, or give it one of --http',
    ),
    Buffer.from(`HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${text}`),
  );
}
