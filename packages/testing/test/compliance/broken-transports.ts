import { PassThrough } from 'node:stream';
import type { CloseOptions, Connection, SessionChannel, SessionRequest, Transport } from '@viassh/core';
import { type ComplianceHarness, memoryHarness } from '@viassh/testing';

/** Ways to get the contract wrong, each with the area that has to notice. */
export const mistakes = {
  'trims the command': {
    area: 'session exit',
    request: (request) => ('command' in request ? { ...request, command: request.command.trim() } : request),
  },
  'drops the environment': { area: 'session requests', request: (request) => ({ ...request, env: undefined }) },
  'tells no signal names': {
    area: 'session exit',
    session: (session) =>
      with_(
        session,
        'exit',
        session.exit.then((exit) => (exit.kind === 'signal' ? { kind: 'status', code: 255 } : exit)),
      ),
  },
  'forgets what stderr said': {
    area: 'session data',
    session: (session) => with_(session, 'stderr', new PassThrough().end()),
  },
  'closes at our EOF': {
    area: 'session data',
    session: (session) => {
      session.once('prefinish', () => session.destroy());
      return session;
    },
  },
  'reads on although nobody listens': {
    area: 'session data',
    session: (session) => {
      const buffer = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
      session.pipe(buffer);
      return new Proxy(session, {
        get: (target, name) => {
          const from = ['on', 'once', 'off', 'read', 'readableEnded', 'pause', 'resume', Symbol.asyncIterator].includes(
            name,
          )
            ? buffer
            : target;
          const value: unknown = Reflect.get(from, name);
          return typeof value === 'function' ? value.bind(from) : value;
        },
      });
    },
  },
  'calls a loss an orderly end': {
    area: 'connection lost',
    connection: ({ closed }) => ({ closed: closed.then(() => ({ kind: 'closed' })) }),
  },
  'accepts every host key': {
    area: 'host keys',
    connect: (transport) => (route, options) =>
      transport.connect(route, {
        ...options,
        verifyHostKey: { kind: 'custom', verify: async () => ({ accepted: true }) },
      }),
  },
  'waits for the far end when it is destroyed': {
    area: 'destroy and abort',
    session: (session) => with_(session, 'exit', new Promise(() => undefined)),
  },
  'forgets what had arrived when it is lost': {
    area: 'connection lost with bytes unread',
    session: (session) => {
      session.exit.catch((error: Error) => session.destroy(error));
      return session;
    },
  },
  'lets every connection be': {
    area: 'shutdown',
    connection: () => ({ close: async () => undefined }),
  },
  'does not listen to the abort': {
    area: 'reaching the server',
    connect: (transport) => (route, options) => transport.connect(route, { ...options, signal: undefined }),
  },
} satisfies Record<string, Mistake>;

interface Mistake {
  readonly area: string;
  readonly request?: (request: SessionRequest) => SessionRequest;
  readonly session?: (session: SessionChannel) => SessionChannel;
  readonly connection?: (connection: Connection) => Partial<Pick<Connection, 'closed' | 'close'>>;
  readonly connect?: (transport: Transport) => Transport['connect'];
}

/** The memory transport with one mistake in it. */
export function brokenHarness(name: string, mistake: Mistake): ComplianceHarness {
  const sound = memoryHarness();
  return {
    ...sound,
    name,
    async serve(options) {
      const server = await sound.serve(options);
      const transport: Transport = {
        ...sound.transport,
        connect: async (_route, connectOptions) => await server.connect(connectOptions),
      };
      const connect = (mistake.connect ?? asItIs)(transport);
      return {
        ...server,
        connect: async (overrides) =>
          breakConnection(
            await connect(server.route, { ...overrides } as Parameters<Transport['connect']>[1]),
            mistake,
          ),
      };
    },
  };
}

/** A plain object: `await using` of Node 24 does not find the method of a Proxy. */
function breakConnection(
  connection: Connection,
  { request = same, session = same, connection: change }: Mistake,
): Connection {
  const { transport, capabilities, info, closed } = connection;
  const changed = { closed, close: (options?: CloseOptions) => connection.close(options), ...change?.(connection) };
  return {
    transport,
    capabilities,
    info,
    ...changed,
    openSession: async (asked) => session(await connection.openSession(request(asked))),
    openDirectTcpip: (target, options) => connection.openDirectTcpip(target, options),
    openDirectStreamlocal: (path, options) => connection.openDirectStreamlocal(path, options),
    openTun: (asked) => connection.openTun(asked),
    requestForward: (asked, handler, options) => connection.requestForward(asked, handler, options),
    onIncomingChannel: (type, handler) => connection.onIncomingChannel(type, handler),
    ping: (options) => connection.ping(options),
    pipe: (command, options) => connection.pipe(command, options),
    [Symbol.asyncDispose]: () => changed.close(),
  };
}

function asItIs(transport: Transport): Transport['connect'] {
  return (route, options) => transport.connect(route, options);
}

function same<T>(value: T): T {
  return value;
}

/** The object with one member replaced; the rest stays its own, private members too. */
function with_<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): T {
  return new Proxy(object, {
    get: (target, asked) => {
      if (asked === name) return value;
      const member: unknown = Reflect.get(target, asked);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
