import type { Socket } from 'node:net';
import {
  type ChannelOpening,
  channelRefused,
  openFailure,
  requestRefused,
  sessionEnvironment,
  type SessionRequest,
  SpareSession,
} from '@viassh/core';
import type { FarSession } from './far-end.ts';
import { type FarListener, listenAsAgent, listenAsDisplay } from './far-listener.ts';
import type { MemoryConnectionOptions } from './memory-connection.ts';
import type { MemoryServerState } from './memory-server.ts';
import { commandOf, startShellSession } from './shell-session.ts';

type AgentSocket = FarListener & { readonly path: string };

const opening: ChannelOpening = { type: 'session' };

/** A session channel on which nothing was requested yet. */
export interface SessionSlot {
  release(): void;
}

/** What the far end does with sockets that become channels towards us. */
export interface FarSockets {
  readonly x11: (socket: Socket) => void;
  readonly agent: (socket: Socket) => void;
}

/** The far side of one connection's sessions: how many there are, the one opened ahead, what runs in them. */
export class MemorySessions {
  readonly #server: MemoryServerState;
  readonly #options: MemoryConnectionOptions;
  readonly #sockets: FarSockets;
  readonly #spare: SpareSession<SessionSlot>;
  #open = 0;
  #agent: AgentSocket | undefined;

  constructor(server: MemoryServerState, options: MemoryConnectionOptions, sockets: FarSockets) {
    this.#server = server;
    this.#options = options;
    this.#sockets = sockets;
    this.#spare = new SpareSession({
      open: async () => this.#openSlot(),
      discard: (slot) => slot.release(),
      kept: options.spareSession === 'kept',
    });
    if (options.spareSession === false) this.#spare.switchOff();
    if (options.spareSession === 'kept') this.#spare.used();
  }

  /** Could one be opened at all? */
  get allowed(): boolean {
    return this.#most > 0;
  }

  /**
   * Runs what was asked for; the slot is the caller's to release when the channel has closed.
   *
   * @throws ViasshError CHANNEL_REFUSED, REQUEST_REFUSED, ABORTED
   */
  async start(request: SessionRequest): Promise<{ readonly far: FarSession; readonly slot: SessionSlot }> {
    const slot = await this.#spare.acquire(async () => this.#openSlot(), request.signal);
    try {
      this.#server.requests.push(request);
      const far = await this.#run(request);
      this.#spare.used();
      return { far, slot };
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  /** The connection has ended, or is about to. */
  end(): void {
    this.#spare.switchOff();
    this.#agent?.close();
    this.#agent = undefined;
  }

  get #most(): number {
    return this.#options.maxSessions ?? 10;
  }

  #openSlot(): SessionSlot {
    if (this.#open >= this.#most) throw channelRefused(opening, openFailure.prohibited, '');
    this.#open += 1;
    this.#server.sessionsOpened += 1;
    let held = true;
    return {
      release: () => {
        if (held) this.#open -= 1;
        held = false;
      },
    };
  }

  async #run(request: SessionRequest): Promise<FarSession> {
    const { acceptEnv = /^VIASSH_/, sessionEnv, subsystems = { echo: 'exec cat' }, session, programs } = this.#options;
    const asked = Object.entries(sessionEnvironment(sessionEnv, request));
    const env = Object.fromEntries(asked.filter(([name]) => acceptEnv.test(name)));
    const command = commandOf(request, subsystems);
    const made = session?.(request, env);
    if (made !== undefined) return made;
    if (session !== undefined || command === undefined) throw requestRefused(request, 'request');
    const display = await this.#display(request);
    const agent = await this.#agentSocket();
    const far = await startShellSession(programs, command, request, {
      ...env,
      SSH_AUTH_SOCK: agent?.path,
      DISPLAY: display?.display,
    });
    void far.done.then(() => display?.close());
    return far;
  }

  async #display({ x11 }: SessionRequest): Promise<(FarListener & { display: string }) | undefined> {
    if (x11 === undefined) return undefined;
    const display = await listenAsDisplay(x11.screen, (socket) => {
      if (x11.singleConnection === true) display.close();
      this.#sockets.x11(socket);
    });
    return display;
  }

  /** One for all sessions, from the first on. */
  async #agentSocket(): Promise<AgentSocket | undefined> {
    if (this.#options.forwardAgent && this.#agent === undefined)
      this.#agent = await listenAsAgent((socket) => this.#sockets.agent(socket));
    return this.#agent;
  }
}
