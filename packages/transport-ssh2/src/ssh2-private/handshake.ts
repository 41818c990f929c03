import type { Client } from 'ssh2';

/** Was strict key exchange (kex-strict-*-v00@openssh.com) agreed? Known from the event `handshake` on. */
export function isStrictKex(client: Client): boolean {
  return (client as unknown as Inside)._protocol?._strictMode === true;
}

/** The server's identification string (RFC 4253 §4.2), once it came. */
export function serverIdentification(client: Client): string | undefined {
  return (client as unknown as Inside)._protocol?._remoteIdentRaw?.toString('latin1');
}

/** What came instead of an identification string, so far; empty when nothing did. */
export function heardBeforeIdentification(client: Client): string {
  return (client as unknown as Inside)._protocol?._buffer?.toString('latin1', 0, 200) ?? '';
}

interface Inside {
  readonly _protocol?: {
    readonly _strictMode: boolean | undefined;
    readonly _remoteIdentRaw: Buffer | undefined;
    readonly _buffer: Buffer | undefined;
  };
}
