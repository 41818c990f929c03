import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { PassThrough, Writable } from 'node:stream';
import { type ProgramRunner, quoteWord, type RunningProgram, type SessionRequest } from '@viassh/core';
import { scratchPrefix } from '../sshd/scratch-folder.ts';
import type { FarSession } from './far-end.ts';

/** Subsystems as sshd_config would name them: name to command. */
export type Subsystems = Readonly<Record<string, string>>;

/** The command that a request comes to; undefined for a subsystem that is not there. */
export function commandOf(request: SessionRequest, subsystems: Subsystems): string | undefined {
  if (request.kind === 'exec') return request.command;
  return request.kind === 'shell' ? 'exec /bin/sh' : subsystems[request.subsystem];
}

/** Runs a command as sshd does: `/bin/sh -c command`; with a pty by way of script(1). */
export async function startShellSession(
  programs: ProgramRunner,
  command: string,
  request: SessionRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FarSession> {
  const terminal = request.pty === undefined ? undefined : makeTerminal(command, request.pty);
  const [file, args] =
    terminal === undefined ? ['/bin/sh', ['-c', command]] : ['script', ['-qefc', terminal.command, '/dev/null']];
  const program = await programs.start({
    file,
    args,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...env, ...(request.pty === undefined ? {} : { TERM: request.pty.term }) },
  });
  void program.exit.then(() => terminal?.remove());
  return {
    ...streamsOf(program),
    exit: program.exit,
    done: program.exit,
    signal: (name) => program.kill(`SIG${name}` as NodeJS.Signals),
    changeWindow: (columns, rows) => {
      const tty = terminal?.device();
      if (tty !== undefined)
        void programs.run({ file: 'stty', args: ['-F', tty, 'rows', `${rows}`, 'cols', `${columns}`] });
    },
    close: () => {
      program.kill('SIGHUP');
      program.stdin?.destroy();
      program.stdout?.destroy();
      program.stderr?.destroy();
    },
  };
}

function streamsOf({ stdin, stdout, stderr }: RunningProgram): Pick<FarSession, 'input' | 'output' | 'error'> {
  stdin?.on('error', () => undefined); // EPIPE: the program reads no more; what comes is thrown away
  return { input: stdin ?? new Writable(), output: stdout ?? new PassThrough().end(), error: stderr };
}

/** The command in a terminal of the size asked for; its device is written down so that the size can be changed. */
function makeTerminal(
  command: string,
  { columns, rows }: { columns: number; rows: number },
): { command: string; device(): string | undefined; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `${scratchPrefix}${process.pid}-tty-`));
  const file = join(folder, 'tty');
  return {
    command: `tty >${quoteWord(file)}; stty rows ${rows} cols ${columns}; exec /bin/sh -c ${quoteWord(command)}`,
    device: () => {
      try {
        return readFileSync(file, 'utf8').trim() || undefined;
      } catch {
        return undefined;
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
