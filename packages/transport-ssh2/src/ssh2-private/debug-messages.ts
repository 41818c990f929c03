import type { Client } from 'ssh2';

/** What a server said of itself while somebody listened. */
export interface DebugMessages extends Disposable {
  /** The last few, raw. */
  readonly said: readonly string[];
}

/** A server may say as much as it likes. */
const MOST = 20;
const LONGEST = 500;

const listeners = new WeakMap<Client, Set<(message: string) => void>>();

/** Listens to SSH_MSG_DEBUG (RFC 4253 §11.3), which ssh2 drops, until it is disposed of. Call after connect(). */
export function hearDebugMessages(client: Client): DebugMessages {
  const said: string[] = [];
  const hear = (message: string): void => {
    said.push(message.slice(0, LONGEST));
    if (said.length > MOST) said.shift();
  };
  const all = listenersOf(client);
  all.add(hear);
  return { said, [Symbol.dispose]: () => void all.delete(hear) };
}

function listenersOf(client: Client): Set<(message: string) => void> {
  const known = listeners.get(client);
  if (known !== undefined) return known;
  const all = new Set<(message: string) => void>();
  listeners.set(client, all);
  const { _handlers: handlers } = (client as unknown as Inside)._protocol;
  const before = handlers.DEBUG;
  handlers.DEBUG = (protocol, display, message) => {
    before?.(protocol, display, message);
    for (const hear of all) hear(message);
  };
  return all;
}

interface Inside {
  readonly _protocol: {
    readonly _handlers: { DEBUG?: ((protocol: unknown, display: boolean, message: string) => void) | undefined };
  };
}
