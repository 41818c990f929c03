import process from 'node:process';

/** Node ignores these two signals, and so would the program that takes our place: it would write where nobody reads. */
export function unignoreSignals(): void {
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, () => undefined); // execve takes these away
}
