import { isAbsolute, join } from 'node:path';
import { type RemoteShellProgram, ViasshError } from '@viassh/core';
import { uucpAccount } from './uucp-account.ts';
import { uucpRecipe } from './uucp-recipe.ts';

/**
 * Taylor UUCP over our remote shell. uucp(1) only queues; uucico calls, by the port in its configuration and nothing
 * else: neither an option nor a variable names a remote shell. So the recipe has to be installed, and this is `uucp`
 * with the configuration in the folder UUCP_CONFIG, or without that variable with the system's.
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
        hint: "write them into that user's ssh_config, or make a node of your own: viassh recipe uucp DEST",
      });
    }
    if (!isAbsolute(folder)) {
      throw new ViasshError('OPTION_INVALID', `UUCP_CONFIG is not an absolute path: '${folder}'`, {
        hint: 'uucico works in its spool folder and would not find it',
      });
    }
    return { file: 'uucp', args: ['-I', join(folder, 'config'), ...args] };
  },
};
