import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import {
  coloursOf,
  missingForSshd,
  missingForXvfb,
  type Sshd,
  startSshd,
  startXvfb,
  toPng,
  type XImage,
  type Xvfb,
  type XvfbOptions,
} from '@viassh/testing';
import { tidyTest } from './both-transports.ts';
import {
  type Outcome,
  type RunningViassh,
  type RunOptions,
  startViassh,
  type StartOptions,
  viassh,
} from './run-viassh.ts';

/** One of the ways from a program there to the display here. */
export interface Way {
  readonly name: string;
  readonly args: readonly string[];
}

const ways = {
  ssh2: { name: 'ssh2', args: ['--transport', 'ssh2'] },
  openssh: { name: 'openssh, handed over', args: ['--transport', 'openssh'] },
  ssh2Forward: { name: 'ssh2, --way forward', args: ['--transport', 'ssh2', '--way', 'forward'] },
  opensshForward: { name: 'openssh, --way forward', args: ['--transport', 'openssh', '--way', 'forward'] },
} as const satisfies Record<string, Way>;

export type WayName = keyof typeof ways;
export const allWays = Object.keys(ways) as WayName[];

/** An sshd that allows X11, and an X server: for all tests of a file. */
export class Ends implements AsyncDisposable {
  readonly sshd: Sshd;
  readonly server: Xvfb;

  constructor(sshd: Sshd, server: Xvfb) {
    this.sshd = sshd;
    this.server = server;
  }

  /** Runs `script` on the far end with the display of this one. */
  run(way: Way, script: string, options: readonly string[] = [], run: RunOptions = {}): Promise<Outcome> {
    return viassh(this.#words(way, script, options), { ...run, env: { ...this.server.env, ...run.env } });
  }

  start(way: Way, script: string, options: readonly string[] = [], start: StartOptions = {}): RunningViassh {
    return startViassh(this.#words(way, script, options), { ...start, env: { ...this.server.env, ...start.env } });
  }

  #words(way: Way, script: string, options: readonly string[]): string[] {
    return ['x11', '-F', this.sshd.configFile, ...way.args, ...options, this.sshd.destination, '--', script];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.sshd[Symbol.asyncDispose]();
  }
}

/** For tap: the reason why there can be no X11 here, or false. */
export const skipWithoutX11: string | false = (await missingForXvfb()) ?? (await missingForSshd()) ?? false;

/** Starts both, unless they cannot be had; they end with the file's last test. */
export async function startEnds(t: Test, options: XvfbOptions = {}): Promise<Ends | undefined> {
  if (skipWithoutX11 !== false) return undefined;
  const ends = new Ends(await startSshd({ mode: 'listen', config: ['X11Forwarding yes'] }), await startXvfb(options));
  t.teardown(() => ends[Symbol.asyncDispose]());
  return ends;
}

/** The same test for each of some ways. */
export function onWays(
  ends: Ends | undefined,
  names: readonly WayName[],
  name: string,
  body: (t: Test, way: Way, ends: Ends) => Promise<void>,
): void {
  for (const wayName of names) {
    const way = ways[wayName];
    const run = async (t: Test): Promise<void> => {
      if (ends !== undefined) await body(t, way, ends);
    };
    tidyTest(`${way.name}: ${name}`, run, skipWithoutX11);
  }
}

/** What the window of this name shows, once something is drawn in it. */
export async function pictureOf(server: Xvfb, name: string): Promise<XImage | undefined> {
  const window = (await server.windows()).find((candidate) => candidate.name === name);
  if (window === undefined) return undefined;
  const image = await server.picture(window.id).catch(() => undefined); // it may be gone meanwhile, or not be there yet
  return image !== undefined && coloursOf(image) > 1 ? image : undefined;
}

/** Keeps a picture for people to look at. */
export function keep(name: string, image: XImage): void {
  const folder = fileURLToPath(new URL('../../../.test-output/x11/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${name.replaceAll(/\W+/g, '-')}.png`, toPng(image));
}
