import type { RemoteShellProgram } from '@viassh/core';

/** uucp over our remote shell. */
export const uucpProgram: RemoteShellProgram = {
  name: 'uucp',
  summary: 'uucp over viassh',
  call: (args, { path }) => ({ file: 'uucp', args, env: { VIASSH_SSH: path } }),
};
