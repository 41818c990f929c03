import { Duplex } from 'node:stream';
import {
  checkUser,
  describeExit,
  formatDestination,
  parseDestination,
  type Logger,
  type ProgramRunner,
  type ResolvedDestination,
  type RunningProgram,
  sanitize,
  ViasshError,
} from '@viassh/core';
import { destroyed, type Wire } from './wire.ts';

const EXIT_GRACE_MS = 1000;

/**
 * Runs the ProxyCommand of a hop and takes its stdio as the wire. Its stderr goes to the log, line by line.
 *
 * @throws ViasshError CONFIG_INVALID for an unknown token, PROGRAM_NOT_FOUND, ABORTED
 */
export async function runProxyCommand(
  hop: ResolvedDestination,
  command: string,
  { programs, log, signal }: { programs: ProgramRunner; log: Logger; signal: AbortSignal },
): Promise<Wire> {
  const expanded = expandProxyCommand(command, hop);
  log.debug(`running ProxyCommand: ${expanded}`);
  const program = await programs.start({
    file: '/bin/sh',
    args: ['-c', `exec ${expanded}`],
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  const lastLine = logLines(program, log);
  const stream = new StdioDuplex(program);
  return {
    stream,
    async explain() {
      const exit = await Promise.race([program.exit, after(EXIT_GRACE_MS)]);
      const how = exit === undefined ? 'closed its output' : `ended with ${describeExit(exit)}`;
      const said = lastLine() === '' ? '' : `: ${lastLine()}`;
      return new ViasshError(
        'PROXY_FAILED',
        `the ProxyCommand for ${hop.hostName} ${how} before a connection stood${said}`,
        {
          hint: 'run the ProxyCommand by hand: it must print the greeting line of an ssh server',
        },
      );
    },
    async close() {
      await destroyed(stream);
      program.kill('SIGTERM');
      if ((await Promise.race([program.exit, after(EXIT_GRACE_MS)])) === undefined) program.kill('SIGKILL');
      await program.exit;
    },
  };
}

/**
 * Fills in %%, %h, %n, %p and %r (ssh_config(5) TOKENS). The names go to a shell, so they have to be such as ssh itself
 * would accept on its command line.
 *
 * @throws ViasshError CONFIG_INVALID, DESTINATION_INVALID
 */
export function expandProxyCommand(
  command: string,
  { hostName, port, user, destination }: ResolvedDestination,
): string {
  return command.replace(/%(.?)/gs, (token, letter: string) => {
    if (letter === '%') return '%';
    if (letter === 'h') return parseDestination(formatDestination({ host: hostName })).host;
    if (letter === 'n') return parseDestination(formatDestination({ host: destination.host })).host;
    if (letter === 'p') return String(port);
    if (letter !== 'r')
      throw new ViasshError('CONFIG_INVALID', `ProxyCommand has the unknown token ${token}`, {
        hint: 'write %% for a percent sign',
      });
    checkUser(user, user);
    return user;
  });
}

function logLines(program: RunningProgram, log: Logger): () => string {
  let rest = '';
  let last = '';
  program.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()?.slice(-4096) ?? '';
    for (const line of lines.map(sanitize).filter((shown) => shown !== '')) {
      last = line;
      log.info(`ProxyCommand: ${line}`);
    }
  });
  return () => (last === '' ? sanitize(rest) : last);
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}

/** A program's stdin and stdout as one stream, without a copy or a buffer of its own. */
class StdioDuplex extends Duplex {
  readonly #program: RunningProgram;

  constructor(program: RunningProgram) {
    super({ allowHalfOpen: false });
    this.#program = program;
    this.on('error', () => undefined);
    program.stdin?.on('error', (error) => this.destroy(error));
    program.stdout
      ?.on('data', (chunk: Buffer) => void (this.push(chunk) || program.stdout?.pause()))
      .on('end', () => this.push(null))
      .on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#program.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#program.stdin?.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#program.stdin?.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#program.stdin?.destroy();
    this.#program.stdout?.destroy();
    callback(error);
  }
}
