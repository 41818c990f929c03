import { dirname } from 'node:path';
import type { Forwards } from '../forwards.ts';
import type { PrivateMaster } from '../master/private-master.ts';
import { type ControlClient, openControlClient } from '../mux/control-client.ts';
import { RemoteForwards } from './remote-forwards.ts';

/**
 * The remote forwards of a private master, by control requests: the proxy mode refuses some of them and misroutes the
 * answers of others. Their sockets lie in the master's own folder and go with it.
 */
export function masterForwards({ socketPath, sshLog }: Pick<PrivateMaster, 'socketPath' | 'sshLog'>): Forwards {
  let control: Promise<ControlClient> | undefined;
  const forwards = new RemoteForwards(() => (control ??= openControlClient(socketPath)), { path: dirname(socketPath) });
  return {
    get areUsed() {
      return forwards.areUsed || sshLog.joined.size > 0;
    },
    request: (request, handler, options) => forwards.request(request, handler, options),
    refuse: (error) => forwards.refuse(error),
    async idle() {
      await forwards.idle();
      await sshLog.joined.freed();
    },
    async end(why, lost) {
      const client = await control?.catch(() => undefined);
      client?.close();
      await forwards.end(why, lost);
    },
  };
}
