import type { RemoteShellProgram } from '@viassh/core';
import { cvsAccount } from './cvs-account.ts';
import { cvsRecipe } from './cvs-recipe.ts';
import { checkCvsRoot, typedCvsRoot } from './cvs-root.ts';

/** cvs over our remote shell. A root that makes cvs start another ssh, or that it cannot read, is refused. */
export const cvsProgram: RemoteShellProgram = {
  name: 'cvs',
  summary: 'cvs, with viassh as its CVS_RSH',
  recipes: [cvsRecipe],
  accounts: [cvsAccount],
  call(args, { path }, variables) {
    const root = typedCvsRoot(args) ?? variables['CVSROOT'];
    if (root !== undefined) checkCvsRoot(root);
    return { file: 'cvs', args, env: { CVS_RSH: path } };
  },
};
