import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteCommand } from '@viassh/core';
import { type PrivateNetwork, waitUntil } from '@viassh/testing';
import { type RunningViassh, startViassh, type StartOptions, viassh, type Outcome } from './run-viassh.ts';

/** A `viassh ppp` that runs in a network of its own. */
export interface RunningLink extends RunningViassh {
  /** The device that it made. */
  readonly device: string;
}

/** The words of `viassh ppp` that are the same in every test, with the folder in which it notes what has to be undone. */
export interface LinkPlace {
  readonly network: PrivateNetwork;
  readonly configFile: string;
  readonly transport: string;
  readonly stateFolder: string;
  /** Words before the run that take something away from it; they must end in an exec. */
  readonly without?: readonly string[] | undefined;
}

const isUp = /^viassh: warning: (\S+): .*, MTU \d+, by /m;

/**
 * Starts a link and waits until it is up.
 *
 * @throws Error with what it said when it ends before
 */
export async function startLink(
  place: LinkPlace,
  args: readonly string[],
  options: StartOptions = {},
): Promise<RunningLink> {
  const running = startViassh(wordsOf(place, args), { ...options, shell: inside(place) });
  let ended = false;
  void running.exit.then(() => (ended = true));
  await waitUntil('the link to be up', () => ended || isUp.test(running.stderr()), { withinMs: 20_000 }).catch(
    () => undefined,
  );
  const device = isUp.exec(running.stderr())?.[1];
  if (device !== undefined && !ended) return { ...running, device };
  await running[Symbol.asyncDispose]();
  throw new Error(`the link did not come up; it said: ${running.stderr()}`);
}

/** Runs one that has to end by itself. */
export async function failLink(
  place: LinkPlace,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Outcome> {
  return await viassh(wordsOf(place, args), { ...options, shell: inside(place) });
}

/** How often the link has come up. */
export function timesUp(link: RunningViassh): number {
  return link
    .stderr()
    .split('\n')
    .filter((line) => isUp.test(line)).length;
}

/** A web server behind the far end, with a page and a file of 1 MiB, as the guest has one. */
export async function serveWeb(network: PrivateNetwork, folder: string): Promise<void> {
  const web = join(folder, 'web');
  await mkdir(web);
  await chmod(web, 0o755);
  await writeFile(join(web, 'index.html'), 'hello from the far end\n', { mode: 0o644 });
  await writeFile(join(web, '1m'), Buffer.alloc(1 << 20, 'viassh'), { mode: 0o644 });
  await network.serve('busybox', ['httpd', '-f', '-p', '80', '-h', web]);
}

/** Fetches a page through the link, in its network. */
export async function fetchPage({ network }: Pick<LinkPlace, 'network'>, url: string): Promise<string> {
  return (await network.run('curl', ['-sS', '-g', '--max-time', '20', '--noproxy', '*', url])).stdout;
}

/** The bytes that come when a URL is fetched. */
export async function countBytes({ network }: Pick<LinkPlace, 'network'>, url: string): Promise<number> {
  const words = ['-sS', '-g', '--max-time', '20', '--noproxy', '*', '-o', '/dev/null', '-w', '%{size_download}', url];
  return Number((await network.run('curl', words)).stdout);
}

/** Pings once. @throws Error when there is no answer */
export async function ping({ network }: Pick<LinkPlace, 'network'>, address: string): Promise<void> {
  await network.run('busybox', ['ping', '-c', '1', '-W', '5', address]);
}

function wordsOf({ configFile, transport, stateFolder }: LinkPlace, args: readonly string[]): string[] {
  return ['ppp', '-F', configFile, '--transport', transport, '--state-folder', stateFolder, ...args];
}

/** nsenter is replaced by the run: its process id stays that of the run. */
function inside({ network, without = [] }: Pick<LinkPlace, 'network' | 'without'>): string {
  return `exec ${quoteCommand([...network.inside, ...without])} "$@"`;
}
