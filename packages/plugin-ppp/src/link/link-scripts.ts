import { type Clock, exitCodeOf, type Logger, type PluginContext, type ProgramRunner, watchStderr } from '@viassh/core';
import type { LinkTerms } from '../carrier/packet-carrier.ts';
import { familyOf } from '../plan/parse-link-address.ts';

/** What is run at the two ends of a link's life. */
export interface LinkScriptOptions {
  readonly upScript: string | undefined;
  readonly downScript: string | undefined;
  readonly linkName: string;
}

/** What a script is told of a link. */
export interface LinkSituation {
  readonly device: string;
  readonly linkName: string;
  readonly terms: LinkTerms;
  /** Whom the connection is to. */
  readonly peer: string;
  /** What went over it; of a link that is down. */
  readonly traffic?: { readonly sent: number; readonly received: number; readonly seconds: number } | undefined;
}

/** Milliseconds for what a script has said when it is gone; a program that it left behind may keep its descriptors. */
const LAST_WORDS_MS = 300;

/** `--up-script` when the link is up first, `--down-script` at its end, and only then: after the other, which is ended. */
export class LinkScripts implements AsyncDisposable {
  readonly #context: Pick<PluginContext, 'programs' | 'log' | 'signal'>;
  readonly #options: LinkScriptOptions;
  readonly #situation: () => { readonly device: string; readonly peer: string; readonly terms: LinkTerms };
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #up:
    | {
        readonly since: number;
        readonly traffic: () => { sent: number; received: number };
        readonly ran: Promise<void>;
      }
    | undefined;

  constructor(
    context: Pick<PluginContext, 'programs' | 'log' | 'signal'>,
    options: LinkScriptOptions,
    situation: () => { readonly device: string; readonly peer: string; readonly terms: LinkTerms },
    clock: Clock,
  ) {
    this.#context = context;
    this.#options = options;
    this.#situation = situation;
    this.#clock = clock;
  }

  /** Resolves when the script has ended, which may be never: the link does not wait for it. Never rejects. */
  async up(traffic: () => { sent: number; received: number }): Promise<void> {
    this.#up ??= { since: this.#clock.now(), traffic, ran: this.#runUp() };
    await this.#up.ran;
  }

  async #runUp(): Promise<void> {
    const { upScript, linkName } = this.#options;
    if (upScript === undefined) return;
    const { programs, log, signal } = this.#context;
    const until = AbortSignal.any([signal, this.#over.signal]);
    await runLinkScript(upScript, { ...this.#situation(), linkName }, { programs, log, signal: until });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { downScript, linkName } = this.#options;
    this.#over.abort();
    await this.#up?.ran;
    if (this.#up === undefined || downScript === undefined) return;
    const { programs, log } = this.#context;
    const { sent, received } = this.#up.traffic();
    const seconds = Math.round((this.#clock.now() - this.#up.since) / 1000);
    const situation = { ...this.#situation(), linkName, traffic: { sent, received, seconds } };
    // Without the signal: it may have come already, and what the first script did is to be undone.
    await runLinkScript(downScript, situation, { programs, log });
  }
}

/**
 * The variables that pppd gives its ip-up and ip-down (pppd(8), SCRIPTS), and what viassh adds. Packets are counted, not
 * bytes: VIASSH_PACKETS_SENT and VIASSH_PACKETS_RECEIVED.
 */
export function scriptEnvironment(situation: LinkSituation): Readonly<Record<string, string>> {
  const { device, linkName, terms, peer, traffic } = situation;
  const v4 = terms.addresses.find((address) => familyOf(address) === 4);
  const v6 = terms.addresses.find((address) => familyOf(address) === 6);
  const [dns1, dns2] = terms.dns;
  return {
    IFNAME: device,
    DEVICE: device,
    LINKNAME: linkName,
    IPLOCAL: v4?.local ?? '',
    IPREMOTE: v4?.remote ?? '',
    LLLOCAL: v6?.local ?? '',
    LLREMOTE: v6?.remote ?? '',
    ...(dns1 === undefined ? {} : { DNS1: dns1, USEPEERDNS: '1' }),
    ...(dns2 === undefined ? {} : { DNS2: dns2 }),
    MTU: String(terms.mtu),
    VIASSH_PEER: peer,
    ...(traffic === undefined
      ? {}
      : {
          CONNECT_TIME: String(traffic.seconds),
          VIASSH_PACKETS_SENT: String(traffic.sent),
          VIASSH_PACKETS_RECEIVED: String(traffic.received),
        }),
  };
}

/**
 * Runs a script as pppd runs ip-up: `FILE interface tty speed local remote ipparam`. One that fails is a warning, no end.
 * Resolves when it has ended; never rejects.
 */
export async function runLinkScript(
  file: string,
  situation: LinkSituation,
  { programs, log, signal }: { programs: ProgramRunner; log: Logger; signal?: AbortSignal | undefined },
): Promise<void> {
  const env = scriptEnvironment(situation);
  const { IFNAME = '', IPLOCAL = '', IPREMOTE = '' } = env;
  const args = [IFNAME, 'ssh', '0', IPLOCAL, IPREMOTE, situation.linkName];
  try {
    const running = await programs.start({ file, args, env, stdio: ['ignore', 'pipe', 'pipe'], signal });
    const said = [running.stdout, running.stderr].map((stream) => watchStderr(stream, file, log).ended);
    const exit = await running.exit;
    await Promise.race([Promise.all(said), new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref())]);
    if (signal?.aborted === true) log.warning(`${file} was ended: it ran still when the link ended`);
    else if (exitCodeOf(exit) !== 0) log.warning(`${file} ended with status ${exitCodeOf(exit)}`);
  } catch (error) {
    log.warning(`${file} could not be run: ${error instanceof Error ? error.message : String(error)}`);
  }
}
