import type { Writable } from 'node:stream';
import { inspect, styleText } from 'node:util';
import { createLogger, type ErrorCode, type Logger, type LogLevel, toViasshError } from '@viassh/core';

/** A logger on stderr, one line each: `viassh: warning: …`. */
export function stderrLogger(level: LogLevel, stderr: Writable): Logger {
  return createLogger(level, (own, message) => {
    const label = own === 'warning' ? 'warning: ' : own === 'debug' ? 'debug: ' : '';
    stderr.write(
      `${paint(own === 'error' ? 'red' : own === 'warning' ? 'yellow' : 'dim', 'viassh:', stderr)} ${label}${message}\n`,
    );
  });
}

/** How failures are shown. */
export interface ErrorStyle {
  readonly json: boolean;
  readonly level: LogLevel;
}

/** What to do, where whoever failed knew no better. */
const usualHints: Partial<Record<ErrorCode, string>> = {
  OPTION_INVALID: 'viassh COMMAND --help shows the options',
  CONNECTION_LOST: 'the server or the network went away; try again',
  EXIT_STATUS_MISSING: 'the server or the network may have gone away; -v shows more',
  PROTOCOL_ERROR: 'check that an ssh server listens on that port; -v shows more',
  STREAM_FAILED: 'look at what stdin, stdout and stderr are connected to, and at the space on the disk',
  INTERNAL: 'a mistake in viassh itself; -v shows where, please report it',
};

/** Says a failure as sentence, code and hint; returns the exit code. The cause, with its stack, only with -v. */
export function reportError(error: unknown, { json, level }: ErrorStyle, stderr: Writable): number {
  const failure = toViasshError(error);
  const { code, message } = failure;
  const hint = failure.hint ?? usualHints[code];
  if (json) stderr.write(`${JSON.stringify({ error: { code, message, hint, kind: failure.entry.kind } })}\n`);
  else {
    stderr.write(`${paint('red', 'viassh:', stderr)} ${message} ${paint('dim', `(${code})`, stderr)}\n`);
    if (hint !== undefined) stderr.write(`  ${paint('bold', 'hint:', stderr)} ${hint}\n`);
  }
  if (level === 'info' || level === 'debug') stderr.write(`${inspect(failure.cause ?? failure, { depth: 2 })}\n`);
  return failure.entry.exitCode;
}

/** Colour, only on a terminal and never under NO_COLOR. */
export function paint(style: Parameters<typeof styleText>[0], text: string, stream: Writable): string {
  return styleText(style, text, { stream, validateStream: true });
}
