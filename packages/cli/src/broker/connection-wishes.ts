import type { BrokerWorld, ConnectionWish } from '@viassh/broker';
import { type Connection, type Logger, nobodyToAsk, silentLogger, type TypedOptions } from '@viassh/core';
import { loadPersonality } from '../builtin.ts';
import type { Environment } from '../environment.ts';
import { readRemoteShellSettings } from '../programs/remote-shell-settings.ts';
import { keyOfRoute } from './lease-key.ts';
import { openConnection, type OpenRequest, planConnection } from '../library/open-connection.ts';

/** What counts where a tunnel or a command says nothing of it. */
export interface UsualWish {
  /** That of VIASSH_PROXY; a secret. */
  readonly proxy: string | undefined;
  readonly transport: string;
}

/** Makes the broker's connections: nobody is asked for anything. */
export function connectionWishes(
  environment: Environment,
  { proxy, transport }: UsualWish,
): Pick<BrokerWorld, 'connect' | 'keyOf'> {
  const requestOf = async (wish: ConnectionWish, log: Logger): Promise<OpenRequest> => ({
    destination: wish.destination,
    typed: await typedOf(wish, environment.variables, proxy),
    transport: wish.transport === 'auto' ? transport : wish.transport,
    needs: [],
    log,
    lease: false,
  });
  return {
    connect: async (wish, { needs, keepalive, warm, signal, log }): Promise<Connection> =>
      await openConnection(environment, {
        ...(await requestOf(wish, log)),
        needs,
        keepalive,
        signal,
        spareSession: warm ? 'kept' : undefined,
        // ssh would find the terminal, or the display, that the broker was started from
        authenticate: nobodyToAsk,
        alwaysAuthenticate: true,
      }),
    keyOf: async (wish, signal) => {
      const { resolved, selection } = await planConnection(environment, {
        ...(await requestOf(wish, silentLogger)),
        signal,
      });
      return await keyOfRoute(resolved, selection.transport.name, environment.variables);
    },
  };
}

async function typedOf(
  { ssh }: ConnectionWish,
  variables: NodeJS.ProcessEnv,
  proxy: string | undefined,
): Promise<TypedOptions> {
  const { readRemoteShellCall, spokenCall } = await loadPersonality();
  const { usual } = readRemoteShellSettings(variables);
  // Of several values ssh takes the first: what is said of one tunnel goes before what is usual.
  const call = readRemoteShellCall([...ssh, ...usual, '--', 'any.host'], { mayRunLocalPrograms: true });
  const { typed } = spokenCall(call, 'a connection of the broker');
  return proxy === undefined || proxy === 'none' ? typed : { ...typed, proxy };
}
