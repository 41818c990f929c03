import { join } from 'node:path';
import type { ControlAnswer, Question } from '@viassh/broker';
import type { CommandContext } from '../commands/command-context.ts';

/** Where the broker of this runtime folder listens. */
export async function controlSocketOf({ environment }: Pick<CommandContext, 'environment'>): Promise<string> {
  const { controlSocketName } = await import('@viassh/broker');
  return join(environment.runtimeFolder, controlSocketName);
}

/** Asks the broker. @throws ViasshError BROKER_ABSENT, FOLDER_UNSAFE, BROKER_PROTOCOL, ABORTED; its own failure */
export async function askOwnBroker(
  context: Pick<CommandContext, 'environment' | 'signal'>,
  question: Question,
): Promise<Extract<ControlAnswer, { ok: true }>> {
  const { askBroker, failureOf } = await import('@viassh/broker');
  const answer = await askBroker(await controlSocketOf(context), question, { signal: context.signal });
  if (!answer.ok) throw failureOf(answer);
  return answer;
}
