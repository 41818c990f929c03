import type { RrsyncLimits } from './limits.ts';
import { refused } from './refused.ts';
import { clusterHas, isServerCluster, type ServerOptionKind, serverOptionKind } from './server-options.ts';
import { splitWords, unescapeWord } from './split-words.ts';

/** An option whose value is a path below the folder. */
export interface PathOption {
  readonly name: string;
  readonly kind: Exclude<ServerOptionKind, 'flag' | 'value'>;
  /** Without `..`; not yet looked up. */
  readonly path: string;
}

/** What an rsync client asks its server to do, found allowed; its paths are not yet looked up. */
export interface ServerCommand {
  /** The far rsync sends: the client fetches. */
  readonly sender: boolean;
  /** Words that go to rsync as they are. */
  readonly plain: readonly string[];
  readonly pathOptions: readonly PathOption[];
  /** Backslashes still in them. */
  readonly operands: readonly string[];
  /** The names that are sent are the operands as a whole. */
  readonly relative: boolean;
}

/**
 * Reads SSH_ORIGINAL_COMMAND: `rsync --server [--sender] OPTIONS . PATHS`, as rsync's client sends it.
 *
 * @throws ViasshError RSYNC_REFUSED for all else, and for what the key may not do
 */
export function readServerCommand(command: string, limits: RrsyncLimits): ServerCommand {
  const start = /^rsync --server (--sender )?/.exec(command);
  if (start === null) throw refused('this key runs nothing but the server side of rsync');
  const sender = start[1] !== undefined;
  if (limits.readOnly && !sender) throw refused('this key may only fetch');
  if (limits.writeOnly && sender) throw refused('this key may only bring');
  const words = splitWords(command.slice(start[0].length));
  const plain: string[] = [];
  const pathOptions: PathOption[] = [];
  let relative = false;
  let at = 0;
  for (; at < words.length && words[at] !== '.'; at += 1) {
    const word = words[at] ?? '';
    checkBlanks(word);
    if (isServerCluster(word, limits)) {
      relative ||= clusterHas(word, 'R');
      plain.push(word);
      continue;
    }
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(word);
    const name = long?.[1] ?? '';
    const kind = serverOptionKind(name, limits);
    if (long === null || kind === undefined) throw refused(`the option ${word} is not allowed`);
    if (kind === 'flag') {
      if (long[2] !== undefined) throw refused(`the option --${name} takes no value`);
      if (name === 'no-relative') relative = false;
      plain.push(word);
      continue;
    }
    if (long[2] === undefined) at += 1;
    const value = unescapeWord(long[2] ?? words[at] ?? '');
    checkBlanks(value);
    if (value === '') throw refused(`the option --${name} has no value`);
    checkNoParent(value, `--${name}`);
    if (kind === 'value') {
      if (value.startsWith('/')) throw refused(`the option --${name} takes no path`);
      plain.push(`--${name}=${value}`);
    } else if (kind === 'list-of-files' && value === '-') plain.push(`--${name}=-`);
    else if (kind === 'list-of-files' && limits.writeOnly) throw refused('this key may not read a list of files here');
    else pathOptions.push({ name, kind, path: value });
  }
  if (at >= words.length) throw refused('the command does not go on with a dot and paths');
  const operands = words.slice(at + 1);
  for (const operand of operands) checkOperand(operand);
  if (!sender && operands.length > 1) throw refused('there is more than one destination');
  return { sender, plain, pathOptions, operands, relative };
}

/** Behind a blank of Unicode rrsync begins another option. A path may have one: no shell splits it there. */
function checkBlanks(word: string): void {
  if (/[^\S \t]/.test(word)) throw refused('among the options there is a blank that is not a plain one');
}

function checkOperand(operand: string): void {
  checkNoParent(unescapeWord(operand), 'a path');
  // A shell would make several words of it, and each could be anything.
  if (/(?<!\\)(?:\\\\)*\{(?:[^\\]|\\.)*?(?:,|\.\.)/.test(operand))
    throw refused('braces are not expanded here', 'name the files one by one, or put a backslash before the brace');
}

function checkNoParent(path: string, where: string): void {
  if (path.split('/').includes('..')) throw refused(`there is .. in ${where}: paths begin at the folder of this key`);
}
