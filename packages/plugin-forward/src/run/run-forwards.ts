import { readFile } from 'node:fs/promises';
import { abortedError, type CloseReason, type ExitStatus, type PluginContext, ViasshError } from '@viassh/core';
import { parseSocksUsers, type SocksUsers } from '../negotiate/proxy-users.ts';
import type { AskedForwards, ForwardOptionValues } from '../spec/asked-forwards.ts';
import { ForwardReporter } from './forward-reporter.ts';
import { IdleWatch } from './idle-watch.ts';
import { runForProgram } from './run-for-program.ts';
import { standUp } from './stand-up.ts';

/** What of the options says how long, and for whom. */
export type RunOptions = Pick<ForwardOptionValues, 'untilIdle' | 'for' | 'users' | 'words'>;

/**
 * Has all forwards stand, or none, says where they listen, and keeps them until the connection or the signal ends: or
 * until they are idle, or until a program has ended, whose status is then the result.
 *
 * @throws ViasshError LISTEN_FAILED, FORWARD_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED; OPTION_INVALID for a
 * list of users that cannot be read; of the program: PROGRAM_NOT_FOUND, PROGRAM_FAILED
 */
export async function runForwards(
  context: PluginContext,
  { listening, rules }: AskedForwards,
  options: RunOptions,
): Promise<ExitStatus> {
  const { connection, signal, signals, supervisor } = context;
  const users = options.users === undefined ? undefined : await readUsers(options.users);
  const reporter = new ForwardReporter(context, { silent: options.for });
  using idleWatch = options.untilIdle === undefined ? undefined : new IdleWatch(options.untilIdle * 1000);
  const forwards = await standUp(connection, listening, {
    signal,
    rules,
    users,
    onEvent: (event, at) => {
      reporter.note(event, at);
      idleWatch?.note(event);
    },
  });
  using _watched = supervisor?.onState((state) => reporter.noteState(state));
  using _told = signals?.onStatus(() => reporter.tellStatus());
  using stop = new AbortScope(signal);
  try {
    reporter.stand(forwards);
    context.ready();
    idleWatch?.begin(forwards);
    void connection.closed.then((reason) => stop.abort(endOf(reason)));
    if (options.for) {
      const exit = await runForProgram(context, options.words, forwards, stop.signal);
      stop.throwIfLost();
      return exit;
    }
    await Promise.race([stop.aborted, ...(idleWatch === undefined ? [] : [idleWatch.idle])]);
    return { kind: 'status', code: 0 };
  } finally {
    await Promise.all(forwards.map((forward) => forward.close()));
  }
}

/** Ends with the caller's signal, or for a reason of our own. */
class AbortScope implements Disposable {
  readonly #own = new AbortController();
  readonly #caller: AbortSignal;
  readonly #aborted = Promise.withResolvers<never>();
  readonly #onAbort = (): void => this.#aborted.reject(abortedError(this.signal.reason));
  readonly signal: AbortSignal;

  constructor(caller: AbortSignal) {
    this.#caller = caller;
    this.signal = AbortSignal.any([caller, this.#own.signal]);
    this.#aborted.promise.catch(() => undefined);
    if (this.signal.aborted) this.#onAbort();
    else this.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Rejects with the reason; never resolves. */
  get aborted(): Promise<never> {
    return this.#aborted.promise;
  }

  abort(reason: ViasshError): void {
    this.#own.abort(reason);
  }

  /** @throws ViasshError our own reason, where it came first */
  throwIfLost(): void {
    if (this.#own.signal.aborted && !this.#caller.aborted) throw abortedError(this.#own.signal.reason);
  }

  [Symbol.dispose](): void {
    this.signal.removeEventListener('abort', this.#onAbort);
  }
}

function endOf(reason: CloseReason): ViasshError {
  return reason.kind === 'lost'
    ? reason.error
    : new ViasshError('CONNECTION_CLOSED', 'the connection of the forwards was closed');
}

async function readUsers(file: string): Promise<SocksUsers> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('OPTION_INVALID', `the list of users ${file} cannot be read (${why})`, {
      hint: 'write a file with lines USER:PASSWORD, for you alone (chmod 600)',
      cause,
    });
  }
  return parseSocksUsers(text);
}
