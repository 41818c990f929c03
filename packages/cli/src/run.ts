import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';
import { isViasshError } from '@viassh/core';
import { parseCommandLine } from './command-line.ts';
import { readEnvironment } from './environment.ts';
import { reportError, stderrLogger } from './terminal/report.ts';

const USAGE_WIDTH = 100;

/** The whole run of one command line; returns the exit code. Prints errors, never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  stderr.on('error', () => undefined);
  const shown = { json: argv.includes('--json'), level: 'warning' as const };
  try {
    const parsed = await parseCommandLine(argv, version(), stdout.columns ?? USAGE_WIDTH);
    if (parsed.kind === 'text') {
      await print(parsed.text);
      return 0;
    }
    const { globals } = parsed.command;
    const signals = abortOnSignals();
    const log = stderrLogger(globals.level, stderr);
    try {
      const code = await parsed.command.run({ globals, environment: readEnvironment(), stdin, stdout, stderr, log, signal: signals.signal });
      return signals.exitCode() ?? code;
    } catch (error) {
      const code = signals.exitCode();
      if (code !== undefined && isViasshError(error, 'ABORTED')) return code;
      return reportError(error, globals, stderr);
    }
  } catch (error) {
    return reportError(error, shown, stderr);
  }
}

/** SIGINT, SIGTERM and SIGHUP end what runs in good order; the exit code is then 128+n, as a shell shows it. */
function abortOnSignals(): { readonly signal: AbortSignal; exitCode(): number | undefined } {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      received ??= name;
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => (received === undefined ? undefined : 128 + constants.signals[received]) };
}

async function print(text: string): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.once('error', () => resolve()).write(text.endsWith('\n') ? text : `${text}\n`, () => resolve()));
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}
