import { writeFile } from 'node:fs/promises';
import {
  type AuthenticationPrompt,
  type Authenticator,
  type CustomHostKeyVerifier,
  parseHostKey,
  type ResolvedDestination,
} from '@viassh/core';
import { type Fifo, openFifoWriter, readFifoLines } from './fifo-lines.ts';
import type { PrivateFolder } from './private-folder.ts';

/** FIFOs that the helpers need, by name in the private folder. */
export const askFifos: readonly string[] = ['ask.in', 'ask.out'];
export const verifyFifos: readonly string[] = ['verify.in', 'verify.out'];

/**
 * Serves ssh's questions for secrets: a script as SSH_ASKPASS that writes the prompt into one FIFO and prints what comes
 * out of another. Secrets pass through the private folder's FIFO alone, never through argv or environment.
 */
export async function serveAskpass(
  folder: PrivateFolder,
  authenticator: Authenticator,
  signal: AbortSignal,
): Promise<readonly Fifo[]> {
  await writeScript(
    folder,
    'ask',
    'printf "%s\\n" "$(printf %s "$1" | tr "\\n" " ")" >"$here/ask.in"; read -r line <"$here/ask.out" || exit 1; [ "$line" != - ] || exit 1; printf "%s\\n" "${line#+}"',
  );
  const answers = await openFifoWriter(folder.file('ask.out'));
  const questions = await readFifoLines(folder.file('ask.in'), (text) => {
    void authenticator
      .ask(promptOf(text), signal)
      .catch(() => undefined)
      .then((secret) => answers.writeLine(secret === undefined || /[\r\n]/.test(secret) ? '-' : `+${secret}`));
  });
  return [questions, answers];
}

/** The environment that makes ssh use the askpass script even with a terminal at hand (ssh ≥ 8.4; DISPLAY for older). */
export function askpassEnvironment(folder: PrivateFolder): Record<string, string> {
  return { SSH_ASKPASS: folder.file('ask'), SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none:0' };
}

/**
 * Serves ssh's look-ups of host keys: a script as KnownHostsCommand hands each key presented to `verifier`; only an
 * accepted one gets a known_hosts line. `onRefusal` hears why not.
 */
export async function serveHostKeyVerifier(
  folder: PrivateFolder,
  verifier: CustomHostKeyVerifier,
  hop: ResolvedDestination,
  onRefusal: (reason: string) => void,
  signal: AbortSignal,
): Promise<readonly Fifo[]> {
  await writeScript(
    folder,
    'verify',
    '[ "$1" = HOSTNAME ] || exit 0; printf "%s %s %s\\n" "$2" "$3" "$4" >"$here/verify.in"; read -r line <"$here/verify.out" && printf "%s\\n" "$line"',
  );
  const decide = async (line: string): Promise<string> => {
    const [type = '', key = '', name = ''] = line.split(' ');
    try {
      const decision = await verifier.verify(parseHostKey(Buffer.from(key, 'base64')), hop, signal);
      if (decision.accepted) return `${name} ${type} ${key}`;
      onRefusal(decision.reason);
    } catch (error) {
      onRefusal(error instanceof Error ? error.message : String(error));
    }
    return '#';
  };
  const answers = await openFifoWriter(folder.file('verify.out'));
  const questions = await readFifoLines(
    folder.file('verify.in'),
    (line) => void decide(line).then((text) => answers.writeLine(text)),
  );
  return [questions, answers];
}

async function writeScript(folder: PrivateFolder, name: string, body: string): Promise<void> {
  await writeFile(folder.file(name), `#!/bin/sh\nhere='${folder.path}'\n${body}\n`, { mode: 0o700 });
}

function promptOf(text: string): AuthenticationPrompt {
  const kind = /passphrase/i.test(text)
    ? 'passphrase'
    : /'s password:/i.test(text)
      ? 'password'
      : 'keyboard-interactive';
  return { kind, text: text.trim(), echo: false };
}
