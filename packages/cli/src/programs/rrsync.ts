import process from 'node:process';
import { createProgramRunner } from '@viassh/program';
import { loadRemoteShell } from '../builtin.ts';
import { openOutput } from '../terminal/output.ts';
import { reportError } from '../terminal/report.ts';

/** What rrsync ends with when it refuses: 255 would be taken for a failure of the client's remote shell. */
const REFUSED = 1;

/** `viassh rrsync [options] DIR`: a forced command that lets a key run rsync's server side in one folder. */
export async function runRrsync(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  try {
    const { readRrsyncArguments, rrsyncUsage, serveRsync } = await loadRemoteShell();
    if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
      process.stdout.write(`${rrsyncUsage}\n`);
      return 0;
    }
    return await serveRsync({
      programs: createProgramRunner(),
      limits: readRrsyncArguments(args),
      command: process.env['SSH_ORIGINAL_COMMAND'],
      signal: controller.signal,
    });
  } catch (error) {
    reportError(error, { json: false, level: 'warning' }, openOutput(2, process.stderr));
    return REFUSED;
  }
}
