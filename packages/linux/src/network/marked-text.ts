/**
 * Lines of ours at the top of a file that others own, resolv.conf and hosts: a block for each link between two marks. What
 * else changes in the file meanwhile is left alone, and when the last block goes, it is as if there had been none.
 */

const HIDDEN = '#viassh# ';

/** Adds the block of `owner`, or replaces it. Lines of the file that `hide` matches do not count as long as there is a block. */
export function withBlock(text: string, owner: string, lines: readonly string[], hide?: RegExp): string {
  const rest = withoutBlock(text, owner);
  const hidden = hide === undefined ? rest : mapOwnLines(rest, (line) => (hide.test(line) ? `${HIDDEN}${line}` : line));
  return [begin(owner), ...lines, end(owner), hidden].join('\n');
}

/** Takes the block of `owner` away; with the last one, hidden lines count again. */
export function withoutBlock(text: string, owner: string): string {
  const from = text.startsWith(`${begin(owner)}\n`) ? 0 : text.indexOf(`\n${begin(owner)}\n`) + 1;
  const to = text.indexOf(`${end(owner)}\n`, from);
  const found = to >= 0 && (from > 0 || text.startsWith(`${begin(owner)}\n`));
  const rest = found ? text.slice(0, from) + text.slice(to + end(owner).length + 1) : text;
  return /^# viassh \S+: begin$/m.test(rest)
    ? rest
    : rest
        .split('\n')
        .map((line) => (line.startsWith(HIDDEN) ? line.slice(HIDDEN.length) : line))
        .join('\n');
}

function begin(owner: string): string {
  return `# viassh ${owner}: begin`;
}

function end(owner: string): string {
  return `# viassh ${owner}: end`;
}

/** Lines outside of all blocks. */
function mapOwnLines(text: string, change: (line: string) => string): string {
  let inBlock = false;
  return text
    .split('\n')
    .map((line) => {
      if (/^# viassh \S+: begin$/.test(line)) inBlock = true;
      const changed = inBlock ? line : change(line);
      if (/^# viassh \S+: end$/.test(line)) inBlock = false;
      return changed;
    })
    .join('\n');
}
