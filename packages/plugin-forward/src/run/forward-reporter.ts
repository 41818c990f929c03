import type { ConnectionInfo, PluginContext, SupervisorState, ViasshError } from '@viassh/core';
import type { Forward, ForwardedConnection, ForwardEvent } from '../forward/forward.ts';
import { connectionLine, connectionReport } from './connection-state.ts';
import { describeListening, listeningPlace, type ListeningPlace } from './listening-place.ts';
import { statusReport, statusTable } from './status.ts';
import { describeOriginator, viaOf } from './way.ts';

/** Says what forwards do: lines for people, or one JSON object a line. */
export class ForwardReporter {
  readonly #context: Pick<PluginContext, 'stdio' | 'log' | 'json' | 'supervisor'>;
  readonly #via: readonly string[];
  /** Stdout belongs to another program. */
  readonly #silent: boolean;
  readonly #hinted = new Set<string>();
  /** What came before it was known where the forward listens. */
  #early: (readonly [event: ForwardEvent, at: number])[] = [];
  #forwards: readonly Forward[] = [];
  #places: readonly ListeningPlace[] = [];

  constructor(
    context: Pick<PluginContext, 'stdio' | 'log' | 'json' | 'supervisor'> & {
      readonly connection: { readonly info: ConnectionInfo };
    },
    { silent }: { readonly silent: boolean },
  ) {
    this.#context = context;
    this.#via = viaOf(context.connection.info);
    this.#silent = silent;
  }

  /** All stand: a line each, and what has happened since. */
  stand(forwards: readonly Forward[]): void {
    this.#forwards = forwards;
    this.#places = forwards.map(listeningPlace);
    for (const [at, forward] of forwards.entries()) {
      const place = this.#places[at] as ListeningPlace;
      const { place: listening, ...others } = place;
      if (this.#silent) this.#context.log.info(describeListening(place));
      else if (this.#context.json)
        this.#print({ event: 'listening', forward: at + 1, kind: forward.spec.kind, listening, ...others });
      else this.#context.stdio.output.write(`${describeListening(place)}\n`);
      this.#noteGatewayPorts(place);
    }
    for (const [event, at] of this.#early.splice(0)) this.note(event, at);
  }

  note(event: ForwardEvent, at: number): void {
    const listening = this.#places[at];
    if (listening === undefined) this.#early.push([event, at]);
    else if (event.kind === 'refused') this.#noteRefused(event, at, listening);
    else this.#notePassing(event, at, listening);
  }

  /** The connection is lost, or up again: whoever keeps it up logs it for people. */
  noteState(state: SupervisorState): void {
    if (this.#context.json && !this.#silent) this.#print({ event: 'connection', ...connectionReport(state) });
  }

  /** How things stand: a table on stderr, or a line of JSON. */
  tellStatus(): void {
    const { stdio, json, supervisor } = this.#context;
    const state = supervisor?.state;
    if (json && !this.#silent) {
      const connection = state === undefined ? undefined : connectionReport(state);
      this.#print({ event: 'status', connection, forwards: statusReport(this.#forwards, this.#via) });
    } else {
      const line = state === undefined ? '' : `${connectionLine(state, Date.now())}\n`;
      stdio.error.write(`${line}${statusTable(this.#forwards, this.#via)}`);
    }
  }

  #notePassing(event: Exclude<ForwardEvent, { kind: 'refused' }>, at: number, { place }: ListeningPlace): void {
    const { connection } = event;
    const error = event.kind === 'closed' ? event.error : undefined;
    if (this.#context.json && !this.#silent) {
      const { id, originator = null, destination: to } = connection;
      const passed = event.kind === 'closed' ? passedOf(connection) : {};
      this.#print({
        event: event.kind,
        forward: at + 1,
        id,
        originator,
        listening: place,
        via: this.#via,
        to,
        ...passed,
        error: errorOf(error),
      });
    }
    const way = [describeOriginator(connection.originator), place, ...this.#via, connection.destination].join(' -> ');
    const { sent, received, ageMs } = passedOf(connection);
    const how = error === undefined ? 'closed' : `cut off (${error.message})`;
    const what =
      event.kind === 'opened' ? 'open' : `${how} after ${ageMs} ms, ${sent} bytes sent, ${received} bytes received`;
    this.#context.log.info(`${way}: ${what}`);
  }

  #noteRefused(
    { originator, error }: Extract<ForwardEvent, { kind: 'refused' }>,
    at: number,
    { place }: ListeningPlace,
  ): void {
    const { json, log } = this.#context;
    if (json && !this.#silent)
      this.#print({
        event: 'refused',
        forward: at + 1,
        originator: originator ?? null,
        listening: place,
        error: errorOf(error),
      });
    const hint = error.hint === undefined || this.#hinted.has(error.code) ? '' : `; ${error.hint}`;
    const line = `${describeOriginator(originator)} -> ${place}: not served: ${error.message} (${error.code})`;
    if (ownEnd.has(error.code)) log.info(line);
    else {
      this.#hinted.add(error.code);
      log.warning(`${line}${hint}`);
    }
  }

  /** The server overrules a bind address without a word. */
  #noteGatewayPorts({ place, side, host }: ListeningPlace): void {
    if (side === 'here' || host === undefined || ['localhost', '127.0.0.1', '::1'].includes(host)) return;
    this.#context.log.info(
      `who reaches ${place} there is up to GatewayPorts in its sshd_config: with no (the default) only the far end itself, whatever was asked for; with clientspecified as asked for; with yes everybody`,
    );
  }

  #print(line: object): void {
    this.#context.stdio.output.write(`${JSON.stringify(line)}\n`);
  }
}

/** The client went away, or all ends: no news. */
const ownEnd: ReadonlySet<string> = new Set(['ABORTED', 'CONNECTION_LOST', 'CONNECTION_CLOSED']);

function passedOf({ sent, received, since }: ForwardedConnection): { sent: number; received: number; ageMs: number } {
  return { sent, received, ageMs: Math.round(performance.now() - since) };
}

function errorOf(error: ViasshError | undefined): object | undefined {
  return error === undefined ? undefined : { code: error.code, message: error.message, hint: error.hint };
}
