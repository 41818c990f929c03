import { Agent as HttpAgent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Connection } from '@viassh/core';
import { dialOver } from './dial-over.ts';

type Dialler = Pick<Connection, 'openDirectTcpip'>;
type Created = (error: Error | null, stream: Duplex) => void;

/** What `http.request` and `https.request` take as their `agent`; axios takes both under these names. */
export interface AgentsOver {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/**
 * Agents whose requests are dialled by the far end: names are resolved there, and no port is opened here. Each kept
 * connection is a channel. `destroy()` them, or close the connection, when all is done.
 *
 * @throws ViasshError nothing; a request fails with CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED
 */
export function agentOver(connection: Dialler, options: AgentOptions = {}): AgentsOver {
  const kept = { keepAlive: true, ...options };
  return { httpAgent: new AgentOver(connection, kept), httpsAgent: new SecureAgentOver(connection, kept) };
}

class AgentOver extends HttpAgent {
  readonly #connection: Dialler;

  constructor(connection: Dialler, options: AgentOptions) {
    super(options);
    this.#connection = connection;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): undefined {
    dial(this.#connection, options, 80, created, (channel) => channel);
  }

  override keepSocketAlive(): boolean {
    return true; // a channel has neither TCP's keepalive nor a hold on the event loop
  }

  override reuseSocket(): void {
    // nothing was let go
  }
}

class SecureAgentOver extends HttpsAgent {
  readonly #connection: Dialler;

  constructor(connection: Dialler, options: AgentOptions) {
    super(options);
    this.#connection = connection;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): undefined {
    dial(this.#connection, options, 443, created, (channel) =>
      connectTls({ ...(options as ConnectionOptions), socket: channel }),
    );
  }
}

function dial(
  connection: Dialler,
  { host, port }: ClientRequestArgs,
  usual: number,
  created: Created | undefined,
  dress: (channel: Duplex) => Duplex,
): void {
  dialOver(connection, host ?? 'localhost', Number(port ?? usual)).then(
    (channel) => created?.(null, dress(channel)),
    (error: unknown) => created?.(error as Error, undefined as never), // Node looks at no stream beside an error
  );
}
