import type { RemoteShellProgram } from '@viassh/core';

/** rsync over our remote shell. */
export const rsyncProgram: RemoteShellProgram = {
  name: 'rsync',
  summary: 'rsync over viassh',
  call: (args, { path }) => ({ file: 'rsync', args, env: { RSYNC_RSH: path } }),
};
