/** Levels as in ssh_config's LogLevel, fewer of them; each includes the ones before it. */
export type LogLevel = 'quiet' | 'error' | 'warning' | 'info' | 'debug';

/** Where viassh says what it does. Messages are one line, without secrets, in plain words. */
export interface Logger {
  error(message: string): void;
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

const order: readonly LogLevel[] = ['quiet', 'error', 'warning', 'info', 'debug'];

/** A logger that hands each line of `level` or more important to `write`. */
export function createLogger(level: LogLevel, write: (level: LogLevel, message: string) => void): Logger {
  const limit = order.indexOf(level);
  const at =
    (own: LogLevel) =>
    (message: string): void => {
      if (order.indexOf(own) <= limit) write(own, message);
    };
  return { error: at('error'), warning: at('warning'), info: at('info'), debug: at('debug') };
}

/** Says nothing: what a library call gets when it names no logger. */
export const silentLogger: Logger = createLogger('quiet', () => undefined);
