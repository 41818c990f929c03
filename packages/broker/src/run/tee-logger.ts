import { createLogger, type Logger } from '@viassh/core';

/** Says everything to both; to the second with a name before it. */
export function teeLogger(first: Logger, second: Logger, name: string): Logger {
  return createLogger('debug', (level, message) => {
    if (level === 'quiet') return;
    first[level](message);
    second[level](`${name}: ${message}`);
  });
}
