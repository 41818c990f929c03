import { type ProgramFailure, sanitize } from '@viassh/core';

/**
 * Asks a destination whether its shell prints something before a command's own output, which no protocol survives.
 * Undefined: it is silent, or cannot be asked. The probe is `true`, which prints nothing itself and always succeeds.
 */
export async function explainStartupNoise(
  failure: Pick<ProgramFailure, 'ask'>,
  destination: string,
): Promise<string | undefined> {
  const said = await failure.ask(destination, 'true').catch(() => undefined);
  if (said === undefined || said.stdout === '' || said.exit.kind !== 'status' || said.exit.code !== 0) return undefined;
  const line = said.stdout.split('\n').find((text) => text.trim() !== '') ?? '';
  return (
    `the shell on ${sanitize(destination)} prints before the protocol begins: "${sanitize(line).slice(0, 200)}"; ` +
    'let its start-up files (.bashrc, .profile, .cshrc) print only at a terminal, ' +
    `e.g. as the first line of .bashrc: case $- in *i*) ;; *) return ;; esac`
  );
}
