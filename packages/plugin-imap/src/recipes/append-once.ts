import { quoteWord } from '@viassh/core';

/**
 * Lines for sh that append `text` to the file in `$file`, once: not where a line of it is `mark` already. A new file is
 * its owner's alone; a last line without its end gets one, and an empty line stands before the text: mbsync's sections end
 * there. `more` are commands whose output goes behind the text. Nothing exits: the lines may have been pasted into a shell.
 */
export function appendOnce(mark: string, text: string, more: readonly string[] = []): string {
  return `if grep -qxF ${quoteWord(mark)} "$file" 2>/dev/null; then
  echo "$file has this already; nothing was changed. To change it, take these lines out of it first: ${mark}" >&2
else
  [ -e "$file" ] || (umask 077 && : >"$file")
  {
    [ -z "$(tail -c 1 "$file")" ] || echo
    echo
    cat <<'END'
${mark}
${text}
END
${more.map((line) => `    ${line}\n`).join('')}  } >>"$file"
fi
`;
}
