import type { Envelope } from './dialogue/delivery.ts';

/** The part of nodemailer's MailMessage that a transport reads. */
export interface MailerMessage {
  /** The message's own options; of them `dsn` is read. */
  readonly data: object;
  readonly message: {
    getEnvelope(): { readonly from: string | false; readonly to: string[] };
    messageId(): string;
    createReadStream(): AsyncIterable<Uint8Array>;
  };
}

/** What of it goes to a server. */
export interface ReadMessage {
  readonly envelope: Envelope;
  /** As nodemailer gave it, for its result. */
  readonly given: { readonly from: string | false; readonly to: string[] };
  readonly messageId: string;
  /** Made when it is asked for: attachments are not opened for a message that nobody accepts. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Delivery status notifications as nodemailer's `dsn` has them, RFC 3461 §4. */
interface Dsn {
  readonly id?: string;
  readonly return?: string;
  readonly notify?: string | readonly string[];
  readonly recipient?: string;
}

/** The envelope and the content of a message of nodemailer. */
export function readMailerMessage({ data, message }: MailerMessage): ReadMessage {
  const given = message.getEnvelope();
  const { id, return: returned, notify, recipient } = (data as { readonly dsn?: Dsn }).dsn ?? {};
  const asked = [notify ?? []].flat().flatMap((each) => each.toUpperCase().split(/[ ,]+/));
  const recipientParameters = [
    ...(asked.length === 0 ? [] : [`NOTIFY=${asked.join(',')}`]),
    ...(recipient === undefined ? [] : [`ORCPT=${recipient.includes(';') ? '' : 'rfc822;'}${xtext(recipient)}`]),
  ];
  return {
    envelope: {
      from: given.from === false ? '' : given.from,
      parameters: [
        ...(returned === undefined ? [] : [`RET=${/^(?:full|body)$/i.test(returned) ? 'FULL' : 'HDRS'}`]),
        ...(id === undefined ? [] : [`ENVID=${xtext(id)}`]),
      ],
      recipients: given.to.map((address) => ({ address, parameters: recipientParameters })),
    },
    given,
    messageId: message.messageId(),
    content: { [Symbol.asyncIterator]: () => message.createReadStream()[Symbol.asyncIterator]() },
  };
}

/** RFC 3461 §4. */
function xtext(text: string): string {
  const plain = /^[!-*,-<>-~]$/;
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return plain.test(character) ? character : `+${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
