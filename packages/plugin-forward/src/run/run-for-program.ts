import { type ExitStatus, type PluginContext, ViasshError } from '@viassh/core';
import type { Forward } from '../forward/forward.ts';
import { listeningPlace } from './listening-place.ts';

/**
 * Runs a program of this machine on our descriptors and resolves to how it ended. It finds each forward in its
 * environment; signals to us go to it. `ending` ends it.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND, PROGRAM_FAILED, ABORTED
 */
export async function runForProgram(
  { programs, signals }: Pick<PluginContext, 'programs' | 'signals'>,
  [file, ...args]: readonly string[],
  forwards: readonly Forward[],
  ending: AbortSignal,
): Promise<ExitStatus> {
  if (file === undefined) throw new ViasshError('OPTION_INVALID', '--for wants a program of this machine');
  const running = await programs.start({
    file,
    args,
    stdio: ['inherit', 'inherit', 'inherit'],
    env: forwardVariables(forwards),
    signal: ending,
  });
  const passing = signals?.handOn((name) => running.kill(name));
  try {
    return await running.exit;
  } finally {
    passing?.[Symbol.dispose]();
  }
}

/**
 * `VIASSH_FORWARD_LOCAL_1`, `…_REMOTE_1`, `…_SOCKS_1`, `…_HTTP_1` and so on, counted by kind in the order typed: `HOST:PORT`,
 * or a path. For ports also `…_HOST` (without brackets) and `…_PORT`.
 */
export function forwardVariables(forwards: readonly Pick<Forward, 'spec' | 'address'>[]): Record<string, string> {
  const variables: Record<string, string> = {};
  const counts = new Map<string, number>();
  for (const forward of forwards) {
    const { spec } = forward;
    const kind = (spec.kind === 'dynamic' ? spec.protocol : spec.kind).toUpperCase();
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = `VIASSH_FORWARD_${kind}_${count}`;
    const { place, host, port } = listeningPlace(forward);
    variables[name] = place.replace(/^(?:tcp|unix):/, '');
    if (host !== undefined && port !== undefined) {
      variables[`${name}_HOST`] = host;
      variables[`${name}_PORT`] = String(port);
    }
  }
  return variables;
}
