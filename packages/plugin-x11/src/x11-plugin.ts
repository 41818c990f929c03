import {
  definePlugin,
  type ExitStatus,
  isViasshError,
  pipe,
  type Plugin,
  type PluginContext,
  type SessionRequest,
  ViasshError,
} from '@viassh/core';
import { askedDisplay, checkX11Options, wayOf, x11Options } from './asked-x11.ts';
import { x11 } from './x11.ts';
import { x11Account } from './x11-account.ts';
import { x11ByForward } from './x11-by-forward.ts';
import { readyForSsh } from './x11-by-ssh.ts';

/** Programs of the far end on the display here. */
export const x11Plugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'x11',
  summary: 'X11 programs of the far end on the display here',
  options: x11Options,
  words: { name: 'PROGRAM', summary: 'the program on the far end, joined by blanks as ssh does' },
  examples: [
    { command: 'x11 user@host -- xclock', summary: 'its window is here' },
    { command: 'x11 user@host --trusted -- xterm -e top', summary: 'for a program that fails when it is kept apart' },
    { command: 'x11 user@host --way forward -- xclock', summary: 'where the server refuses X11' },
  ],
  accounts: [x11Account],
  needs: (options) => (wayOf(options) === 'request' ? ['exec', 'x11'] : ['exec', 'forwarded-tcpip']),
  mayNeed: ['exec', 'x11', 'forwarded-streamlocal', 'forwarded-tcpip'],
  check: checkX11Options,
  lifetime: 'one-shot',
  keepalive: true,
  handOver: async (context, handOver, options) => {
    using ready = await readyForSsh(askedDisplay(options, context.settings), context);
    return await handOver({ kind: 'exec', command: commandOf(options.words) }, { x11: ready.wish });
  },
  run: async (context, options) => {
    const { connection, log, signal } = context;
    const asked = { ...askedDisplay(options, context.settings), log, signal };
    const command = commandOf(options.words);
    if (wayOf(options) === 'request') {
      await using forward = await x11(connection, asked);
      return await carry(forward, { kind: 'exec', command }, context).catch((error: unknown) => {
        throw withOtherWay(error);
      });
    }
    await using forward = await x11ByForward(connection, asked);
    return await carry(forward, { kind: 'exec', command }, context);
  },
});

/** Where the server refuses X11, there may be another way. */
function withOtherWay(error: unknown): unknown {
  if (!isViasshError(error, 'X11_REFUSED')) return error;
  const { code, message, hint = '', cause } = error;
  return new ViasshError(code, message, { hint: `${hint}; or try --way forward, which needs none of that`, cause });
}

/** As ssh joins its arguments. */
function commandOf(words: readonly string[]): string {
  return words.join(' ');
}

async function carry(
  opener: Pick<PluginContext['connection'], 'openSession'>,
  request: SessionRequest,
  { stdio, signal }: PluginContext,
): Promise<ExitStatus> {
  const { input: stdin, output: stdout, error: stderr } = stdio;
  const running = await pipe(opener, request, { stdin, stdout, stderr, signal });
  const exit = await running.exit;
  if (exit.kind === 'missing' && running.progress.outputClosed)
    return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  return exit;
}
