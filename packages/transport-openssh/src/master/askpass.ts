import type { AuthenticationPrompt, Authenticator } from '@viassh/core';
import { type Fifo, openFifoWriter, readFifoLines } from './fifo-lines.ts';
import type { PrivateFolder } from './private-folder.ts';
import type { SshLog } from './translate-error.ts';

/** FIFOs of the askpass script, by name in the private folder. */
export const askFifos: readonly string[] = ['ask.in', 'ask.out'];

/** More questions than this in one login are somebody playing with us. */
const MOST_QUESTIONS = 20;

/**
 * Writes `pid prompt` into one FIFO and waits in the other for the line that begins with its own pid: an answer to a
 * question that ssh gave up is nobody's. A notice or a yes-or-no of an agent is no question for a secret.
 */
const script = `case "\${SSH_ASKPASS_PROMPT-}" in none | confirm) exit 1 ;; esac
printf '%s %s\\n' "$$" "$(printf %s "$1" | tr '\\n' ' ')" >"$here/ask.in" || exit 1
while IFS= read -r line; do
  case $line in
    "$$ +"*) printf '%s\\n' "\${line#"$$ +"}"; exit 0 ;;
    "$$ -") exit 1 ;;
  esac
done <"$here/ask.out"
exit 1`;

/**
 * Serves ssh's questions for secrets by a script as SSH_ASKPASS. Secrets pass through a FIFO of the private folder alone,
 * never through argv or environment. A question about a host key is answered with no: that is not a secret's business.
 */
export async function serveAskpass(
  folder: PrivateFolder,
  authenticator: Authenticator,
  log: SshLog,
  signal: AbortSignal,
): Promise<readonly Fifo[]> {
  await folder.writeScript('ask', script);
  const answers = await openFifoWriter(folder.file('ask.out'));
  let asked = 0;
  const answer = async (pid: string, text: string): Promise<void> => {
    asked += 1;
    const allowed = asked <= MOST_QUESTIONS && !/\(yes\/no|type 'yes'/i.test(text);
    const secret = allowed ? await authenticator.ask(promptOf(text, log), signal).catch(() => undefined) : undefined;
    answers.writeLine(secret === undefined || /[\r\n]/.test(secret) ? `${pid} -` : `${pid} +${secret}`);
  };
  const questions = await readFifoLines(folder.file('ask.in'), (line) => {
    const [, pid = '', text = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
    void answer(pid, text);
  });
  return [questions, answers];
}

/** The environment that makes ssh (≥ 8.4) use the script even with a terminal at hand. */
export function askpassEnvironment(folder: PrivateFolder): Record<string, string> {
  return { SSH_ASKPASS: folder.file('ask'), SSH_ASKPASS_REQUIRE: 'force' };
}

/**
 * What kind of secret ssh asks for. A server chooses the words of keyboard-interactive, so nothing that may come from
 * it is taken for a question about a key of ours: neither a prompt with ssh's `(user@host)` mark (≥ 8.9), nor any
 * prompt once that method has begun.
 */
function promptOf(raw: string, log: SshLog): AuthenticationPrompt {
  const text = raw.trim();
  const ofServer = log.keyboardInteractiveBegan || /^\(\S+@\S+\) /.test(text);
  const kind = ofServer
    ? 'keyboard-interactive'
    : /^Enter (?:passphrase|PIN) for /.test(text)
      ? 'passphrase'
      : /^\S+@\S+'s password:$/.test(text)
        ? 'password'
        : 'keyboard-interactive';
  return { kind, text, echo: false };
}
