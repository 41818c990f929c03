import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** The uid of this process, also where no list of users has it. */
export async function ownUser(): Promise<number> {
  const self = await stat('/proc/self').catch(() => undefined);
  return self?.uid ?? userInfo().uid;
}
