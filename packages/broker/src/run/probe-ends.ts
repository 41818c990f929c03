import { connect } from 'node:net';
import { type Connection, parseNearEnd } from '@viassh/core';
import type { ProbeEnds } from '../probe/probe-tunnel.ts';

/**
 * A tunnel's ends, for its probes.
 *
 * @param listener where it listens, as the plugin said it: `tcp:localhost:80 for web:80 there`; one that listens on the far
 * end (`tcp:localhost:80 there for …`) is dialled there
 */
export function probeEnds(connection: Connection, listener: () => string | undefined): ProbeEnds {
  return {
    async dial(signal) {
      const [place = '', side] = (listener() ?? '').split(' ');
      const near = parseNearEnd(place);
      if (side === 'there') {
        return near.kind === 'unix'
          ? await connection.openDirectStreamlocal(near.path, { signal })
          : await connection.openDirectTcpip({ host: hostToDial(near.host), port: near.port }, { signal });
      }
      return near.kind === 'unix' ? connect(near.path) : connect(near.port, hostToDial(near.host));
    },
    async exec(command, signal) {
      const channel = await connection.openSession({ kind: 'exec', command, signal });
      const stop = (): void => void channel.destroy();
      signal.addEventListener('abort', stop, { once: true });
      channel.on('error', () => undefined).resume();
      channel.stderr.resume();
      channel.end();
      try {
        return await channel.exit;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

/** A wildcard is no place to go to. */
function hostToDial(host: string): string {
  return host === '*' || host === '0.0.0.0' || host === '::' || host === '' ? 'localhost' : host;
}
