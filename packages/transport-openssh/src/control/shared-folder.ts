import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { forwardRefused } from '@viassh/core';
import type { ForwardFolder } from '../forward/remote-forwards.ts';
import type { ControlClient, MuxForward } from '../mux/control-client.ts';
import type { PrivateFolder } from '../master/private-folder.ts';

const HASH_BYTES = 6;
const SUFFIX = '.json';

/** The socket in a connection's own folder that is answered as long as its process lives. */
export const lifeSocket = 's';

/** What stands beside the socket of a forward. */
interface Claim {
  /** The folder of the connection that asked for it. */
  readonly owner: string;
  readonly forward: MuxForward;
}

/**
 * The folder of the forwards on one master, which all our processes share: a master that is not ours keeps forwards when we
 * are killed, and keeps in mind where a refused one was to lead. So each place has one socket, whoever asks for it, and a
 * note whose it is.
 */
export function sharedFolder(own: PrivateFolder, controlPath: string, control: ControlClient): ForwardFolder {
  const path = sharedPath(own, controlPath);
  return {
    path,
    claim: async (forward, request) => {
      const note = noteOf(forward);
      const found = await readClaim(note);
      if (found !== undefined) {
        if (await answers(found.owner)) throw forwardRefused(request, 'it is asked for already through this master');
        await cancel(control, found.forward, note);
      }
      await writeClaim(note, { owner: own.path, forward });
      return async () => {
        await rm(note, { force: true });
        await rmdir(path).catch(() => undefined); // others may have forwards
      };
    },
  };
}

/** Cancels at the master what processes left that were killed. */
export async function sweepForwards(own: PrivateFolder, controlPath: string, control: ControlClient): Promise<void> {
  const path = sharedPath(own, controlPath);
  const notes = (await readdir(path).catch(() => [])).filter((name) => name.endsWith(SUFFIX));
  for (const name of notes) {
    const note = join(path, name);
    const claim = await readClaim(note);
    if (claim === undefined) await rm(note, { force: true });
    else if (!(await answers(claim.owner))) await cancel(control, claim.forward, note);
  }
  await rmdir(path).catch(() => undefined);
}

function sharedPath(own: PrivateFolder, controlPath: string): string {
  const hash = createHash('sha256').update(controlPath).digest().subarray(0, HASH_BYTES);
  return join(dirname(own.path), `f-${hash.toString('base64url')}`);
}

function noteOf({ connect: to }: MuxForward): string {
  return `${'path' in to ? to.path : ''}${SUFFIX}`;
}

async function cancel(control: ControlClient, forward: MuxForward, note: string): Promise<void> {
  await control.closeForward(forward);
  await rm(note.slice(0, -SUFFIX.length), { force: true });
  await rm(note, { force: true });
}

/** The folder may go while we write: the last of another process's forwards takes it away. */
async function writeClaim(note: string, claim: Claim): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await mkdir(dirname(note), { recursive: true, mode: 0o700 });
      await writeFile(note, JSON.stringify(claim), { mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 3) throw error;
    }
  }
}

/** Undefined when there is none, or what is there is not one of ours whole. */
async function readClaim(note: string): Promise<Claim | undefined> {
  try {
    const claim = JSON.parse(await readFile(note, 'utf8')) as Partial<Claim>;
    const to = claim.forward?.connect;
    const isWhole = typeof claim.owner === 'string' && to !== undefined && 'path' in to;
    return isWhole && basename(note) === `${basename(to.path)}${SUFFIX}` ? (claim as Claim) : undefined;
  } catch {
    return undefined;
  }
}

async function answers(owner: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(join(owner, lifeSocket));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
