import { setTimeout as wait } from 'node:timers/promises';
import type { StatusSnapshot } from '@viassh/broker';
import { abortedError, ViasshError } from '@viassh/core';
import type { CommandContext } from '../commands/command-context.ts';
import { askOwnBroker, controlSocketOf } from './ask-own-broker.ts';

const WATCH_MS = 1000;

/** `viassh down`: these tunnels; without names all, and the broker ends. */
export async function runDown(context: CommandContext, names: readonly string[]): Promise<number> {
  const { said = [] } = await askOwnBroker(context, { ask: 'down', names });
  if (names.length === 0) await askOwnBroker(context, { ask: 'stop' });
  for (const line of said) context.stdout.write(`${line}\n`);
  return 0;
}

/** `viassh reload`: what was changed in the configuration, and nothing else. */
export async function runReload(context: CommandContext): Promise<number> {
  const { said = [] } = await askOwnBroker(context, { ask: 'reload' });
  for (const line of said) context.stdout.write(`${line}\n`);
  return 0;
}

/** `viassh status`: a table, JSON, or a picture that is drawn each second until a signal comes. */
export async function runStatus(
  context: CommandContext,
  { names, watch }: { readonly names: readonly string[]; readonly watch: boolean },
): Promise<number> {
  const { stdout, signal, globals } = context;
  const { drawStatus, formatStatus } = await import('@viassh/broker');
  let before: StatusSnapshot | undefined;
  for (;;) {
    const { status } = await askOwnBroker(context, { ask: 'status' });
    if (status === undefined) throw new ViasshError('BROKER_PROTOCOL', 'the broker has told no status');
    checkNames(names, status.tunnels);
    const at = Date.now();
    if (globals.json) {
      const tunnels = names.length === 0 ? status.tunnels : status.tunnels.filter(({ name }) => names.includes(name));
      stdout.write(`${JSON.stringify({ ...status, tunnels }, null, watch ? 0 : 2)}\n`);
    } else if (watch) stdout.write(drawStatus(before, { status, at }, { ...sizeOf(context), names }));
    else stdout.write(formatStatus(status, at, names));
    if (!watch) return 0;
    before = { status, at };
    await wait(WATCH_MS, undefined, { signal }).catch(() => {
      throw abortedError(signal.reason);
    });
  }
}

/** `viassh logs`: what was said so far; with `follow` what is said from now on as well. */
export async function runLogs(
  context: CommandContext,
  { name, follow }: { readonly name: string | undefined; readonly follow: boolean },
): Promise<number> {
  const { followLogs } = await import('@viassh/broker');
  const { stdout, signal } = context;
  for await (const line of followLogs(await controlSocketOf(context), { name, follow, signal })) {
    if (stdout.destroyed) break; // who reads it has gone
    stdout.write(`${line}\n`);
  }
  if (signal.aborted) throw abortedError(signal.reason);
  return 0;
}

function sizeOf({ stdout }: Pick<CommandContext, 'stdout'>): { readonly columns: number; readonly rows: number } {
  const { columns = 80, rows = 24 } = stdout as { columns?: number; rows?: number };
  return { columns, rows };
}

function checkNames(names: readonly string[], tunnels: readonly { readonly name: string }[]): void {
  const unknown = names.find((name) => !tunnels.some((tunnel) => tunnel.name === name));
  if (unknown === undefined) return;
  throw new ViasshError('TUNNEL_UNKNOWN', `there is no tunnel ${unknown}`, {
    hint: `there are: ${tunnels.map(({ name }) => name).join(', ') || 'none'}`,
  });
}
