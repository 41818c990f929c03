import { findLeaks, takeInventory } from '../leaks/inventory.ts';
import type { ComplianceBench } from './compliance-case.ts';

/** What the work leaves of descriptors, processes and private folders; the counting may take a moment. */
export async function leftBehind({ harness }: ComplianceBench, work: () => Promise<void>): Promise<string[]> {
  const where = { folders: harness.runtimeFolder === undefined ? [] : [harness.runtimeFolder] };
  const before = await takeInventory(where);
  await work();
  return await findLeaks(before, where);
}
