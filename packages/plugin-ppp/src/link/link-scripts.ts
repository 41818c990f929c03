import { type Clock, exitCodeOf, type Logger, type PluginContext, type ProgramRunner } from '@viassh/core';
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

/** `--up-script` when the link is up first, `--down-script` at its end, and only then. */
export class LinkScripts implements AsyncDisposable {
  readonly #context: Pick<PluginContext, 'programs' | 'log' | 'signal'>;
  readonly #options: LinkScriptOptions;
  readonly #situation: () => { readonly device: string; readonly peer: string; readonly terms: LinkTerms };
  readonly #clock: Clock;
  #up: { readonly since: number; readonly traffic: () => { sent: number; received: number } } | undefined;

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

  async up(traffic: () => { sent: number; received: number }): Promise<void> {
    if (this.#up !== undefined) return;
    this.#up = { since: this.#clock.now(), traffic };
    const { upScript, linkName } = this.#options;
    if (upScript !== undefined) await runLinkScript(upScript, { ...this.#situation(), linkName }, this.#context);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { downScript, linkName } = this.#options;
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
    const { exit, stdout, stderr } = await programs.run({ file, args, env, signal });
    for (const line of `${stdout}\n${stderr}`.split('\n')) if (line.trim() !== '') log.info(`${file}: ${line}`);
    if (exitCodeOf(exit) !== 0) log.warning(`${file} ended with status ${exitCodeOf(exit)}`);
  } catch (error) {
    log.warning(`${file} could not be run: ${error instanceof Error ? error.message : String(error)}`);
  }
}
