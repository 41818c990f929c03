import type { Client } from 'ssh2';

/** Calls back with the length of what goes over the wire; `sent` from the first key exchange on. Call after connect(). */
export function watchWire(
  client: Client,
  { sent, received }: Record<'sent' | 'received', (bytes: number) => void>,
): void {
  const protocol = (client as unknown as Inside)._protocol;
  const write = protocol._onWrite.bind(protocol);
  const parse = protocol.parse.bind(protocol);
  protocol._onWrite = (chunk) => {
    sent(chunk.length);
    write(chunk);
  };
  protocol.parse = (chunk, from, length) => {
    received(length - from);
    parse(chunk, from, length);
  };
}

/** Is a key exchange under way? Until it is over ssh2 keeps what is to be sent. */
export function isExchangingKeys(client: Client): boolean {
  return (client as unknown as Inside)._protocol?._kexinit !== undefined;
}

/** Begins a key exchange (RFC 4253 §9), unless one is under way or the connection is over. */
export function exchangeKeys(client: Client): void {
  const protocol = (client as unknown as Inside)._protocol;
  if (protocol._destruct !== undefined && protocol._kexinit === undefined) protocol.rekey();
}

interface Inside {
  readonly _protocol: {
    readonly _kexinit: Buffer | undefined;
    readonly _destruct: unknown;
    _onWrite(chunk: Buffer): void;
    parse(chunk: Buffer, from: number, length: number): void;
    rekey(): void;
  };
}
