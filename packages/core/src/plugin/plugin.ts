import type { Connection } from '../connection/connection.ts';
import type { ExitStatus } from '../connection/exit-status.ts';
import type { ViasshError } from '../errors/viassh-error.ts';
import type { StdioEnd } from '../endpoint/stdio.ts';
import type { Logger } from '../log/logger.ts';
import type { ProgramRunner } from '../program/program-runner.ts';
import type { SessionRequest } from '../connection/session-request.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { HandOverWishes } from '../transport/transport.ts';
import type { Capability } from '../connection/capability.ts';
import type { Account } from './account.ts';
import type { OptionTable, OptionValues } from './options.ts';
import type { ProcessSignals } from './process-signals.ts';
import type { Recipe } from './recipe.ts';

/** The version of this contract. A plugin names the one it was written for. */
export const pluginApiVersion = 1;

/** `one-shot`: never run again, its bytes cannot be replayed. `resident`: sets itself up on the next connection. */
export type PluginLifetime = 'one-shot' | 'resident';

/** All that a plugin gets. No argv, no environment, no process: what it needs from there comes as options. */
export interface PluginContext {
  readonly connection: Connection;
  readonly stdio: StdioEnd;
  readonly programs: ProgramRunner;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Results are asked for as JSON: where a plugin has some to print. */
  readonly json: boolean;
  /** Of a resident plugin: all that was asked for stands. Who started it in the background is told. */
  readonly ready: () => void;
  /** What ssh_config and `-o` say of the destination, by lower-case names; undefined before it is resolved. */
  readonly settings?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Who keeps `connection` up, for telling how it stands; undefined where it ends with its first loss. */
  readonly supervisor?: Pick<Supervisor, 'state' | 'onState'> | undefined;
  /** Undefined where the process is not ours alone. */
  readonly signals?: ProcessSignals | undefined;
}

/** What there is of a {@link PluginContext} before anything is dialled. */
export type LocalContext = Omit<PluginContext, 'connection'>;

/**
 * Has the transport's own process run a session with the descriptors of this process.
 *
 * @throws ViasshError as `handOver` of Transport
 */
export type HandOverSession = (request: SessionRequest, wishes: HandOverWishes) => Promise<ExitStatus>;

/** A plugin's data and its one function. */
export interface PluginDefinition<T extends OptionTable> {
  readonly apiVersion: typeof pluginApiVersion;
  /** Also the CLI's subcommand: lower case letters and digits. */
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  readonly options: T;
  /** What the words after `--` are, when it takes any: for help. */
  readonly words?: { readonly name: string; readonly summary: string };
  /** Command lines that work, for help: without the leading `viassh`. */
  readonly examples?: readonly { readonly command: string; readonly summary: string }[];
  /** The configuration of the programs that use it. */
  readonly recipes?: readonly Recipe[];
  /** What a key on the server may do to serve it, and nothing else. */
  readonly accounts?: readonly Account[];
  readonly needs: readonly Capability[] | ((options: OptionValues<T>) => readonly Capability[]);
  /** For lists, where no call without options is one: all that `needs` may name. */
  readonly mayNeed?: readonly Capability[];
  readonly lifetime: PluginLifetime | ((options: OptionValues<T>) => PluginLifetime);
  /** Options that do not go together: throws OPTION_INVALID. Asked before anything is dialled. */
  readonly check?: (options: OptionValues<T>) => void;
  /** Long silences are usual: ServerAliveInterval is set where the configuration leaves it off. */
  readonly keepalive?: boolean;
  /** Calls that have no destination: all of them is done by `runHere`. */
  readonly servesHere?: (options: OptionValues<T>) => boolean;
  /** Before anything is dialled: resolves to how it ended when all was done on this machine, else to undefined. */
  readonly runHere?: (context: LocalContext, options: OptionValues<T>) => Promise<ExitStatus | undefined>;
  /**
   * The exit code for a failure, also one of connecting, and ABORTED for a signal, where callers act on another one than
   * the usual.
   */
  readonly exitCodeOf?: (error: ViasshError, options: OptionValues<T>) => number | undefined;
  /**
   * In place of `run`, where the transport lacks some of `needs` and has a process that can do the same in its own way
   * (`handOver` of Transport): checks what that would find out late, and hands over. No connection of ours is made.
   */
  readonly handOver?: (
    context: LocalContext,
    handOver: HandOverSession,
    options: OptionValues<T>,
  ) => Promise<ExitStatus>;
  /**
   * Says a failure in the plugin's own way, also one of connecting, before it is reported as usual. Never throws. Not
   * asked for mistakes in the options.
   */
  readonly reportFailure?: (context: LocalContext, error: ViasshError, options: OptionValues<T>) => Promise<void>;
  /** Runs to the end. The far end's status is the result; failures are ViasshErrors. */
  run: (context: PluginContext, options: OptionValues<T>) => Promise<ExitStatus>;
}

/** A plugin with the type of its options erased: what a registry holds. Made by `definePlugin` alone. */
export interface Plugin
  extends Omit<
    PluginDefinition<OptionTable>,
    'needs' | 'lifetime' | 'check' | 'run' | 'runHere' | 'servesHere' | 'exitCodeOf' | 'reportFailure' | 'handOver'
  > {
  /** The options of one call, checked, and what follows from them. @throws ViasshError OPTION_INVALID */
  prepare(raw: Readonly<Record<string, unknown>>, words: readonly string[]): PreparedPlugin;
}

/** A plugin with its options: ready to be given a connection. */
export interface PreparedPlugin {
  readonly name: string;
  readonly needs: readonly Capability[];
  readonly lifetime: PluginLifetime;
  readonly keepalive: boolean;
  /** See {@link PluginDefinition.servesHere}. */
  readonly servesHere: boolean;
  /** See {@link PluginDefinition.runHere}. */
  runHere(context: LocalContext): Promise<ExitStatus | undefined>;
  /** See {@link PluginDefinition.exitCodeOf}; undefined: that of the table, and of a signal. */
  exitCodeOf(error: ViasshError): number | undefined;
  /** See {@link PluginDefinition.reportFailure}. */
  reportFailure(context: LocalContext, error: ViasshError): Promise<void>;
  /** See {@link PluginDefinition.handOver}; undefined: it runs on a connection or not at all. */
  readonly handOver?: ((context: LocalContext, handOver: HandOverSession) => Promise<ExitStatus>) | undefined;
  run(context: PluginContext): Promise<ExitStatus>;
}
