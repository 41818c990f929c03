import { generateKeyPairSync } from 'node:crypto';
import { type HostKey, parseHostKey, type ProgramRunner, type SessionRequest } from '@viassh/core';
import type { FarSession } from './far-end.ts';
import type { MemoryLogin } from './memory-login.ts';
import type { Subsystems } from './shell-session.ts';

/** What the memory server is like. */
export interface MemoryServerOptions {
  /** Bytes, each direction of each channel. Default: 2 MiB. */
  readonly windowSize?: number | undefined;
  /** Default: a key lets in. */
  readonly login?: MemoryLogin | undefined;
  /** Default: `echo`, which is cat. */
  readonly subsystems?: Subsystems | undefined;
  /** Which variables an env request may set. Default: those beginning with `VIASSH_`. */
  readonly acceptEnv?: RegExp | undefined;
  /** Session channels open at a time; more are refused. Default: 10, as sshd. */
  readonly maxSessions?: number | undefined;
  /** Channel types that are refused. */
  readonly refuse?: readonly ('session' | 'direct-tcpip' | 'direct-streamlocal@openssh.com')[] | undefined;
  /** `silent`: takes the connection and says nothing. `not-ssh`: something else answers. `closes`: hangs up at once. */
  readonly behaviour?: 'ssh' | 'silent' | 'not-ssh' | 'closes' | undefined;
  /**
   * Stands in for the shell: a far end of the test's own making. `undefined` refuses the request.
   * Default: `/bin/sh -c command` on this machine.
   */
  readonly session?:
    | ((request: SessionRequest, env: Readonly<Record<string, string>>) => FarSession | undefined)
    | undefined;
  readonly programs?: ProgramRunner | undefined;
}

/** The server that a memory transport reaches. */
export interface MemoryServer {
  readonly hostKey: HostKey;
  /** The requests of all sessions so far, in order. */
  readonly requests: readonly SessionRequest[];
  /** The server dies: every connection is lost, nobody gets in any more. */
  cut(): void;
  /** Resolves when somebody connects for the first time. */
  readonly contacted: Promise<void>;
}

/** The transport's own view of its server. */
export class MemoryServerState implements MemoryServer {
  readonly hostKey: HostKey = makeHostKey();
  readonly requests: SessionRequest[] = [];
  readonly contacted: Promise<void>;
  readonly losers: Set<() => void> = new Set();
  alive = true;
  contact: () => void = () => undefined;

  constructor() {
    this.contacted = new Promise((resolve) => {
      this.contact = resolve;
    });
  }

  cut(): void {
    this.alive = false;
    for (const lose of this.losers) lose();
  }
}

/** A random ed25519 host key, RFC 8709 §4. */
export function makeHostKey(): HostKey {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return parseHostKey(Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]));
}

/** `string` of RFC 4251 §5. */
function part(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
