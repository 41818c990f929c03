import type { ProgramFailure, RemoteShellProgram } from '@viassh/core';
import { fileAccount } from '../sftp/file-account.ts';
import { functionRecipe } from '../sftp/function-recipe.ts';
import { optionLetters, readOptions } from '../sftp/read-options.ts';
import { transferHost } from '../sftp/transfer-host.ts';
import { explainStartupNoise } from '../startup-noise.ts';

/** sftp over our remote shell. A later -S of the caller's own wins. */
export const sftpProgram: RemoteShellProgram = {
  name: 'sftp',
  summary: 'sftp over viassh',
  recipes: [functionRecipe('sftp', (host) => `sftp sftp://${host}`)],
  accounts: [fileAccount('sftp')],
  call: (args, { path }) => ({ file: 'sftp', args: ['-S', path, ...args] }),
  async explain(failure: ProgramFailure) {
    const { code, args } = failure;
    const { options, operands } = readOptions(args, optionLetters.sftp);
    if (['F', 'J', 'S'].some((letter) => options.has(letter))) return undefined; // without them, perhaps another machine
    const destination = code === 255 ? transferHost(operands, 'sftp', options.get('P')) : undefined;
    return destination === undefined ? undefined : await explainStartupNoise(failure, destination);
  },
};
