import { quoteCommand } from '@viassh/core';
import type { MailProtocol } from './mail-protocol.ts';

/** Cyrus knows no PREAUTH, and serves nobody without its master. */
const CYRUS = '/usr/lib/cyrus/bin';

/**
 * A command for any shell (also csh and fish: one line, nothing in the quotes that they would read) that runs the first
 * of the protocol's servers that is there, in its own place, and says on stderr which; 127 and their names when none is.
 */
export function findServer({ commands, port }: Pick<MailProtocol, 'commands' | 'port'>): string {
  const script = [
    `for name in ${commands.join(' ')}`,
    'do file=$(command -v "$name") && [ -f "$file" ] && [ -x "$file" ] && { echo "found $file" >&2; exec "$file"; }',
    'done',
    `echo "looked for ${commands.join(', ')}" >&2`,
    `[ -d ${CYRUS} ] && echo "Cyrus is there, and asks for a login: reach it with --to ${port}" >&2`,
    'exit 127',
  ];
  return quoteCommand(['sh', '-c', script.join('; ')]);
}
