import type { RemoteShellProgram } from '@viassh/core';

/** scp over our remote shell. */
export const scpProgram: RemoteShellProgram = {
  name: 'scp',
  summary: 'scp over viassh',
  call: (args, { path }) => ({ file: 'scp', args: ['-S', path, ...args] }),
};
