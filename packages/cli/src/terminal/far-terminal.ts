import type { Readable, Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { Pipe, PtyRequest } from '@viassh/core';

/** The streams that a terminal of the far end is joined to. */
export interface NearTerminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** A terminal for the far end, like the one here. */
export function farTerminal(
  { stdout }: Pick<NearTerminal, 'stdout'>,
  { TERM: term = 'dumb' }: NodeJS.ProcessEnv,
): PtyRequest {
  return { term, ...sizeOf(stdout) };
}

/** Raw mode here, so that the far end's terminal does the editing; size changes are passed on. */
export function followTerminal({ stdin, stdout }: NearTerminal, { channel }: Pipe): Disposable {
  const terminal = stdin instanceof ReadStream && stdin.isTTY ? stdin : undefined;
  const onResize = (): void => channel.changeWindow(sizeOf(stdout));
  terminal?.setRawMode(true);
  stdout.on('resize', onResize);
  return {
    [Symbol.dispose]: () => {
      terminal?.setRawMode(false);
      stdout.off('resize', onResize);
    },
  };
}

function sizeOf(stdout: Writable): Pick<PtyRequest, 'columns' | 'rows'> {
  const { columns = 80, rows = 24 } = stdout as { columns?: number; rows?: number };
  return { columns, rows };
}
