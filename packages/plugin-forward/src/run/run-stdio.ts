import { bridge, type ExitStatus, openFarEnd, type PluginContext } from '@viassh/core';
import type { FarTarget } from '../spec/forward-spec.ts';

/**
 * `ssh -W`: stdin and stdout joined to a target of the far end, half-closed both ways. Status 0 when it is through.
 *
 * @throws ViasshError CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, STREAM_FAILED, ABORTED
 */
export async function runStdio(
  { connection, stdio: { input, output }, signal }: PluginContext,
  target: FarTarget,
): Promise<ExitStatus> {
  const channel = await openFarEnd(connection, target, { signal });
  const { done, progress } = bridge(channel, { input, output }, { signal });
  await done;
  // A filter whose reader has gone: what a shell would show of any other one.
  if (progress.outputClosed) return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  return { kind: 'status', code: 0 };
}
