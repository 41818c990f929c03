import type { Readable, Writable } from 'node:stream';
import { type Logger, type ProgramRunner, ViasshError } from '@viassh/core';
import type { LogPool } from './log-pool.ts';
import { passengerKeeperScript } from './passenger-keeper.ts';
import { PassengerWords } from './passenger-log.ts';

/** What passengers of one master have in common. */
export interface Passage {
  readonly programs: ProgramRunner;
  readonly sshFile: string;
  readonly controlPath: string;
  readonly logs: LogPool;
  readonly log: Logger;
}

/** How a passenger ended. */
export interface PassengerEnd {
  /** The channel had been confirmed. */
  readonly opened: boolean;
  /** Why not. */
  readonly refusal: string;
  /** The remote command's exit status; undefined where the server gave none, or a signal. */
  readonly status: number | undefined;
}

/** An ssh that rides on a master which is not ours: one channel, its bytes on our pipes. */
export interface Passenger {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with true when the server confirmed the channel, with false when it never will. */
  readonly opened: Promise<boolean>;
  /** Resolves when ssh is gone. */
  readonly ended: Promise<PassengerEnd>;
  /** Ends ssh, and with it the channel. */
  end(): void;
}

const SSH_FAILED = 255;

/**
 * Starts a passenger. `words` are options of ssh's, then `--`, the host, and what belongs to the remote command. Nothing of
 * any ssh_config is in force, and without a master nothing is dialled: without the ProxyCommand ssh would log in anew.
 *
 * @throws ViasshError TRANSPORT_UNAVAILABLE, PROGRAM_NOT_FOUND
 */
export async function startPassenger(passage: Passage, words: readonly string[]): Promise<Passenger> {
  const log = await passage.logs.take();
  const said = new PassengerWords();
  const { promise: opened, resolve } = Promise.withResolvers<boolean>();
  log.follow((line) => {
    passage.log.debug(`ssh: ${line}`);
    said.add(line);
    if (said.opened) resolve(true);
  });
  const args = [passage.sshFile, ...passengerArguments(passage.controlPath), '-E', log.path, ...words];
  const program = await passage.programs.start({
    file: '/bin/sh',
    args: ['-c', passengerKeeperScript, 'viassh-keeper', ...args],
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const lifetime = program.descriptor(3);
  lifetime?.on('error', () => undefined);
  lifetime?.resume();
  const ended = program.exit.then(async (exit) => {
    await log.drained();
    log.release();
    lifetime?.destroy();
    resolve(said.opened);
    const own = exit.kind === 'status' && exit.code !== SSH_FAILED ? exit.code : undefined;
    return { opened: said.opened, refusal: said.refusal, status: said.status ?? own };
  });
  const { stdin, stdout, stderr } = program;
  if (stdin === undefined || stdout === undefined || stderr === undefined) {
    throw new ViasshError('INTERNAL', 'a program was started without its pipes');
  }
  return { stdin, stdout, stderr, opened, ended, end: () => void lifetime?.destroy() };
}

/** Options of every passenger, as argv. */
export function passengerArguments(controlPath: string): string[] {
  const settings = ['ControlMaster=no', 'ProxyCommand=/bin/false', 'BatchMode=yes', 'LogLevel=DEBUG2'];
  return [
    '-F',
    'none',
    '-S',
    controlPath.replaceAll('%', '%%'), // ssh expands tokens
    '-T',
    '-e',
    'none',
    ...settings.flatMap((setting) => ['-o', setting]),
  ];
}
