import { describeFarEnd, type FarEnd, parseTcpFarEnd, ViasshError } from '@viassh/core';
import { findServer } from './find-server.ts';
import { type MailProtocol, mailProtocolOf } from './mail-protocol.ts';

/** A server of a mailbox as it is to be reached, and what it speaks. */
export interface MailServer {
  readonly protocol: MailProtocol;
  readonly farEnd: Extract<FarEnd, { kind: 'exec' | 'tcp' }>;
  /** Nobody named it: the command looks for one. */
  readonly lookedFor: boolean;
}

/** What was typed of it. */
export interface MailServerOptions {
  readonly protocol: string;
  readonly command: string | undefined;
  readonly words: readonly string[];
  readonly to: string | undefined;
}

/** @throws ViasshError OPTION_INVALID for an unknown protocol, a server that is named twice, what is no host and port */
export function mailServerOf({ protocol: name, command, words, to }: MailServerOptions): MailServer {
  const protocol = mailProtocolOf(name);
  const named = [to, command, words.length > 0 ? words.join(' ') : undefined].filter((each) => each !== undefined);
  if (named.length > 1) {
    throw new ViasshError('OPTION_INVALID', `the ${protocol.title} server is named twice`, {
      hint: 'give one of --command, --to, or a command behind --',
    });
  }
  if (to !== undefined) return { protocol, farEnd: parseTcpFarEnd(to), lookedFor: false };
  const [asked] = named;
  if (asked !== undefined) return { protocol, farEnd: { kind: 'exec', command: asked }, lookedFor: false };
  return { protocol, farEnd: { kind: 'exec', command: findServer(protocol) }, lookedFor: true };
}

/** For messages: `the IMAP server 'imapd -x'`, `the POP3 server at localhost:110`. */
export function describeMailServer({ protocol, farEnd, lookedFor }: MailServer): string {
  if (lookedFor) return `the ${protocol.title} server that was found there`;
  return `the ${protocol.title} server ${farEnd.kind === 'exec' ? '' : 'at '}${describeFarEnd(farEnd)}`;
}

/** For a shell; of a server that is dialled: empty. */
export function commandOf({ farEnd }: MailServer): string {
  return farEnd.kind === 'exec' ? farEnd.command : '';
}

/** What is written before the greeting: see {@link MailProtocol}. Nothing for a server that greets, it would be one answer too many. */
export function openingOf({ protocol, farEnd, lookedFor }: MailServer): string {
  const isDovecot = farEnd.kind === 'exec' && (lookedFor || /\/dovecot\/\w+(?![\w/])/.test(farEnd.command));
  return isDovecot ? protocol.opening : '';
}
