import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

/**
 * For what passes bytes on: every chunk is garbage a moment later, and a small young generation has it collected before
 * it piles up to more than 100 MiB, and while the processor's cache still has it. V8 complains of flags it does not know.
 */
export function keepYoungGenerationSmall(): void {
  if (process.versions.v8.startsWith('13.6.')) setFlagsFromString('--scavenger-max-new-space-capacity-mb=2');
}
