import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { refused } from './refused.ts';

// Linux, all but alpha, parisc and sparc; Node does not name it. A folder need not be readable to be held.
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** The first descriptor behind the standard ones: where rsync finds what is held. */
const FIRST = 3;

/**
 * What rsync is handed in place of paths: descriptors of files and folders that were found inside the folder of the key.
 * Whoever changes a link between our look and rsync's changes a name, and not what the descriptor stands for.
 */
export class HeldPaths {
  /** The folder itself, without symlinks. */
  readonly root: string;
  readonly #descriptors: number[] = [];
  readonly #folders = new Map<string, string>();

  /** @throws ViasshError RSYNC_REFUSED when it is no folder, or this system has no /proc to hold paths by */
  constructor(directory: string) {
    try {
      this.root = realpathSync(directory);
      if (!statSync(this.root).isDirectory()) throw new Error('no folder');
    } catch {
      throw refused('the folder of this key is not there', 'make the folder that the account names');
    }
    const here = openSync(this.root, O_PATH | O_DIRECTORY);
    try {
      if (linkOf(here) !== this.root) throw new Error('another path');
    } catch {
      throw refused('this system cannot hold on to a path', 'viassh rrsync needs Linux and its /proc');
    } finally {
      closeSync(here);
    }
  }

  /** For the program's stdio, from descriptor 3 on. */
  get descriptors(): readonly number[] {
    return this.#descriptors;
  }

  /**
   * Where `path`, below the root, leads: symlinks resolved, found inside the root.
   * `rest` are the last parts of it that do not exist.
   *
   * @throws ViasshError RSYNC_REFUSED when it leads out of the folder, or nowhere
   */
  lookUp(path: string): { readonly real: string; readonly rest: readonly string[] } {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    let real = this.root;
    for (const [index, part] of parts.entries()) {
      const next = join(real, part);
      try {
        real = realpathSync(next);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isLink(next)) throw refused(`${path} leads nowhere`);
        return { real, rest: parts.slice(index) };
      }
      if (!this.#isInside(real)) throw refused(`${path} leads out of the folder of this key`);
    }
    return { real, rest: [] };
  }

  /** Holds a folder that was looked up; gives its name for rsync, no slash behind it. */
  holdFolder(real: string): string {
    return this.#folders.get(real) ?? this.#hold(real, O_PATH | O_DIRECTORY | O_NOFOLLOW, real);
  }

  /** Holds a file that was looked up and is to be read. */
  holdFile(real: string): string {
    return this.#hold(real, O_RDONLY | O_NOFOLLOW | constants.O_NONBLOCK);
  }

  /** Makes the folders of `rest` below `real`, each inside the one that is held, and holds the last. */
  makeFolders(real: string, rest: readonly string[], mode: number): string {
    let fd = openSync(real, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    for (const part of rest) {
      const place = `/proc/self/fd/${fd}/${part}`;
      try {
        mkdirSync(place, { mode });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw refused(`the folder ${part} cannot be made: ${(error as NodeJS.ErrnoException).code}`);
      }
      const next = open(place, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      closeSync(fd);
      fd = next;
    }
    return this.#keep(fd);
  }

  close(): void {
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }

  #hold(real: string, flags: number, folder?: string): string {
    const name = this.#keep(open(real, flags));
    if (folder !== undefined) this.#folders.set(folder, name);
    return name;
  }

  #keep(fd: number): string {
    if (!this.#isInside(linkOf(fd))) {
      closeSync(fd);
      throw refused('a path changed while it was looked at');
    }
    return `/proc/self/fd/${FIRST + this.#descriptors.push(fd) - 1}`;
  }

  #isInside(real: string): boolean {
    return real === this.root || real.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep);
  }
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw refused(`a path cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function linkOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
