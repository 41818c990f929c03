/** What several contestants need, made when the first of them asks for it: a race that is not run needs nothing. */
export function shared<Made>(make: () => Promise<Made>): () => Promise<Made> {
  let made: Promise<Made> | undefined;
  return () => (made ??= make());
}
