/** A command that is not carried out: `NO` when it cannot be, `BAD` when it is not understood (RFC 3501 §7.1). */
export class ImapRefusal extends Error {
  readonly status: 'NO' | 'BAD';

  constructor(status: 'NO' | 'BAD', text: string) {
    super(text);
    this.status = status;
  }
}
