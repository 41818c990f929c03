import process from 'node:process';
import { Readable, Writable } from 'node:stream';
import { nobodyToAsk, pipe, type ProgramOutput, silentLogger } from '@viassh/core';
import { typedOptions } from '../arguments/typed-options.ts';
import { parseCommandLine } from '../command-line.ts';
import { readEnvironment } from '../environment.ts';
import { openConnection } from '../library/open-connection.ts';
import { usualSshOptions } from './remote-shell-settings.ts';

const MOST_OUTPUT = 1024 * 1024; // bytes of each output that are kept

/**
 * Runs a command on a destination, with the options that the remote shell had, and collects what it says. Nobody is
 * asked for anything.
 *
 * @throws ViasshError when nothing can be run there
 */
export async function askDestination(
  own: readonly string[],
  destination: string,
  command: string,
  signal: AbortSignal,
): Promise<ProgramOutput> {
  const { variables, ...environment } = readEnvironment();
  const transport = variables['VIASSH_TRANSPORT'];
  const words = [...own, ...usualSshOptions(variables), '--transport', transport === undefined ? 'auto' : transport];
  const parsed = await parseCommandLine([...words, 'plugins'], '', 80);
  if (parsed.kind === 'text') throw new TypeError('a text in place of options');
  const { globals } = parsed.command;
  const typed = typedOptions(globals, variables['VIASSH_PROXY']);
  delete process.env['VIASSH_PROXY']; // the program has ended; what is started from here on is not to see a password
  await using connection = await openConnection(
    { variables, ...environment },
    {
      destination,
      typed: { ...typed, options: ['BatchMode=yes', ...(typed.options ?? [])] },
      transport: globals.transport,
      control: globals.control,
      needs: ['exec'],
      log: silentLogger,
      signal,
      spareSession: false,
      authenticate: nobodyToAsk,
    },
  );
  const [out, err] = [new Collector(), new Collector()];
  const request = { kind: 'exec', command } as const;
  const running = await pipe(connection, request, { stdin: Readable.from([]), stdout: out, stderr: err, signal });
  return { exit: await running.exit, stdout: out.text(), stderr: err.text() };
}

/** Takes everything, keeps the beginning. */
class Collector extends Writable {
  readonly #chunks: Buffer[] = [];
  #room = MOST_OUTPUT;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk.subarray(0, this.#room));
    this.#room = Math.max(0, this.#room - chunk.length);
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
