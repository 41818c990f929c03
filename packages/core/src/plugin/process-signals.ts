/** The signals of the process that a plugin runs in, where it runs in one of its own. */
export interface ProcessSignals {
  /** `tell` is called for each SIGUSR1: somebody wants to know how things stand. */
  onStatus(tell: () => void): Disposable;
  /**
   * SIGINT, SIGTERM and SIGHUP do not end us but are handed to `to`, for a program that we wait for; without those that
   * the terminal has given to the program as well.
   */
  handOn(to: (signal: NodeJS.Signals) => void): Disposable;
}
