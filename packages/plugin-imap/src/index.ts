export { imapPlugin } from './imap-plugin.ts';
export { DEFAULT_IMAP_COMMAND, type ImapOverOptions, imapOver } from './imap-over.ts';
export type { NoGreetingCause } from './refusal.ts';
