import { PassThrough } from 'node:stream';
import {
  type Channel,
  type CloseOptions,
  type Connection,
  type HostKey,
  type HostKeyDecision,
  readKnownHosts,
  type ResolvedDestination,
  type SessionChannel,
  type SessionRequest,
  silentLogger,
  type Transport,
  type TunRequest,
  verifyKnownHost,
  ViasshError,
} from '@viassh/core';
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
  'closes what comes through a forward at the far EOF': {
    area: 'remote forwards',
    connection: (connection) => ({
      requestForward: (request, handler, options) =>
        connection.requestForward(
          request,
          (incoming) =>
            handler({
              ...incoming,
              accept: () =>
                incoming.accept().once('end', function close(this: Channel) {
                  this.destroy();
                }),
            }),
          options,
        ),
    }),
  },
  'takes what its handler refused': {
    area: 'remote forwards',
    connection: (connection) => ({
      requestForward: (request, handler, options) =>
        connection.requestForward(
          request,
          (incoming) => handler({ ...incoming, refuse: () => void incoming.accept() }),
          options,
        ),
    }),
  },
  'cancels a forward in word only': {
    area: 'remote forwards: refused and ended',
    connection: (connection) => ({
      requestForward: async (request, handler, options) => {
        const { address, closed } = await connection.requestForward(request, handler, options);
        return { address, closed, close: doNothing, [Symbol.asyncDispose]: doNothing };
      },
    }),
  },
  'forgets its forwards when it ends': {
    area: 'remote forwards: refused and ended',
    connection: (connection) => ({
      requestForward: async (request, handler, options) =>
        with_(await connection.requestForward(request, handler, options), 'closed', new Promise(() => undefined)),
    }),
  },
  'sends packets without their boundaries': {
    area: 'tun',
    connection: (connection) => ({
      openTun: async (request) => {
        const tun = await connection.openTun(request);
        return with_(tun, 'send', (packets) => (tun.send([Buffer.concat(packets)]) > 0 ? packets.length : 0));
      },
    }),
  },
  'forgets packets that come before there is a handler': {
    area: 'tun',
    connection: (connection) => ({
      openTun: async (request) => {
        const tun = await connection.openTun(request);
        tun.onPackets(() => undefined);
        return tun;
      },
    }),
  },
  'does not pause packets': {
    area: 'tun',
    connection: (connection) => ({
      openTun: async (request) => with_(await connection.openTun(request), 'pause', () => undefined),
    }),
  },
  'pings without asking the server': { area: 'ping', connection: () => ({ ping: async () => 1 }) },
  'knows no round trip': { area: 'ping', connection: () => ({ ping: async () => undefined }) },
  'keeps one session for itself': {
    area: 'spare sessions',
    connection: (connection) => {
      let own: Promise<SessionChannel> | undefined;
      return {
        openSession: async (request) => {
          const session = await connection.openSession(request);
          own ??= connection.openSession({ kind: 'exec', command: 'exec cat' });
          own.catch(() => undefined);
          return session;
        },
      };
    },
  },
  'opens sessions ahead although it may not': {
    area: 'spare sessions',
    connect: (transport) => (route, options) => transport.connect(route, { ...options, spareSession: true }),
  },
  'tells of the last hop only': {
    area: 'jump hosts',
    connection: ({ info }) => ({ info: { ...info, hops: [info] } }),
  },
  'lets any jump host in': {
    area: 'jump hosts',
    connect: (transport) => (route, options) => {
      const verify = async (key: HostKey, hop: ResolvedDestination): Promise<HostKeyDecision> => {
        if (hop.hostName === route.hops.at(-1)?.hostName)
          await verifyKnownHost(hop, await readKnownHosts(hop), key, silentLogger);
        return { accepted: true };
      };
      return transport.connect(route, { ...options, verifyHostKey: { kind: 'custom', verify } });
    },
  },
  'does not compress': {
    area: 'proxies, rekeying, compression',
    connection: ({ info }) => ({ info: { ...info, compression: 'none' } }),
  },
  'keeps a kind of channel that was given back': {
    area: 'agent and x11',
    connection: (connection) => ({
      onIncomingChannel: (type, handler) => {
        connection.onIncomingChannel(type, handler);
        return { [Symbol.dispose]: () => undefined };
      },
    }),
  },
  'runs out of channels': {
    area: 'many channels',
    connection: (connection) => {
      let opened = 0;
      return {
        openDirectTcpip: async (target, options) => {
          opened += 1;
          if (opened > 150) throw new ViasshError('CHANNEL_REFUSED', 'no number is left');
          return await connection.openDirectTcpip(target, options);
        },
      };
    },
  },
} satisfies Record<string, Mistake>;

interface Mistake {
  readonly area: string;
  readonly request?: (request: SessionRequest) => SessionRequest;
  readonly session?: (session: SessionChannel) => SessionChannel;
  readonly connection?: (connection: Connection) => Partial<Omit<Connection, typeof Symbol.asyncDispose>>;
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
  const changed = {
    closed,
    info,
    close: (options?: CloseOptions) => connection.close(options),
    openSession: (asked: SessionRequest) => connection.openSession(asked),
    openDirectTcpip: (...args: Parameters<Connection['openDirectTcpip']>) => connection.openDirectTcpip(...args),
    openTun: (asked: TunRequest) => connection.openTun(asked),
    requestForward: (...args: Parameters<Connection['requestForward']>) => connection.requestForward(...args),
    onIncomingChannel: (...args: Parameters<Connection['onIncomingChannel']>) => connection.onIncomingChannel(...args),
    ping: (...args: Parameters<Connection['ping']>) => connection.ping(...args),
    ...change?.(connection),
  };
  return {
    transport,
    capabilities,
    ...changed,
    openSession: async (asked) => session(await changed.openSession(request(asked))),
    openDirectStreamlocal: (path, options) => connection.openDirectStreamlocal(path, options),
    pipe: (command, options) => connection.pipe(command, options),
    [Symbol.asyncDispose]: () => changed.close(),
  };
}

function asItIs(transport: Transport): Transport['connect'] {
  return (route, options) => transport.connect(route, options);
}

async function doNothing(): Promise<void> {}

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
