import type { RemoteShellProgram } from '@viassh/core';

/** git over our remote shell. */
export const gitProgram: RemoteShellProgram = {
  name: 'git',
  summary: 'git over viassh',
  call: (args, { path }) => ({ file: 'git', args, env: { GIT_SSH: path, GIT_SSH_VARIANT: 'ssh' } }),
};
