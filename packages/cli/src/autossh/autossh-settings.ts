import { type LogLevel, ViasshError } from '@viassh/core';

/** What the AUTOSSH_ variables of autossh(1) and its -M and -f say. */
export interface AutosshSettings {
  /** How long the first connection has to stay up to count as one that came up; 0: a first failure is retried, too. */
  readonly gateMs: number;
  /** Between two probes, and before the first; undefined: no probes beside those of the supervisor (-M 0). */
  readonly poll: { readonly firstMs: number; readonly everyMs: number } | undefined;
  /** The longest wait between two attempts: autossh waits no longer than its poll time. */
  readonly longestWaitMs: number;
  /** How many attempts in all; undefined: no limit. */
  readonly maxStarts: number | undefined;
  readonly maxLifetimeMs: number | undefined;
  readonly level: LogLevel | undefined;
  /** Also on stderr, beside the log file. */
  readonly debug: boolean;
  readonly logFile: string | undefined;
  readonly pidFile: string | undefined;
  /** The ssh that is used. */
  readonly sshFile: string | undefined;
  /** Said once: what was asked for and is done in another way. */
  readonly notes: readonly string[];
}

const GATE_S = 30;
const POLL_S = 600;
const LONGEST_MESSAGE = 64; // bytes, as in autossh.c
/** syslog's levels, from LOG_EMERG on. */
const levels: readonly LogLevel[] = ['error', 'error', 'error', 'error', 'warning', 'warning', 'info', 'debug'];

/** @throws ViasshError OPTION_INVALID naming the variable */
export function readAutosshSettings(
  variables: NodeJS.ProcessEnv,
  { monitor, background }: { readonly monitor: string | undefined; readonly background: boolean },
): AutosshSettings {
  const text = (name: string): string | undefined => {
    const value = variables[`AUTOSSH_${name}`];
    return value === undefined || value === '' ? undefined : value;
  };
  const seconds = (name: string, least: number, what: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : numberOf(`AUTOSSH_${name}`, value, least, what);
  };
  const lifetime = seconds('MAXLIFETIME', 0, 'seconds');
  const upTo = (poll: number): number => (lifetime === undefined || lifetime === 0 ? poll : Math.min(poll, lifetime));
  const poll = upTo(seconds('POLL', 1, 'seconds from 1 on') ?? POLL_S);
  const firstPoll = upTo(seconds('FIRST_POLL', 1, 'seconds from 1 on') ?? poll);
  const message = text('MESSAGE');
  if (message !== undefined && Buffer.byteLength(message) > LONGEST_MESSAGE)
    throw invalid('AUTOSSH_MESSAGE', `is longer than ${LONGEST_MESSAGE} bytes`, 'make it shorter, or leave it away');
  const port = portOf(monitor === undefined ? ['AUTOSSH_PORT', text('PORT')] : ['-M', monitor]);
  const maxStarts = seconds('MAXSTART', -Infinity, 'a number; -1: no limit');
  const debug = variables['AUTOSSH_DEBUG'] !== undefined;
  const gate = seconds('GATETIME', 0, 'seconds');
  return {
    gateMs: (background ? 0 : (gate ?? GATE_S)) * 1000,
    poll: port === 0 ? undefined : { firstMs: firstPoll * 1000, everyMs: poll * 1000 },
    longestWaitMs: poll * 1000,
    maxStarts: maxStarts === undefined || maxStarts < 0 ? undefined : maxStarts,
    maxLifetimeMs: lifetime === undefined || lifetime === 0 ? undefined : lifetime * 1000,
    level: debug ? 'debug' : levelOf(text('LOGLEVEL')),
    debug,
    logFile: text('LOGFILE'),
    pidFile: text('PIDFILE'),
    sshFile: text('PATH'),
    notes: [
      ...(port === undefined || port === 0
        ? []
        : [`no port ${port} is opened for the loop of autossh: the connection itself is probed, by a round trip`]),
      ...(message === undefined ? [] : ['AUTOSSH_MESSAGE is sent nowhere: the probes of viassh have no text']),
    ],
  };
}

/** `port[:echo_port]`; undefined where none is given, as with the autossh of Debian. */
function portOf([name, value]: readonly [name: string, value: string | undefined]): number | undefined {
  if (value === undefined) return undefined;
  const [, first = '', echo] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(value) ?? [];
  const port = first === '' ? Number.NaN : Number(first);
  if (port <= 65_534 && Number(echo ?? 1) <= 65_535) return port;
  throw invalid(name, `wants PORT or PORT:ECHO_PORT, not '${value}'`, '-M 0 goes without probes of its own');
}

function levelOf(value: string | undefined): LogLevel | undefined {
  if (value === undefined) return undefined;
  const level = /^\d+$/.test(value) ? levels[Number(value)] : undefined;
  if (level !== undefined) return level;
  throw invalid('AUTOSSH_LOGLEVEL', `wants a level of syslog, 0 to 7, not '${value}'`, '7 says most');
}

function numberOf(name: string, value: string, least: number, what: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isFinite(number) && number >= least) return number;
  throw invalid(name, `wants ${what}, not '${value}'`, 'correct it, or take it out of the environment');
}

function invalid(name: string, what: string, hint: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `${name} ${what}`, { hint });
}
