import { describeExit, type ErrorCode, type ExitStatus, exitCodeOf, ViasshError } from '@viassh/core';

/** One class of exit codes: rsync(1), EXIT VALUES, and errcode.h for those from 124 on. */
interface FailureClass {
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint?: string;
}

const startUpNoise =
  'a start-up file of the account there may print something: let it print only where somebody is at a terminal (case $- in *i*) … ;; esac)';

const classes: readonly (readonly [numbers: readonly number[], failure: FailureClass])[] = [
  [
    [1, 3, 4, 6],
    {
      code: 'RSYNC_USAGE',
      says: 'did not accept what it was asked for',
      hint: 'see what rsync says about its arguments',
    },
  ],
  [
    [2],
    { code: 'RSYNC_STREAM', says: 'got something else than the rsync protocol from the far end', hint: startUpNoise },
  ],
  [
    [5, 10, 12, 124, 125, 126],
    { code: 'RSYNC_STREAM', says: 'lost the rsync on the far end', hint: 'the words of the far end tell why it ended' },
  ],
  [
    [127],
    {
      code: 'RSYNC_STREAM',
      says: 'found no rsync on the far end',
      hint: 'install rsync there, or say where it is with --rsync-path',
    },
  ],
  [
    [11, 22],
    { code: 'RSYNC_IO', says: 'could not read or write files', hint: 'look for space, quota and memory on both sides' },
  ],
  [
    [23, 24, 25],
    {
      code: 'RSYNC_PARTIAL',
      says: 'left some files out',
      hint: 'the others were transferred; rsync names those it could not',
    },
  ],
  [
    [30, 35],
    {
      code: 'RSYNC_TIMEOUT',
      says: 'heard nothing within the time allowed',
      hint: 'run it again: it goes on from there',
    },
  ],
  [
    [255],
    {
      code: 'REMOTE_SHELL_FAILED',
      says: 'did not get to the far end: the remote shell failed',
      hint: 'the words of the remote shell tell why',
    },
  ],
];

/**
 * The error for a run of rsync that ended so; the end of what it printed on stderr is part of the message, sanitised.
 * RSYNC_ENDED stands for all that has no class of its own: ended by a signal, a fault inside.
 */
export function rsyncFailed(exit: ExitStatus, stderr: string): ViasshError {
  const number = exit.kind === 'missing' ? undefined : exitCodeOf(exit);
  const failure = classes.find(([numbers]) => exit.kind === 'status' && numbers.includes(exit.code))?.[1];
  const { code, says, hint }: FailureClass = failure ?? { code: 'RSYNC_ENDED', says: 'was ended before it was done' };
  const said = tail(stderr);
  const how = exit.kind === 'status' ? `exit code ${number}` : describeExit(exit);
  return new ViasshError(code, `rsync ${says} (${how})${said === '' ? '' : `: ${said}`}`, { hint, cause: stderr });
}

const SHOWN = 1000;

function tail(stderr: string): string {
  const text = stderr.trim();
  return text.length > SHOWN ? `…${text.slice(-SHOWN)}` : text;
}
