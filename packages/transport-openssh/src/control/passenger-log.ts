/**
 * What a passenger's ssh has told by its log at DEBUG2: the one place that reads its texts. The server has no say in them:
 * in this mode ssh itself has no connection to it.
 */
export class PassengerWords {
  #opened = false;
  #refusal: string | undefined;
  #status: number | undefined;
  #last = '';

  /** Takes one line. */
  add(raw: string): void {
    const line = raw.trimEnd();
    this.#opened ||= /^debug\d: .*master session id: \d+$/.test(line);
    this.#refusal ??= /(?:request failed|Master refused [\w ]*request): (.+)$/i.exec(line)?.[1];
    const status = /^debug\d: .*Received exit status from master (\d+)$/.exec(line)?.[1];
    if (status !== undefined) this.#status = Number(status);
    if (line !== '' && !/^debug\d: /.test(line)) this.#last = line;
  }

  /** The server confirmed the channel. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Why the master gave none. */
  get refusal(): string {
    return this.#refusal ?? this.#last;
  }

  /** What the server said of the remote command's end; undefined for nothing, or a signal. */
  get status(): number | undefined {
    return this.#status;
  }
}
