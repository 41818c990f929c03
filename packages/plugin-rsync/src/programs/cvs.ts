import type { RemoteShellProgram } from '@viassh/core';

/** cvs over our remote shell. */
export const cvsProgram: RemoteShellProgram = {
  name: 'cvs',
  summary: 'cvs over viassh',
  call: (args, { path }) => ({ file: 'cvs', args, env: { CVS_RSH: path } }),
};
