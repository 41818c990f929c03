import type { RemoteShellProgram } from '@viassh/core';

/** sftp over our remote shell. */
export const sftpProgram: RemoteShellProgram = {
  name: 'sftp',
  summary: 'sftp over viassh',
  call: (args, { path }) => ({ file: 'sftp', args: ['-S', path, ...args] }),
};
