import { open } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import {
  abortedError,
  type AuthenticationPrompt,
  type Authenticator,
  exitCodeOf,
  type ProgramRunner,
} from '@viassh/core';

/**
 * Asks as ssh does: by the program in SSH_ASKPASS where SSH_ASKPASS_REQUIRE or a missing terminal with a display says so,
 * otherwise on the terminal, never on stdin. Nobody is there to ask when neither is.
 *
 * @param hasLeft the terminal is somebody else's: what is typed there goes to a shell
 */
export function terminalAuthenticator(
  programs: ProgramRunner,
  variables: NodeJS.ProcessEnv,
  hasLeft = false,
): Authenticator {
  return {
    async ask(prompt, signal) {
      const require = variables['SSH_ASKPASS_REQUIRE'];
      const program = variables['SSH_ASKPASS'];
      const hasDisplay = [variables['DISPLAY'], variables['WAYLAND_DISPLAY']].some(
        (value) => value !== undefined && value !== '',
      );
      if (program !== undefined && (require === 'force' || require === 'prefer'))
        return await askProgram(programs, program, prompt, signal);
      const answer = hasLeft ? 'no terminal' : await askTerminal(prompt, signal);
      if (answer !== 'no terminal') return answer.text;
      if (program !== undefined && hasDisplay && require !== 'never')
        return await askProgram(programs, program, prompt, signal);
      return undefined;
    },
  };
}

async function askProgram(
  programs: ProgramRunner,
  file: string,
  prompt: AuthenticationPrompt,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { exit, stdout } = await programs.run({ file, args: [prompt.text], signal });
  return exitCodeOf(exit) === 0 ? stdout.replace(/\r?\n$/, '') : undefined;
}

async function askTerminal(
  prompt: AuthenticationPrompt,
  signal?: AbortSignal,
): Promise<{ text: string | undefined } | 'no terminal'> {
  const terminal = await open('/dev/tty', 'r+').catch(() => undefined);
  if (terminal === undefined) return 'no terminal';
  const input = new ReadStream(terminal.fd);
  try {
    await terminal.write(`${prompt.text} `);
    input.setRawMode(true);
    const text = await readLine(input, signal);
    await terminal.write('\r\n');
    return { text };
  } finally {
    input.setRawMode(false);
    input.destroy(); // closes the descriptor
    await terminal.close().catch(() => undefined);
  }
}

/** One line without echo; undefined on end of input. Ctrl-C aborts. */
async function readLine(input: ReadStream, signal?: AbortSignal): Promise<string | undefined> {
  const CTRL_C = '\u0003';
  const CTRL_D = '\u0004';
  let line = '';
  input.setEncoding('utf8');
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    if (signal?.aborted === true) throw abortedError(signal.reason);
    for (const character of chunk as string) {
      if (character === '\r' || character === '\n') return line;
      if (character === CTRL_C) throw abortedError();
      if (character === CTRL_D && line === '') return undefined;
      line = character === '\u007f' || character === '\b' ? line.slice(0, -1) : line + character;
    }
  }
  return undefined;
}
