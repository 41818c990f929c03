import { readFileSync } from 'node:fs';
import process from 'node:process';
import { isViasshError } from '@viassh/core';
import { takeBackgroundRun } from './background/background-run.ts';
import { parseCommandLine } from './command-line.ts';
import { readEnvironment } from './environment.ts';
import { abortOnSignals } from './terminal/abort-on-signals.ts';
import { openInput } from './terminal/input.ts';
import { flushed, openOutput } from './terminal/output.ts';
import { type ErrorStyle, reportError, stderrLogger } from './terminal/report.ts';

const USAGE_WIDTH = 100;

/** The whole run of one command line; returns the exit code. Prints errors, never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  const stdin = openInput(() => process.stdin);
  const stdout = openOutput(1, process.stdout);
  const stderr = openOutput(2, process.stderr);
  for (const output of [stdout, stderr]) output.on('error', () => undefined);
  const usualProxy = takeUsualProxy(process.env);
  const signals = abortOnSignals();
  const background = takeBackgroundRun(stdout, stderr);
  let shown = reportingOf(argv);
  let code: number;
  try {
    const parsed = await parseCommandLine(argv, version(), process.stdout.columns ?? USAGE_WIDTH);
    if (parsed.kind === 'text') {
      stdout.write(`${parsed.text.trimEnd()}\n`);
      code = 0;
    } else {
      shown = parsed.command.globals;
      const log = stderrLogger(shown.level, stderr);
      code = await parsed.command.run({
        globals: parsed.command.globals,
        environment: readEnvironment(),
        usualProxy,
        stdin,
        stdout,
        stderr,
        log,
        signals: signals.forPlugins,
        nudges: signals.nudges,
        signal: signals.signal,
        exitAtOnceWith: signals.exitAtOnceWith,
        background:
          background === undefined
            ? undefined
            : {
                get hasLeft() {
                  return background.hasLeft;
                },
                stands: async () => {
                  signals.leaveTerminal();
                  await background.stands();
                },
              },
      });
    }
  } catch (error) {
    const killed = signals.exitCode();
    if (killed !== undefined && isViasshError(error, 'ABORTED')) return killed;
    code = reportError(error, shown, stderr);
    if (killed !== undefined) return killed;
  }
  await Promise.all([flushed(stdout), flushed(stderr)]);
  return code;
}

/** $VIASSH_PROXY may have a password in it: no program that we start, and no SendEnv, finds it in the environment. */
function takeUsualProxy(variables: NodeJS.ProcessEnv): string | undefined {
  const { VIASSH_PROXY: proxy } = variables;
  delete variables['VIASSH_PROXY'];
  return proxy;
}

/** How to report what fails before the command line is understood. */
function reportingOf(argv: readonly string[]): ErrorStyle {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);
  const verbose = own.some((word) => word === '--verbose' || /^-[xaATnqCst46]*v/.test(word));
  return { json: own.includes('--json'), level: verbose ? 'info' : 'warning' };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}
