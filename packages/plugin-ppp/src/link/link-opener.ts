import {
  abortedError,
  type Clock,
  type ClockTimer,
  type ErrorCode,
  type PluginContext,
  toViasshError,
  type ViasshError,
} from '@viassh/core';
import { openFarLink } from '../far-ends/auto-far-link.ts';
import type { FarLink, FarLinkRequest, OpenFarLink } from '../far-ends/far-link.ts';
import type { FarKind } from '../plan/link-plan.ts';

/** Milliseconds between attempts to agree again over a connection that is up: the first, and the longest. */
const PAUSE_MS = { first: 500, longest: 15_000 };
/** Milliseconds that a far end which has served us before may refuse: our own dead session may hold what we need. */
const PATIENCE_MS = 120_000;

/** What a far end says as long as our dead session there is not gone. */
const mayPass: ReadonlySet<ErrorCode> = new Set([
  'CHANNEL_REFUSED',
  'FAR_LINK_MISSING',
  'PPP_FAILED',
  'REQUEST_REFUSED',
]);

/** Opens the other end of a link: once, and after each loss again. */
export class LinkOpener {
  readonly #context: Pick<PluginContext, 'supervisor' | 'log' | 'signal'>;
  readonly #request: FarLinkRequest;
  readonly #openers: Readonly<Record<FarKind, OpenFarLink>>;

  constructor(
    context: Pick<PluginContext, 'supervisor' | 'log' | 'signal'>,
    request: FarLinkRequest,
    openers: Readonly<Record<FarKind, OpenFarLink>>,
  ) {
    this.#context = context;
    this.#request = request;
    this.#openers = openers;
  }

  /** @throws ViasshError: a first failure is final */
  async open(): Promise<FarLink> {
    return await openFarLink(this.#request.plan.far, this.#openers, this.#request);
  }

  /**
   * The other end that was lost, of the same kind: a link does not become another one under those who use it. Waits for
   * the connection, and for a far end that still has our dead session.
   *
   * @throws ViasshError `loss`, where nobody keeps the connection up; what no further attempt would change; ABORTED
   */
  async openAgain(kind: FarKind, loss: ViasshError): Promise<FarLink> {
    const { supervisor, log, signal } = this.#context;
    const { clock } = this.#request;
    if (supervisor === undefined) throw loss;
    let refusedSince: number | undefined;
    for (let pause = PAUSE_MS.first; ; pause = Math.min(pause * 2, PAUSE_MS.longest)) {
      try {
        return await openFarLink([kind], this.#openers, this.#request);
      } catch (thrown) {
        const error = toViasshError(thrown);
        if (signal.aborted) throw abortedError(signal.reason);
        if (supervisor.state.kind === 'stopped') throw error;
        if (error.entry.kind === 'permanent') {
          refusedSince ??= clock.now();
          if (!mayPass.has(error.code) || clock.now() - refusedSince > PATIENCE_MS) throw error;
        } else refusedSince = undefined;
        log.info(`the link is not up again yet: ${error.message}`);
        await untilUpAndAWhile(this.#context, clock, pause);
      }
    }
  }
}

/** Resolves when the connection is up and `ms` have gone by, when it is stopped, and at once with the signal. */
async function untilUpAndAWhile(
  { supervisor, signal }: Pick<PluginContext, 'supervisor' | 'signal'>,
  clock: Clock,
  ms: number,
): Promise<void> {
  let timer: ClockTimer | undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: up, resolve: isUp } = Promise.withResolvers<void>();
  const stop = (): void => {
    resolve();
    isUp();
  };
  const look = (kind: string | undefined): void => {
    if (kind === 'up' || kind === 'stopped' || kind === undefined) isUp();
  };
  using _watched = supervisor?.onState((state) => look(state.kind));
  look(supervisor?.state.kind);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  else timer = clock.setTimeout(resolve, ms);
  await Promise.all([promise, up]);
  clock.clearTimeout(timer);
  signal.removeEventListener('abort', stop);
}
