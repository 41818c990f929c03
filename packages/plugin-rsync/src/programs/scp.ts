import type { ProgramFailure, RemoteShellProgram } from '@viassh/core';
import { optionLetters, readOptions } from '../sftp/read-options.ts';
import { fileAccount } from '../sftp/file-account.ts';
import { functionRecipe } from '../sftp/function-recipe.ts';
import { transferHost } from '../sftp/transfer-host.ts';
import { explainStartupNoise } from '../startup-noise.ts';

const legacyNote =
  'scp before 9.0, and scp -O, speak the old protocol: this key refuses it. There is no safe forced command for it, as ' +
  '`scp -t` and `scp -f` go wherever the client says; newer scp needs nothing, 8.7 to 8.9 wants -s.';

/** scp over our remote shell. A later -S of the caller's own wins. */
export const scpProgram: RemoteShellProgram = {
  name: 'scp',
  summary: 'scp over viassh',
  recipes: [functionRecipe('scp', (host) => `scp FILE scp://${host}/`)],
  accounts: [fileAccount('scp', [legacyNote])],
  call: (args, { path }) => ({ file: 'scp', args: ['-S', path, ...args] }),
  async explain(failure: ProgramFailure) {
    const { code, args } = failure;
    const { options, operands } = readOptions(args, optionLetters.scp);
    if (['F', 'J', 'S'].some((letter) => options.has(letter))) return undefined; // without them, perhaps another machine
    // The old protocol takes the noise for the far end's complaint: status 1 as for a missing file.
    const destination = code === 255 || options.has('O') ? transferHost(operands, 'scp', options.get('P')) : undefined;
    return destination === undefined ? undefined : await explainStartupNoise(failure, destination);
  },
};
