import { isAbsolute, join } from 'node:path';
import { type RemoteShellProgram, ViasshError } from '@viassh/core';
import { uucpAccount } from './uucp-account.ts';
import { uucpRecipe } from './uucp-recipe.ts';

/** `uucp` only queues (-r); uucico then calls all systems that have work, waits for the end, and its exit code counts. */
const QUEUE_AND_CALL = 'uucp -I "$0" -r "$@" && exec uucico -I "$0" -D -f -r1';

/**
 * Taylor UUCP over our remote shell. Neither an option nor a variable tells it one: uucico calls by the port in its
 * configuration, and uucp(1) starts uucico with an environment of its own. So the recipe has to be installed first. For a
 * node in the folder UUCP_CONFIG we start both, so that the environment gets through; without that variable this is the
 * system's uucp, as it is.
 */
export const uucpProgram: RemoteShellProgram = {
  name: 'uucp',
  summary: 'uucp, calling the other system through viassh',
  recipes: [uucpRecipe],
  accounts: [uucpAccount],
  call(args, _shell, variables) {
    const folder = variables['UUCP_CONFIG'];
    if (folder === undefined || folder === '' || folder === '/etc/uucp') {
      if ((variables['VIASSH_SSH_OPTIONS'] ?? '[]') === '[]') return { file: 'uucp', args };
      throw new ViasshError('OPTION_INVALID', "options do not reach the system's uucico, which runs as the user uucp", {
        hint: "write them into that user's ssh_config, or set UUCP_CONFIG to a node of your own (viassh recipe uucp)",
      });
    }
    if (!isAbsolute(folder)) {
      throw new ViasshError('OPTION_INVALID', `UUCP_CONFIG is not an absolute path: '${folder}'`, {
        hint: 'uucico works in its spool folder and would not find it',
      });
    }
    return { file: 'sh', args: ['-c', QUEUE_AND_CALL, join(folder, 'config'), ...args] };
  },
};
