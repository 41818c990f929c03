import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expandWildcards } from './expand-wildcards.ts';
import type { HeldPaths } from './held-paths.ts';
import type { RrsyncLimits } from './limits.ts';
import type { PathOption, ServerCommand } from './read-server-command.ts';
import { refused } from './refused.ts';

/**
 * The arguments for the real rsync, to be run in `held.root`: every path of the command looked up, found inside the
 * folder, and replaced by what is held.
 *
 * @throws ViasshError RSYNC_REFUSED
 */
export function confine(command: ServerCommand, limits: RrsyncLimits, held: HeldPaths): string[] {
  const { sender, plain, pathOptions, relative } = command;
  const options = pathOptions.flatMap((option) => confineOption(option, sender, held));
  const paths = command.operands
    .flatMap((word) => expandWildcards(held.root, belowRoot(word, limits, held)))
    .map((path) => (sender ? confineSource(path, relative, held) : confineDestination(path, held)));
  if (!sender && paths.length > 1) throw refused('there is more than one destination');
  return [
    '--server',
    ...(sender ? ['--sender'] : []),
    ...plain,
    ...options,
    ...(sender ? [] : ['--drop-D']), // no device files; the client's -D stays, for it shapes the protocol
    `--confine-root=${held.root}`, // for the rules that come over the protocol: rsync 3.5 and later
    ...(limits.munge ? ['--munge-links'] : []),
    ...(limits.noOverwrite ? ['--ignore-existing'] : []),
    '--',
    '.',
    ...(paths.length === 0 ? ['.'] : paths),
  ];
}

/** With `-absolute`, the folder's own path may come first. All else that begins with a slash begins at the folder. */
function belowRoot(word: string, { absolute }: RrsyncLimits, { root }: HeldPaths): string {
  if (!absolute) return word;
  let at = 0;
  for (const character of root) {
    if (word[at] === '\\') at += 1;
    if (!word.startsWith(character, at)) return word;
    at += character.length;
  }
  return at === word.length || word[at] === '/' ? word.slice(at) : word;
}

const CREATED_MODE = { 'backup-dir': 0o777, 'partial-dir': 0o700 } as const;

function confineOption({ name, kind, path }: PathOption, sender: boolean, held: HeldPaths): string[] {
  if (kind !== 'list-of-files' && sender) return []; // only who writes uses them
  const { real, rest } = held.lookUp(path);
  const found = rest.length === 0;
  if (kind === 'list-of-files') {
    if (!found || !statSync(real).isFile()) throw refused(`there is no list of files ${path}`);
    return [`--${name}=${held.holdFile(real)}`];
  }
  if (found) return [`--${name}=${held.holdFolder(real)}`];
  if (kind === 'looked-up-folder') return []; // nothing is found in it either way
  if (kind === 'existing-folder') throw refused(`there is no folder ${path}`);
  const mode = CREATED_MODE[name as keyof typeof CREATED_MODE];
  return [`--${name}=${held.makeFolders(real, rest, mode)}`];
}

/** With a slash behind it rsync opens a folder; else it sends the last name as it finds it, a link as a link. */
function confineSource(path: string, relative: boolean, held: HeldPaths): string {
  const { real, rest } = held.lookUp(path);
  if (rest.length > 0) throw refused(`there is no ${path}`);
  if (relative) {
    const [, anchor = '', name = ''] = /^(?:(.*?)\/\.\/)?(.*)$/s.exec(path.replace(/^\.?\/+/, '')) ?? [];
    return `${held.holdFolder(held.lookUp(anchor).real)}/./${name.replace(/^\/+/, '')}`;
  }
  if (real === held.root) return '.';
  if (/\/\.?$/.test(path)) return `${held.holdFolder(real)}/`;
  return `${held.holdFolder(held.lookUp(dirname(path)).real)}/${basename(path)}`;
}

function confineDestination(path: string, held: HeldPaths): string {
  const { real, rest } = held.lookUp(path);
  if (rest.length > 0) return `${held.holdFolder(real)}/${rest.join('/')}${/\/\.?$/.test(path) ? '/' : ''}`;
  if (real === held.root) return '.';
  if (statSync(real).isDirectory()) return `${held.holdFolder(real)}/`;
  return `${held.holdFolder(held.lookUp(dirname(path)).real)}/${basename(path)}`;
}
