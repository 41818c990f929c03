import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unescapeWord } from './split-words.ts';

/**
 * The paths below `directory` that a word with shell wildcards stands for (`*`, `?`, `[…]`; not in a leading dot, not
 * over a slash), sorted; the word itself, without its backslashes, when there are none or it has no wildcard.
 * Whether what is found may be used is for the caller to see.
 */
export function expandWildcards(directory: string, word: string): string[] {
  if (!hasWildcard(word)) return [unescapeWord(word)];
  const lead = /^\/*/.exec(word)?.[0] ?? '';
  let found = [lead];
  const parts = word.slice(lead.length).split(/\/+/);
  for (const [index, part] of parts.entries()) {
    const slash = index < parts.length - 1 ? '/' : '';
    found = hasWildcard(part)
      ? found.flatMap((base) => matches(join(directory, base), part).map((name) => `${base}${name}${slash}`))
      : found.map((base) => `${base}${unescapeWord(part)}${slash}`);
  }
  return found.length === 0 ? [unescapeWord(word)] : found.toSorted();
}

function matches(folder: string, part: string): string[] {
  const pattern = expressionOf(part);
  try {
    return readdirSync(folder).filter((name) => (!name.startsWith('.') || part.startsWith('.')) && pattern.test(name));
  } catch {
    return []; // no folder, or not to be read: nothing matches
  }
}

function hasWildcard(word: string): boolean {
  return /[*?[]/.test(word.replace(/\\./gu, ''));
}

/** POSIX.1-2024, Shell Command Language §2.14. */
function expressionOf(part: string): RegExp {
  const source = part.replace(/\\(.)|\[([!^]?)(\]?(?:[^\]\\]|\\.)*)\]|[\s\S]/gu, (token, escaped, not, set) => {
    if (typeof escaped === 'string') return literal(escaped);
    if (typeof set === 'string' && set !== '')
      return `[${not === '' ? '' : '^'}${unescapeWord(set).replace(/[\\\][^&|~]/g, '\\$&')}]`;
    if (token === '*') return '.*';
    return token === '?' ? '.' : literal(token);
  });
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return /(?!)/; // a range the wrong way round: it matches nothing
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
}
