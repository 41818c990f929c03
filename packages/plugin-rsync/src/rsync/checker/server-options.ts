import type { RrsyncLimits } from './limits.ts';

/** What an option of the far rsync takes. `created`: a folder that rsync makes; `looked-up`: one that may be missing. */
export type ServerOptionKind =
  | 'flag'
  | 'value'
  | 'created-folder'
  | 'existing-folder'
  | 'looked-up-folder'
  | 'list-of-files';

const words = (text: string): string[] => text.trim().split(/\s+/);

// What a client sends to its server, options.c, server_options(), and a little more that does no harm. Left out on
// purpose: daemon, debug and what reaches devices (copy-devices, write-devices), files named by the client (log-file),
// links that lead out (copy-unsafe-links), the undoing of -munge, and whatever a later rsync may bring.
const KINDS: ReadonlyMap<string, ServerOptionKind> = new Map<string, ServerOptionKind>([
  ...words(`
    append delay-updates delete delete-after delete-before delete-delay delete-during delete-excluded
    delete-missing-args dirs existing fake-super force from0 fsync fuzzy group hard-links ignore-errors ignore-existing
    ignore-missing-args ignore-times inplace links list-only mkpath msgs2stderr munge-links new-compress
    no-W no-implied-dirs no-msgs2stderr no-r no-relative no-specials numeric-ids old-compress one-file-system
    open-noatime owner partial perms preallocate recursive remove-sent-files remove-source-files safe-links size-only
    specials stats super times use-qsort
  `).map((name) => [name, 'flag'] as const),
  ...words(`
    block-size bwlimit checksum-choice checksum-seed compress-choice compress-level compress-threads groupmap iconv
    info log-format max-alloc max-delete max-size min-size modify-window only-write-batch skip-compress stderr suffix
    timeout usermap
  `).map((name) => [name, 'value'] as const),
  ['backup-dir', 'created-folder'],
  ['partial-dir', 'created-folder'],
  ['temp-dir', 'existing-folder'],
  ['compare-dest', 'looked-up-folder'],
  ['copy-dest', 'looked-up-folder'],
  ['link-dest', 'looked-up-folder'],
  ['files-from', 'list-of-files'],
]);

/** -K, -L and -k follow symlinks; -s has the client send further options where nobody can look at them. */
const LETTERS = 'ACDEHIJNORSUWXbcdglmnopqrtuvxyz';

/** The kind of a long option, without its dashes; undefined when the key may not use it. */
export function serverOptionKind(name: string, limits: RrsyncLimits): ServerOptionKind | undefined {
  if (limits.noDelete && /^(?:delete|remove)/.test(name)) return undefined;
  if (limits.noOverwrite && /^(?:partial-dir|backup-dir|delay-updates)$/.test(name)) return undefined;
  return KINDS.get(name);
}

/** A cluster of short options as rsync sends it, its capabilities behind `e` included (`-vlogDtpre.iLsfxCIvu`). */
export function isServerCluster(word: string, { noOverwrite }: RrsyncLimits): boolean {
  if (/^-[@B]\d+$/.test(word)) return true;
  const cluster = /^-([A-Za-z]*?)(?:e\d*\.\w*)?$/.exec(word);
  if (cluster === null || word === '-') return false;
  return [...(cluster[1] ?? '')].every((letter) => LETTERS.includes(letter) && !(noOverwrite && letter === 'b'));
}

/** Does a cluster have this letter among its options? */
export function clusterHas(word: string, letter: string): boolean {
  return word.replace(/e\d*\.\w*$/, '').includes(letter);
}
