import type { Client, ParsedKey } from 'ssh2';

/** What the first attempt to log in is like. */
export interface EarlyLogin {
  /** It needs the signature algorithms that the server takes. */
  readonly wantsServerAlgorithms: boolean;
  /** The public half of the key to sign with at once. */
  readonly signedAtOnce: Buffer | undefined;
  /** Told once: milliseconds from the service request to its answer. */
  readonly onRoundTrip: (ms: number) => void;
}

/**
 * Sends the first attempt right behind the service request instead of after its answer: one round trip less. RFC 4253
 * §10 asks the server for an answer and the client for no wait; a server that wants no such service disconnects. Where the
 * algorithms of the server matter, EXT_INFO is waited for, which is on the wire before the answer can be (RFC 8308 §2.4);
 * without one the answer starts the login. Call after connect().
 */
export function startLoginEarly(client: Client, early: EarlyLogin): void {
  const protocol = (client as unknown as Inside)._protocol;
  const handlers = protocol._handlers;
  const begin = handlers.SERVICE_ACCEPT.bind(handlers);
  const onExtInfo = handlers.EXT_INFO.bind(handlers);
  let requested: number | undefined;
  let hasAlgorithms = !early.wantsServerAlgorithms;
  let begun = false;
  const start = (): void => {
    if (begun || requested === undefined || !hasAlgorithms) return;
    begun = true;
    begin(protocol, SERVICE);
  };
  client.once('handshake', () => {
    requested = performance.now();
    queueMicrotask(start); // ssh2 sends the service request when this event is over
  });
  handlers.EXT_INFO = (from, extensions) => {
    onExtInfo(from, extensions);
    hasAlgorithms = true;
    start();
  };
  handlers.SERVICE_ACCEPT = (_from, name) => {
    if (name !== SERVICE || requested === undefined) return;
    early.onRoundTrip(performance.now() - requested);
    handlers.SERVICE_ACCEPT = () => undefined;
    hasAlgorithms = true;
    start();
  };
  if (early.signedAtOnce !== undefined) skipQuery(protocol, early.signedAtOnce);
}

const SERVICE = 'ssh-userauth'; // RFC 4252 §4

/** Answers ssh2's question whether the server would take this key in the server's place. */
function skipQuery(protocol: InsideProtocol, blob: Buffer): void {
  const authPK = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign) => {
    if (sign === undefined && key.getPublicSSH().equals(blob)) protocol._handlers.USERAUTH_PK_OK(protocol);
    else authPK(user, key, algorithm, sign);
  };
}

interface InsideProtocol {
  readonly _handlers: {
    SERVICE_ACCEPT(protocol: unknown, name: string): void;
    EXT_INFO(protocol: unknown, extensions: unknown): void;
    USERAUTH_PK_OK(protocol: unknown): void;
  };
  authPK(user: string, key: ParsedKey, algorithm: string | undefined, sign?: unknown): void;
}

interface Inside {
  readonly _protocol: InsideProtocol;
}
