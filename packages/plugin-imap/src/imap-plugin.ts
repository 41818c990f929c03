import {
  bridge,
  definePlugin,
  type ExitStatus,
  isViasshError,
  type Plugin,
  type PluginContext,
  type SessionChannel,
  ViasshError,
} from '@viassh/core';
import { DEFAULT_IMAP_COMMAND, imapOver } from './imap-over.ts';
import type { NoGreetingCause } from './refusal.ts';

/** IMAP on stdio for programs that can call a command: mutt, fetchmail, mbsync and their like. */
export const imapPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'imap',
  summary: 'IMAP on stdin and stdout, already logged in (PREAUTH), for mail programs',
  options: {
    command: {
      type: 'string',
      valueName: 'COMMAND',
      summary: `what starts the IMAP server on the far end, for the shell there (default: ${DEFAULT_IMAP_COMMAND})`,
    },
    greetingTimeout: {
      type: 'number',
      valueName: 'SECONDS',
      summary: 'how long the IMAP server may take to greet',
      default: 30,
      min: 0.01,
      max: 86_400,
    },
  },
  words: { name: 'COMMAND', summary: 'the same as --command, for programs that cannot quote' },
  examples: [
    { command: 'imap user@host', summary: `run ${DEFAULT_IMAP_COMMAND} there and speak IMAP with it` },
    { command: `imap user@host --command '/usr/lib/dovecot/imap'`, summary: 'another IMAP server' },
    { command: 'imap user@host -- /usr/lib/dovecot/imap', summary: 'the same without quotes, for fetchmail' },
  ],
  needs: ['exec'],
  check: (options) => void commandOf(options),
  lifetime: 'one-shot',
  run: async (context, options) => {
    try {
      const channel = await imapOver(context.connection, {
        command: commandOf(options),
        greetingTimeoutMs: options.greetingTimeout * 1000,
        signal: context.signal,
        log: context.log,
      });
      return await carry(channel, context);
    } catch (error) {
      return statusOfMissingCommand(error, context);
    }
  },
});

function commandOf({
  command,
  words,
}: {
  readonly command: string | undefined;
  readonly words: readonly string[];
}): string {
  if (command !== undefined && words.length > 0) {
    throw new ViasshError('OPTION_INVALID', 'the command is named twice: by --command and after --', {
      hint: 'leave one of them away',
    });
  }
  return words.length > 0 ? words.join(' ') : (command ?? DEFAULT_IMAP_COMMAND);
}

/** Transparent from here on: S15, nothing dropped and nothing added. */
async function carry(channel: SessionChannel, { stdio, signal }: PluginContext): Promise<ExitStatus> {
  const { done, progress } = bridge(channel, { input: stdio.input, output: stdio.output }, { signal });
  await done;
  const exit = await channel.exit;
  // A filter whose reader has gone: what a shell would show of any other one.
  if (exit.kind === 'missing' && progress.outputClosed)
    return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  return exit;
}

/** 126 and 127 are results, as with ssh, and yet need a word. @throws the error when it is another one */
function statusOfMissingCommand(error: unknown, { log }: PluginContext): ExitStatus {
  if (!isViasshError(error, 'IMAP_NO_GREETING')) throw error;
  const { exit } = error.cause as NoGreetingCause;
  if (exit?.kind !== 'status' || (exit.code !== 127 && exit.code !== 126)) throw error;
  log.error(error.message);
  if (error.hint !== undefined) log.error(`hint: ${error.hint}`);
  return exit;
}
