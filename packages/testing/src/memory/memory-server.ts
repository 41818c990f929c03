import { generateKeyPairSync } from 'node:crypto';
import { type Duplex, duplexPair } from 'node:stream';
import {
  type ChannelOpening,
  type HostKey,
  type IncomingChannelType,
  type Originator,
  parseHostKey,
  type ProgramRunner,
  type SessionRequest,
} from '@viassh/core';
import type { FarSession } from './far-end.ts';
import type { FarNetwork } from './far-network.ts';
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
  /** Channel types that are refused; of remote forwards, the listening. */
  readonly refuse?:
    | readonly (ChannelOpening['type'] | 'forwarded-tcpip' | 'forwarded-streamlocal@openssh.com')[]
    | undefined;
  /** Ports that remote forwards may ask for. Default: all. */
  readonly permitListen?: readonly number[] | undefined;
  /** What is behind a tun device. Default: a network that answers each echo request and reflects all else. */
  readonly network?: FarNetwork | undefined;
  /** The servers of the hops before this one, first to last. Default: this server stands for every hop. */
  readonly jumpHosts?: readonly MemoryServer[] | undefined;
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
  /** Session channels opened so far, those included that were opened ahead. */
  readonly sessionsOpened: number;
  /**
   * Opens a channel towards the client of the connection that was made last; gives the server's own end of it, which is
   * destroyed when the client refuses.
   *
   * @throws Error when nobody is connected
   */
  openChannel(type: IncomingChannelType, originator?: Originator): Duplex;
  /** The server dies: every connection is lost, nobody gets in any more. */
  cut(): void;
  /** Resolves when somebody connects for the first time. */
  readonly contacted: Promise<void>;
}

/** What a server may do to one connection. */
export interface FarConnection {
  lose(): void;
  offer(type: IncomingChannelType, socket: Duplex, originator?: Originator): void;
}

/** The transport's own view of its server. */
export class MemoryServerState implements MemoryServer {
  readonly hostKey: HostKey = makeHostKey();
  readonly requests: SessionRequest[] = [];
  readonly contacted: Promise<void>;
  readonly connections: Set<FarConnection> = new Set();
  readonly login: MemoryLogin;
  sessionsOpened = 0;
  alive = true;
  contact: () => void = () => undefined;

  constructor(login: MemoryLogin) {
    this.login = login;
    this.contacted = new Promise((resolve) => {
      this.contact = resolve;
    });
  }

  openChannel(type: IncomingChannelType, originator?: Originator): Duplex {
    const connection = [...this.connections].at(-1);
    if (connection === undefined) throw new Error('nobody is connected');
    const [own, theirs] = duplexPair();
    own.on('error', () => undefined).once('close', () => theirs.destroy());
    theirs.on('error', () => undefined).once('close', () => own.destroy());
    connection.offer(type, theirs, originator);
    return own;
  }

  cut(): void {
    this.alive = false;
    for (const connection of this.connections) connection.lose();
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
