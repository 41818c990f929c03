import type { Logger, Originator } from '@viassh/core';
import type { X11Event } from '../x11-display.ts';

/** Warnings about clients that were refused; who floods the display does not flood the log. */
const MOST_TOLD = 20;

/** Tells what happens on a display: as events, and as lines of the log. */
export class Teller {
  readonly #log: Logger;
  readonly #onEvent: ((event: X11Event) => void) | undefined;
  #told = 0;

  constructor(log: Logger, onEvent: ((event: X11Event) => void) | undefined) {
    this.#log = log;
    this.#onEvent = onEvent;
  }

  tell(event: X11Event): void {
    this.#write(event);
    try {
      this.#onEvent?.(event);
    } catch {
      // who listens does not decide what becomes of a client
    }
  }

  #write(event: X11Event): void {
    if (event.kind === 'opened') this.#log.debug(`an X11 client${from(event.originator)} is let in`);
    else if (event.kind === 'closed') this.#log.debug(`an X11 client${from(event.originator)} has left`);
    else if (event.kind === 'refused')
      this.#warn(`an X11 client${from(event.originator)} was refused: ${event.reason}`);
    else if (event.kind === 'refused-by-display')
      this.#warn(`the X server refused an X11 client${from(event.originator)}: ${event.reason}`);
    else if (event.kind === 'renewal-failed')
      this.#log.warning(`no new cookie for the display: ${event.error.message}; open windows stay`);
  }

  #warn(message: string): void {
    this.#told += 1;
    if (this.#told <= MOST_TOLD) this.#log.warning(message);
    else this.#log.debug(message);
    if (this.#told === MOST_TOLD) this.#log.warning('further X11 clients that are refused are not told of');
  }
}

function from(originator: Originator | undefined): string {
  return originator === undefined ? '' : ` from ${originator.address} port ${originator.port}`;
}
