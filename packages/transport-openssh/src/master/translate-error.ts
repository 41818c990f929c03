import {
  type ConnectionInfo,
  type ErrorCode,
  hostKeyChanged,
  hostKeyRevoked,
  hostKeyUnknown,
  knownHostsName,
  type ResolvedDestination,
  ViasshError,
} from '@viassh/core';
import { peerName } from './master-arguments.ts';

/** What ssh's log at DEBUG1 has told so far. The one place that reads ssh's texts. */
export class SshLog {
  readonly #lines: string[] = [];
  readonly #info: { -readonly [K in keyof ConnectionInfo]: ConnectionInfo[K] };
  readonly #tried: string[] = [];
  #accepted: string | undefined;

  constructor(hop: ResolvedDestination) {
    this.#info = { peer: peerName(hop) };
  }

  get info(): ConnectionInfo {
    return this.#info;
  }

  /** Takes one line, of the log or of ssh's stderr; true when the control socket is there. */
  add(raw: string): boolean {
    const line = raw.replace(/^debug\d: /, '').trimEnd();
    this.#lines.push(line);
    if (this.#lines.length > 400) this.#lines.splice(0, 200);
    this.#note(line);
    return line.startsWith('Entering interactive session');
  }

  /** Why the master ended before it was ready. */
  failure(hop: ResolvedDestination): ViasshError {
    const cause = this.#lines.slice(-40).join('\n');
    return (
      this.#hostKeyFailure(hop, cause) ?? this.#authenticationFailure(hop, cause) ?? this.#otherFailure(hop, cause)
    );
  }

  /** Why a connection that stood is gone. */
  loss(): ViasshError {
    const line = this.#last(
      /closed by remote host|Timeout, server|Connection reset|Broken pipe|Connection to .* closed|Corrupted|timed out/i,
    );
    return new ViasshError(
      'CONNECTION_LOST',
      `connection lost: ${this.#info.peer}${line === undefined ? '' : `: ${line}`}`,
      {
        hint: 'the server or the network went away; try again',
        cause: this.#lines.slice(-20).join('\n'),
      },
    );
  }

  #note(line: string): void {
    const match = (pattern: RegExp, keep: (value: string) => void): void => {
      const value = pattern.exec(line)?.[1];
      if (value !== undefined) keep(value);
    };
    match(
      /^Remote protocol version [\d.]+, remote software version (.+)$/,
      (value) => (this.#info.serverVersion = `SSH-2.0-${value}`),
    );
    match(/^Server host key: (\S+ SHA256:\S+)/, (value) => (this.#info.hostKey = value));
    match(/^kex: algorithm: (\S+)/, (value) => (this.#info.kex = value));
    match(/^kex: client->server cipher: (\S+)/, (value) => (this.#info.cipher = value));
    match(/^Authenticated to .* using "([^"]+)"/, (value) => (this.#info.authenticatedBy = value));
    match(/^Authentication succeeded \(([^)]+)\)/, (value) => (this.#info.authenticatedBy ??= value));
    match(/^Authentications that can continue: (.+)$/, (value) => (this.#accepted = value));
    match(/^Next authentication method: (\S+)/, (value) => value !== 'publickey' && this.#tried.push(value));
    match(/^Offering public key: (.+?)(?: explicit| agent| token)*$/, (value) =>
      this.#tried.push(`publickey (${value})`),
    );
  }

  #hostKeyFailure(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const key = this.#info.hostKey ?? 'a key it did not name';
    const name = knownHostsName(hop);
    const where = this.#first(/^Offending .* in (.+)$/) ?? hop.userKnownHostsFiles[0] ?? 'known_hosts';
    if (this.#first(/(REVOKED HOST KEY|is revoked|marked as revoked)/i) !== undefined)
      return hostKeyRevoked(name, key, where, cause);
    if (this.#first(/(REMOTE HOST IDENTIFICATION HAS CHANGED)/) !== undefined)
      return hostKeyChanged(name, key, where, cause);
    if (this.#first(/(No \S+ host key is known for|Host key verification failed)/) !== undefined)
      return hostKeyUnknown(hop, key, cause);
    return undefined;
  }

  #authenticationFailure(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const offered =
      this.#first(/Permission denied \(([^)]*)\)/) ??
      (this.#first(/(Too many authentication failures)/) === undefined ? undefined : this.#accepted);
    if (offered === undefined) return undefined;
    const tried = this.#tried.length === 0 ? 'no key and no password was at hand' : `tried ${this.#tried.join(', ')}`;
    return new ViasshError(
      'AUTH_FAILED',
      `${peerName(hop)}: permission denied; ${tried}; the server takes ${offered}`,
      {
        hint: this.#authenticationHint(hop, offered),
        cause,
      },
    );
  }

  #authenticationHint(hop: ResolvedDestination, offered: string): string {
    const broken = this.#first(/((?:Load key .*|identity_sign: .*|no such identity: .*))$/i);
    if (this.#tried.some((method) => method.startsWith('publickey (')))
      return `add the public key to ~/.ssh/authorized_keys of ${hop.user} there, or name another with -i`;
    if (broken !== undefined) return `a key could not be used: ${broken}`;
    if (offered.includes('publickey'))
      return 'no key was offered: start an agent (ssh-add -l shows what it has), or name a key with -i';
    return 'the server takes no keys: see which of its methods you can use';
  }

  #otherFailure(hop: ResolvedDestination, cause: string): ViasshError {
    const peer = peerName(hop);
    for (const [pattern, code, hint] of failures) {
      const line = this.#first(pattern);
      if (line !== undefined) return new ViasshError(code, `${peer}: ${line}`, { hint, cause });
    }
    const last = this.#lines.findLast((line) => line !== '') ?? 'it gave no reason';
    return new ViasshError('SERVER_CLOSED', `${peer}: ssh ended before the login was complete: ${last}`, {
      hint: '-v shows what ssh said',
      cause,
    });
  }

  #first(pattern: RegExp): string | undefined {
    for (const line of this.#lines) {
      const value = pattern.exec(line)?.[1];
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #last(pattern: RegExp): string | undefined {
    return this.#lines.findLast((line) => pattern.test(line));
  }
}

/** ssh's words for the rest, in the order in which they are looked for. */
const failures: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/^(.*[Bb]ad configuration option.*)$/, 'CONFIG_INVALID', 'correct the file or the -o option it names'],
  [
    /^(?:ssh: )?(Could not resolve hostname .*)$/,
    'HOST_NOT_FOUND',
    'check the spelling, or the Host and HostName lines of ssh_config',
  ],
  [
    /^((?:ssh: )?connect to host .*: Connection refused|.*Connection refused)$/,
    'CONNECTION_REFUSED',
    'check host and port (-p), and that sshd runs there',
  ],
  [/^(.*(?:Network is unreachable|No route to host).*)$/, 'HOST_UNREACHABLE', 'check the network and the address'],
  [
    /^(.*(?:Connection timed out|Operation timed out|Timeout before authentication|timed out).*)$/i,
    'CONNECT_TIMEOUT',
    'the host is down, or a firewall drops the packets',
  ],
  [
    /^(Unable to negotiate .*|.*no matching (?:key exchange method|host key type|cipher|MAC) found.*)$/i,
    'NEGOTIATION_FAILED',
    'allow one of the algorithms that the server offers, by -o',
  ],
  [
    /^(.*(?:Bad remote protocol version|banner line contains invalid|banner line \d+: |Invalid SSH identification string|client sent invalid protocol|Protocol major versions differ|banner exchange.*invalid|No SSH identification|too many lines without banner|Bad packet length).*)$/i,
    'PROTOCOL_ERROR',
    'is that the port of an SSH server?',
  ],
  [
    /^(.*(?:proxy command|ProxyCommand|stdio forwarding failed|UNKNOWN port 65535).*)$/i,
    'PROXY_FAILED',
    'run the ProxyCommand, or log in to the jump host, by hand to see its reason',
  ],
  [
    /^(.*(?:Connection closed by|Connection reset by|kex_exchange_identification).*)$/,
    'SERVER_CLOSED',
    'the server closed at once: too many logins at a time, a block on your address, or not an SSH server',
  ],
];
