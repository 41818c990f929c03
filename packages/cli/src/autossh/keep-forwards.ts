import { Readable, Writable } from 'node:stream';
import { isViasshError, type Logger, type PluginContext, type Supervisor, supervisedConnection } from '@viassh/core';
import { USUAL_WAIT } from '../background/resident-options.ts';
import { loadForward } from '../builtin.ts';
import type { CommandContext } from '../commands/command-context.ts';
import type { TypedForwards } from './autossh-call.ts';

/** Forwards that are kept up until they are disposed of. */
export interface KeptForwards extends AsyncDisposable {
  /** Rejects when one fails for which all has to end; never resolves. */
  readonly failed: Promise<never>;
}

/** @throws ViasshError OPTION_INVALID for one that cannot be read */
export async function checkForwards(forwards: TypedForwards): Promise<void> {
  if (count(forwards) > 0) (await loadForward()).forwardPlugin.prepare({ ...forwards }, []);
}

/**
 * Sets forwards up, and again on each connection that comes. One that cannot stand is a warning, as with ssh; with
 * ExitOnForwardFailure all stand, or it fails.
 */
export function keepForwards(
  context: CommandContext,
  supervisor: Supervisor,
  forwards: TypedForwards,
  settings: NonNullable<PluginContext['settings']>,
): KeptForwards {
  const { environment, log, signal } = context;
  const stop = new AbortController();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const exitsOnFailure = settings.get('exitonforwardfailure')?.[0] === 'yes';
  const running = Promise.all(
    (exitsOnFailure ? [forwards] : oneByOne(forwards)).map(async (some) => {
      if (count(some) === 0) return;
      try {
        await using connection = supervisedConnection(supervisor, {
          log,
          shared: true,
          evict: true,
          waitMs: USUAL_WAIT * 1000,
        });
        await (await loadForward()).forwardPlugin.prepare({ ...some }, []).run({
          connection,
          stdio: { input: Readable.from([]), output: lines(log), error: lines(log) },
          programs: environment.programs,
          signal: AbortSignal.any([signal, stop.signal]),
          log,
          json: false,
          ready: () => undefined,
          settings,
          supervisor,
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!exitsOnFailure && (isViasshError(error, 'LISTEN_FAILED') || isViasshError(error, 'FORWARD_REFUSED')))
          log.warning(`${error.message} (${error.code}); the others go on, as without ExitOnForwardFailure`);
        else reject(error);
      }
    }),
  );
  return {
    failed,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

function count({ local, remote, dynamic }: TypedForwards): number {
  return local.length + remote.length + dynamic.length;
}

function oneByOne({ local, remote, dynamic, gatewayPorts }: TypedForwards): TypedForwards[] {
  const none = { local: [], remote: [], dynamic: [], gatewayPorts };
  return [
    ...local.map((text) => ({ ...none, local: [text] })),
    ...remote.map((text) => ({ ...none, remote: [text] })),
    ...dynamic.map((text) => ({ ...none, dynamic: [text] })),
  ];
}

/** Stdout is the remote command's, and autossh prints nothing: what forwards say is for the log. */
function lines(log: Logger): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _encoding, done) {
      for (const line of text.toString().split('\n')) if (line !== '') log.info(line);
      done();
    },
  });
}
