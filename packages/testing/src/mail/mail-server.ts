import type { PrivateRun } from '../processes/private-system.ts';
import type { ArrivedMail } from './arrived-mail.ts';

/**
 * A real mail server that listens on 127.0.0.1 and lives in a private system. For the addresses of `domain` it decides
 * by the local part: `later…` is put off (4xx), `refused…` is refused (550), all others arrive; a mail with the header
 * field `X-Fate: refused` is refused after its content.
 */
export interface MailServer extends AsyncDisposable {
  readonly folder: string;
  /** Of SMTP. */
  readonly port: number;
  readonly domain: string;
  /** What has been delivered to addresses of `domain`, once for each recipient, in no order. */
  arrived(): Promise<readonly ArrivedMail[]>;
  /** The ids of what waits in its queue, or is on its way. */
  queue(): Promise<readonly string[]>;
  /**
   * Gives a mail to the server's `sendmail`, byte for byte, lines ending in LF. exim tries it at the next `flush()`,
   * postfix at once.
   *
   * @throws Error when it is not taken
   */
  submit(mail: { readonly from: string; readonly to: readonly string[]; readonly content: Uint8Array }): Promise<void>;
  /** Tries all that is in the queue now; exim has done so when this resolves, postfix has begun. */
  flush(): Promise<void>;
  log(): Promise<string>;
  /** Runs a program where the server runs: in there `/etc` is the server's. */
  readonly run: PrivateRun;
}
