import {
  type CloseReason,
  createLogger,
  type ExitStatus,
  parseOptions,
  type PluginContext,
  type ProgramRequest,
  ViasshError,
} from '@viassh/core';
import { createFakeDevice, type FakeDevice } from '@viassh/testing';
import type { LinkTerms, PacketCarrier } from '../../src/carrier/packet-carrier.ts';
import type { FarLink, FarLinkRequest, OpenFarLink } from '../../src/far-ends/far-link.ts';
import type { NearNetworkSetup } from '../../src/link/near-network.ts';
import { type LinkParts, runLink } from '../../src/link/run-link.ts';
import { linkOptions } from '../../src/plan/link-options.ts';
import { planOf } from '../../src/plan/link-plan.ts';

/** A carrier whose far end is the test. */
export interface FakeCarrier extends PacketCarrier {
  readonly sent: Buffer[];
  /** Packets come from the far end. */
  emit(packets: readonly Buffer[]): void;
  lose(error: ViasshError): void;
  /** The far end ends it in good order. */
  finish(): void;
  setFull(full: boolean): void;
}

export const usualTerms: LinkTerms = {
  mtu: 1500,
  addresses: [{ local: '10.9.0.2', remote: '10.9.0.1', prefix: 32 }],
  dns: ['10.9.0.53'],
};

export function fakeCarrier(terms: LinkTerms = usualTerms): FakeCarrier {
  const end = Promise.withResolvers<void>();
  end.promise.catch(() => undefined);
  const sent: Buffer[] = [];
  let handler: ((packets: readonly Buffer[]) => void) | undefined;
  let full = false;
  let room = Promise.withResolvers<void>();
  const close = async (): Promise<void> => end.resolve();
  return {
    mode: 'point-to-point',
    vnetHeader: false,
    counters: { sent: 0, received: 0, droppedIn: 0, droppedOut: 0 },
    agreed: Promise.resolve(terms),
    closed: end.promise,
    sent,
    get full() {
      return full;
    },
    send(packets) {
      sent.push(...packets.map((packet) => Buffer.from(packet)));
      return packets.length;
    },
    ready: () => (full ? room.promise : Promise.resolve()),
    onPackets: (own) => void (handler = own),
    pause: () => undefined,
    resume: () => undefined,
    close,
    [Symbol.asyncDispose]: close,
    emit: (packets) => handler?.(packets),
    lose: (error) => end.reject(error),
    finish: () => end.resolve(),
    setFull(now) {
      full = now;
      if (now) return;
      room.resolve();
      room = Promise.withResolvers<void>();
    },
  };
}

/** A link whose device, network and far ends are the test's. */
export class FakeLink {
  readonly device: FakeDevice = createFakeDevice();
  readonly carriers: FakeCarrier[] = [];
  /** What was done, in order. */
  readonly did: string[] = [];
  readonly setups: NearNetworkSetup[] = [];
  readonly lines: string[] = [];
  readonly programs: ProgramRequest[] = [];
  readonly abort = new AbortController();
  /** What the next opening does instead of giving a carrier. */
  readonly refusals: ViasshError[] = [];
  exit: ExitStatus | undefined;
  terms: LinkTerms = usualTerms;
  isSupervised = true;
  /** A program that ends only when it is told to. */
  endless: string | undefined;
  /** An address that something else here has. */
  taken: string | undefined;
  readonly #isReady = Promise.withResolvers<void>();

  constructor() {
    this.#isReady.promise.catch(() => undefined);
  }

  /** Resolves when all stands. */
  get ready(): Promise<void> {
    return this.#isReady.promise;
  }

  get carrier(): FakeCarrier {
    const last = this.carriers.at(-1);
    if (last === undefined) throw new Error('nothing was opened yet');
    return last;
  }

  async run(raw: Readonly<Record<string, unknown>> = {}): Promise<ExitStatus> {
    const options = parseOptions(linkOptions, { far: 'pppd', ...raw });
    const run = runLink(this.#context(), planOf(options), options, this.#parts());
    run.catch((error: unknown) => this.#isReady.reject(error));
    return await run;
  }

  #parts(): LinkParts {
    const open: OpenFarLink = async (request) => await this.#open(request);
    return {
      openDevice: async () => {
        this.did.push('device');
        const { device } = this;
        const close = async (): Promise<void> => {
          this.did.push('device closed');
          await device.close();
        };
        return Object.assign(Object.create(device) as FakeDevice, { close, [Symbol.asyncDispose]: close });
      },
      openNetwork: async () => ({
        check: async (addresses) => {
          if (addresses.some(({ local }) => local === this.taken))
            throw new ViasshError('ADDRESS_CONFLICT', `${this.taken} is taken`);
        },
        set: async (setup) => {
          this.did.push('network set');
          this.setups.push(setup);
        },
        findWaysAgain: async () => undefined,
        linkDown: async () => void this.did.push('network down'),
        [Symbol.asyncDispose]: async () => void this.did.push('network undone'),
      }),
      openers: { viassh: open, tun: open, pppd: open, slirp: open },
      vnetHeader: true,
    };
  }

  async #open(request: FarLinkRequest): Promise<FarLink> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    const carrier = fakeCarrier(this.terms);
    this.carriers.push(carrier);
    this.did.push(`opened by ${request.plan.far.join()}`);
    return {
      kind: 'pppd',
      carrier,
      terms: this.terms,
      what: 'a fake',
      ended: () => Promise.resolve(this.exit),
      explain: async (error) => error,
    };
  }

  #context(): PluginContext {
    const never = new Promise<CloseReason>(() => undefined);
    const supervisor = { state: { kind: 'up' }, onState: () => ({ [Symbol.dispose]: () => undefined }) };
    return {
      connection: { info: { peer: 'jack@gate', state: 'up', hops: [] }, closed: never },
      programs: {
        start: async (request: ProgramRequest) => {
          this.programs.push(request);
          this.did.push(`ran ${request.file}`);
          const { promise: killed, resolve } = Promise.withResolvers<ExitStatus>();
          const end = (): void => resolve({ kind: 'signal', signal: 'TERM', coreDumped: false, message: '' });
          request.signal?.addEventListener('abort', end, { once: true });
          return { exit: request.file === this.endless ? killed : Promise.resolve({ kind: 'status', code: 0 }) };
        },
      },
      signal: this.abort.signal,
      log: createLogger('debug', (_level, line) => this.lines.push(line)),
      json: false,
      ready: () => this.#isReady.resolve(),
      supervisor: this.isSupervised ? supervisor : undefined,
    } as unknown as PluginContext;
  }
}
