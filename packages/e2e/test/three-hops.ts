import { appendFile, readFile } from 'node:fs/promises';
import { type Sshd, startSshd } from '@viassh/testing';

/** Three servers, each with its own user, keys and known_hosts; the configuration of the last knows all of them. */
export async function startThree(
  stack: AsyncDisposableStack,
  config: readonly string[] = [],
): Promise<readonly [first: Sshd, second: Sshd, far: Sshd]> {
  const start = async (host: string): Promise<Sshd> => stack.use(await startSshd({ mode: 'listen', host, config }));
  const [first, second, far] = await Promise.all([start('first'), start('second'), start('far')]);
  for (const { configFile } of [first, second]) await appendFile(far.configFile, await readFile(configFile, 'utf8'));
  return [first, second, far];
}
