import process from 'node:process';

const cleanups = new Set<() => void>();
let registered = false;

/**
 * Runs `cleanup` when this process exits, for a test that ended without its dispose. It must be synchronous.
 * Calling what comes back takes it off the list.
 */
export function atExit(cleanup: () => void): () => void {
  if (!registered) process.once('exit', runAll);
  registered = true;
  cleanups.add(cleanup);
  return () => void cleanups.delete(cleanup);
}

function runAll(): void {
  for (const cleanup of cleanups) {
    try {
      cleanup();
    } catch {
      // the others have to run too, and nobody is left to tell
    }
  }
}
