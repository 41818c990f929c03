export { imapPlugin } from './imap-plugin.ts';
export { type ImapOverOptions, imapOver } from './imap-over.ts';
export type { NoGreetingCause } from './refusal.ts';
