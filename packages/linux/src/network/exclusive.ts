let last: Promise<unknown> = Promise.resolve();

/** One change of the machine's network at a time: what is read stays true until what follows from it is written. */
export function exclusive<T>(change: () => Promise<T>): Promise<T> {
  const turn = last.then(change);
  last = turn.catch(() => undefined);
  return turn;
}
