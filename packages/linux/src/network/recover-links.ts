import type { IpLink } from './ip-program.ts';
import type { NetworkTools } from './link-network.ts';
import { goesWithDevice, undoSteps } from './link-setting.ts';
import { ipUndoWords, type Step } from './step.ts';

/** Takes back what the journal says of processes that are gone; gives the number of their links. */
export async function recoverLinks(tools: NetworkTools): Promise<number> {
  const abandoned = await tools.journal.abandoned();
  for (const [name, { owner, device, deviceIndex, steps }, sameBoot] of abandoned) {
    tools.log.info(`taking back what viassh (process ${owner.pid}) left of ${device} when it was killed`);
    const [link] = (await tools.ip.ask<IpLink[]>('link', 'show', 'dev', device)) ?? [];
    const there = link?.ifindex === deviceIndex; // another one may have its name by now
    await undoSteps(
      tools,
      steps.filter(isPlain).filter((step) => {
        if (step.kind === 'dns' || step.kind === 'names') return true; // files outlive both
        return sameBoot && (there || !goesWithDevice(step, device));
      }),
    );
    await tools.journal.forget(name);
  }
  return abandoned.length;
}

/** One line of plain words: a file that was made by somebody else does nothing. */
function isPlain(step: Step): boolean {
  return /^[\w .:/@-]*$/.test(ipUndoWords(step) ?? '');
}
