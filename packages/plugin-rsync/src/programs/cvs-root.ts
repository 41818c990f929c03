import { ViasshError } from '@viassh/core';

// The letters of cvs 1.12's own options that take a value (main.c); the long ones are written with `=`.
const LETTERS_WITH_VALUE = 'bTedzs';

/** The root that `cvs [options] COMMAND …` names by `-d`; undefined when it names none. The last one counts. */
export function typedCvsRoot(args: readonly string[]): string | undefined {
  let root: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (!/^-./.test(word) || word === '--') break;
    if (word.startsWith('--')) continue;
    const letterAt = [...word].findIndex((letter, index) => index > 0 && LETTERS_WITH_VALUE.includes(letter));
    if (letterAt < 0) continue;
    const value = letterAt < word.length - 1 ? word.slice(letterAt + 1) : args[(at += 1)];
    if (word[letterAt] === 'd') root = value;
  }
  return root;
}

/**
 * Refuses a root with which cvs would not ask CVS_RSH, or that it does not take, where another spelling works:
 * `:extssh:` starts `ssh` itself; `:ext:` takes no port. Other roots are cvs's to judge.
 *
 * @throws ViasshError OPTION_INVALID with the root to write
 */
export function checkCvsRoot(root: string): void {
  const [, method = 'ext', options = '', rest = ''] =
    /^(?::(ext|extssh|ext=[^:;]*)((?:;[^:;]*)*):)?(.*)$/is.exec(root) ?? [];
  const [, place, port, path] = /^([^/:]*):(\d+)(\/.*)$/s.exec(rest) ?? [];
  const own = /;CVS_RSH=/i.test(options);
  const kept = options.replace(/;CVS_RSH=[^;]*/gi, '');
  if (/^extssh$/i.test(method) && !own) {
    throw refused(
      'cvs runs ssh itself for :extssh:, and does not ask its CVS_RSH',
      port === undefined ? `:ext${kept}:${rest}` : `:extssh;CVS_RSH=viassh-ssh${kept}:${rest}`,
    );
  }
  if (/^ext=/i.test(method)) throw refused(`cvs runs ${method.slice(4)} itself for :${method}:`, `:ext${kept}:${rest}`);
  if (/^ext$/i.test(method) && port !== undefined)
    throw refused('cvs takes no port with :ext:', `:extssh;CVS_RSH=viassh-ssh${kept}:${place}:${port}${path}`);
}

function refused(why: string, instead: string): ViasshError {
  return new ViasshError('OPTION_INVALID', why, { hint: `write the root as '${instead}'` });
}
