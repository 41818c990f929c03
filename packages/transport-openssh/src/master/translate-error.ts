import {
  channelRefused,
  type ErrorCode,
  hostKeyChanged,
  hostKeyRevoked,
  hostKeyUnknown,
  type HopInfo,
  knownHostsName,
  openFailure,
  type ResolvedDestination,
  ViasshError,
} from '@viassh/core';
import type { ReadAt } from './fifo-lines.ts';
import { JoinedChannels } from './joined-channels.ts';
import { peerName } from './master-arguments.ts';

const DEBUG = /^debug\d: /;
/** What sshd says instead of its version: sshd.c, drop_connection(). */
const TURNED_AWAY = /^(?:Not allowed at this time|Exceeded MaxStartups)/;

/** Where in a route the hop stands that a log is of. */
export interface HopPlace {
  /** The log of the hop that this one is reached through. */
  readonly before?: SshLog | undefined;
  readonly isLast: boolean;
}

/**
 * What ssh has told so far, by its log at DEBUG1 and by its stderr. The one place that reads ssh's texts.
 *
 * A server has a say in both: its banner is on stderr, its keyboard-interactive texts are in the log, line ends and all.
 * So facts are taken from the log alone and the first word of each counts; they all come before the server may speak.
 */
export class SshLog {
  readonly joined: JoinedChannels = new JoinedChannels();
  /** Lines of ssh's own log, without the debug ones. */
  readonly #said: string[] = [];
  /** Lines of stderr: the banner, and what a jump host's ssh or a ProxyCommand says. */
  readonly #aside: string[] = [];
  readonly #all: string[] = [];
  readonly #info: { -readonly [K in keyof HopInfo]: HopInfo[K] };
  readonly #tried: string[] = [];
  #accepted: string | undefined;
  /** A key file that the server would take, until it is known what became of it. */
  #wanted: string | undefined;
  /** One that nothing was signed with. */
  #unused: string | undefined;
  #nobodyToAsk = false;
  #keyboardInteractiveBegan = false;
  /** What came where an SSH server says its version. */
  #otherBanner: string | undefined;
  /** When the first question of the key exchange may have gone out at the earliest. */
  #askedAt: number | undefined;
  readonly #place: HopPlace;

  constructor(hop: ResolvedDestination, place: HopPlace = { isLast: true }) {
    this.#info = { peer: peerName(hop), state: 'up' };
    this.#place = place;
  }

  get info(): HopInfo {
    return this.#info;
  }

  /** From here on prompts and log lines may be the server's own. */
  get keyboardInteractiveBegan(): boolean {
    return this.#keyboardInteractiveBegan;
  }

  /** ssh is gone. */
  ended(): void {
    this.#info.state = 'ended';
    this.joined.ended();
  }

  /** Takes one line of the log; true when it says that the control socket should be there. */
  add(raw: string, at?: ReadAt): boolean {
    const line = raw.replace(DEBUG, '').trimEnd();
    keep(this.#all, raw);
    if (!DEBUG.test(raw)) keep(this.#said, line);
    if (!this.#keyboardInteractiveBegan) this.#note(line, at);
    this.joined.note(line);
    return DEBUG.test(raw) && line.startsWith('Entering interactive session');
  }

  addStderr(line: string): void {
    keep(this.#all, line);
    keep(this.#aside, line.trimEnd());
  }

  /** Why the master ended before it was ready. */
  failure(hop: ResolvedDestination): ViasshError {
    const cause = this.#all.slice(-40).join('\n');
    return (
      this.#hostKeyFailure(hop, cause) ??
      this.#authenticationFailure(hop, cause) ??
      this.#failureOfHopBefore(hop, cause) ??
      this.#failureOnTheWay(hop, cause) ??
      this.#otherFailure(hop, cause)
    );
  }

  /** Why a connection that stood is gone. */
  loss(): ViasshError {
    const telling =
      /closed by remote host|Timeout, server|Connection reset|Broken pipe|Connection to .* closed|Corrupted|timed out/i;
    const line = this.#said.findLast((said) => telling.test(said));
    return new ViasshError(
      'CONNECTION_LOST',
      `connection lost: ${this.#place.isLast ? '' : 'the jump host '}${this.#info.peer}${line === undefined ? '' : `: ${line}`}`,
      {
        hint: 'the server or the network went away; try again',
        cause: this.#all.slice(-20).join('\n'),
      },
    );
  }

  #note(line: string, at: ReadAt | undefined): void {
    const match = (pattern: RegExp, take: (value: string) => void): void => {
      const value = pattern.exec(line)?.[1];
      if (value !== undefined) take(value);
    };
    const info = this.#info;
    match(
      /^Remote protocol version [\d.]+, remote software version (.+)$/,
      (value) => (info.serverVersion ??= `SSH-2.0-${value}`),
    );
    match(/^kex_exchange_identification: banner line \d+: (.*)$/, (value) => (this.#otherBanner ??= value));
    match(/^Server host (?:key|certificate): (\S+ SHA256:[^\s,]+)/, (value) => (info.hostKey ??= value));
    match(/^kex: algorithm: (\S+)/, (value) => (info.kex ??= value));
    match(/^kex: client->server cipher: (\S+)/, (value) => (info.cipher ??= value));
    match(/^kex: client->server .* MAC: <?([^\s<>]+)/, (value) => (info.mac ??= value));
    match(/^kex: client->server .* compression: (\S+)/, (value) => (info.compression ??= value));
    if (at !== undefined) this.#noteRoundTrip(line, at);
    match(/^Authenticated to .* using "([^"]+)"/, (value) => (info.authenticatedBy ??= value));
    match(/^Authentication succeeded \(([^)]+)\)/, (value) => (info.authenticatedBy ??= value));
    match(/^Authentications that can continue: (.+)$/, (value) => (this.#accepted = value));
    match(/^Offering public key: (.+?)(?: explicit| agent| token)*$/, (value) =>
      this.#tried.push(`publickey (${value})`),
    );
    this.#noteUnused(line);
    match(/^Next authentication method: (\S+)/, (value) => {
      if (value !== 'publickey') this.#tried.push(value);
      if (value === 'keyboard-interactive') {
        this.#keyboardInteractiveBegan = true;
        info.authenticatedBy = value; // what follows is not heeded any more
      }
    });
  }

  /** A key that the server takes and that is not signed with: its passphrase was not given. */
  #noteUnused(line: string): void {
    if (/^Authenticat(?:ions that can continue|ed)\b/.test(line)) this.#wanted = undefined;
    if (line.startsWith("read_passphrase: can't open")) this.#nobodyToAsk = this.#wanted !== undefined;
    if (/^(?:Offering public key|Next authentication method|No more authentication methods)\b/.test(line)) {
      this.#unused ??= this.#wanted;
      this.#wanted = undefined;
    }
    const [, key, from] = /^Server accepts key: (.+?) \S+ SHA256:\S+((?: explicit| agent| token)*)$/.exec(line) ?? [];
    if (key !== undefined && !/agent|token/.test(from ?? '')) this.#wanted = key;
  }

  /** The question went out before its line was read, and after the read before that: so this is an upper bound. */
  #noteRoundTrip(line: string, { now, before }: ReadAt): void {
    if (/^expecting SSH2_MSG_KEX(?!INIT)\w+/.test(line)) this.#askedAt ??= before;
    if (/^(?:got )?SSH2_MSG_KEX(?!INIT)\w+(?: received)?$/.test(line) && this.#askedAt !== undefined)
      this.#info.roundTripMs ??= now - this.#askedAt;
  }

  #hostKeyFailure(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const key = this.#info.hostKey;
    if (key === undefined) return undefined; // ssh never saw the server's key: not its key that is meant
    const name = knownHostsName(hop);
    const said = (pattern: RegExp): string | undefined => firstMatch(this.#said, pattern);
    const where = said(/^Offending .* in (.+)$/) ?? hop.userKnownHostsFiles[0] ?? 'known_hosts';
    if (said(/(REVOKED HOST KEY|is revoked|marked as revoked)/i) !== undefined)
      return hostKeyRevoked(name, key, where, cause);
    if (said(/(REMOTE HOST IDENTIFICATION HAS CHANGED)/) !== undefined) return hostKeyChanged(name, key, where, cause);
    if (said(/(No \S+ host key is known for|Host key verification failed)/) !== undefined)
      return hostKeyUnknown(hop, key, cause);
    return undefined;
  }

  #authenticationFailure(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const tooMany = firstMatch(this.#said, /(Too many authentication failures)/);
    const offered =
      firstMatch(this.#said, /Permission denied \(([^)]*)\)/) ?? (tooMany === undefined ? undefined : this.#accepted);
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
    if (this.#unused !== undefined) {
      return this.#nobodyToAsk
        ? `${this.#unused} needs its passphrase, and there is nobody to ask: load it into an agent (ssh-add), start this at a terminal, or name a program in SSH_ASKPASS`
        : `the server would take ${this.#unused}: give its passphrase, or load it into an agent with ssh-add`;
    }
    const broken = firstMatch(this.#said, /((?:Load key .*|identity_sign: .*|no such identity: .*))$/i);
    if (this.#tried.some((method) => method.startsWith('publickey ('))) {
      return `add the public key to ~/.ssh/authorized_keys of ${hop.user} there, or name another with -i`;
    }
    if (broken !== undefined) return `a key could not be used: ${broken}`;
    if (offered.includes('publickey')) {
      return 'no key was offered: start an agent (ssh-add -l shows what it has), or name a key with -i';
    }
    return 'the server takes no keys: see which of its methods you can use';
  }

  /** The hop before did not reach this one: it said why, or its passenger did. */
  #failureOfHopBefore(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const { before } = this.#place;
    if (before === undefined || this.#info.serverVersion !== undefined) return undefined;
    const jumpHost = `the jump host ${before.info.peer}`;
    const refusal = before.#lastRefusal();
    if (refusal?.reason === openFailure.prohibited) {
      const opening = { type: 'direct-tcpip', host: hop.hostName, port: hop.port } as const;
      const { message, hint } = channelRefused(opening, refusal.reason, refusal.said);
      return new ViasshError('CHANNEL_REFUSED', `${jumpHost}: ${message}`, { hint, cause });
    }
    const why = refusal?.said ?? this.#aside.findLast((line) => line !== '');
    if (why === undefined) return undefined;
    return new ViasshError('PROXY_FAILED', `${jumpHost} did not reach ${hop.hostName} port ${hop.port}: ${why}`, {
      hint: 'the jump host itself could not reach it: check name, port and network as seen from there',
      cause,
    });
  }

  /** Why the server refused the last channel that was, RFC 4254 §5.1. */
  #lastRefusal(): { reason: number | undefined; said: string } | undefined {
    const line = this.#said.findLast((said) => /^channel \d+: open failed: /.test(said));
    if (line === undefined) return undefined;
    const [, name = '', said = name] = /^channel \d+: open failed: ([^:]*)(?:: (.*))?$/.exec(line) ?? [];
    return { reason: name === 'administratively prohibited' ? openFailure.prohibited : undefined, said };
  }

  /** A ProxyCommand that ended before the server could answer. */
  #failureOnTheWay(hop: ResolvedDestination, cause: string): ViasshError | undefined {
    const own = this.#place.before === undefined && hop.proxyCommand !== undefined;
    if (!own || this.#info.serverVersion !== undefined) return undefined;
    const why = this.#aside.findLast((line) => line !== '') ?? 'it ended without a word';
    return new ViasshError('PROXY_FAILED', `${peerName(hop)}: the ProxyCommand failed: ${why}`, {
      hint: 'run the ProxyCommand by hand to see its reason',
      cause,
    });
  }

  #otherFailure(hop: ResolvedDestination, cause: string): ViasshError {
    const peer = peerName(hop);
    if (this.#otherBanner !== undefined && this.#info.serverVersion === undefined) {
      if (TURNED_AWAY.test(this.#otherBanner)) {
        return new ViasshError('SERVER_CLOSED', `${peer} turned us away: ${this.#otherBanner}`, {
          hint: 'the server limits connections from here (MaxStartups, PerSourcePenalties): wait before the next',
          cause,
        });
      }
      return new ViasshError('PROTOCOL_ERROR', `${peer} does not speak SSH; it said: ${this.#otherBanner}`, {
        hint: 'check the port: another service listens there',
        cause,
      });
    }
    const lines = [...this.#said, ...this.#aside];
    for (const [pattern, code, hint] of failures) {
      const line = firstMatch(lines, pattern);
      if (line !== undefined) return new ViasshError(code, `${peer}: ${line}`, { hint, cause });
    }
    const last = lines.findLast((line) => line !== '') ?? 'it gave no reason';
    return new ViasshError('SERVER_CLOSED', `${peer}: ssh ended before the login was complete: ${last}`, {
      hint: '-v shows what ssh said',
      cause,
    });
  }
}

function keep(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > 400) lines.splice(0, 200);
}

function firstMatch(lines: readonly string[], pattern: RegExp): string | undefined {
  for (const line of lines) {
    const value = pattern.exec(line)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
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
  // What else this machine says of a way that is none: no address to bind, a route that prohibits, an interface that is down.
  [
    /^((?:ssh: )?connect to host .* port \d+: (?!Connection reset).*)$/,
    'HOST_UNREACHABLE',
    'check the network and the address',
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
    /^(.*(?:Connection closed by|Connection reset by|kex_exchange_identification).*)$/,
    'SERVER_CLOSED',
    'the server closed at once: too many logins at a time, a block on your address, or not an SSH server',
  ],
];
