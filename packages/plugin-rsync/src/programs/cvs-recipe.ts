import { type Recipe, ViasshError } from '@viassh/core';
import { readRecipeDestination } from './recipe-destination.ts';

/** CVS_RSH and CVSROOT. A port goes into the one kind of root that takes it. */
export const cvsRecipe: Recipe = {
  program: 'cvs',
  summary: 'CVS_RSH and CVSROOT, for cvs',
  script({ destination, remoteShell }) {
    const { user, host, port } = readRecipeDestination(destination);
    if (host.includes(':')) {
      throw new ViasshError('DESTINATION_INVALID', 'cvs cannot read an IPv6 address in its root', {
        hint: 'give it a name: Host NAME and HostName ADDRESS in ~/.ssh/config',
      });
    }
    const place = user === undefined ? host : `${user}@${host}`;
    const method = port === undefined ? 'ext' : `extssh;CVS_RSH=$CVS_RSH`;
    return `# cvs over ssh by viassh: for your shell, or its start-up file (~/.profile).
export CVS_RSH=${remoteShell}
# CVS_DIRECTORY: the folder of the repository on the server, if it is another.
export CVSROOT=":${method}:${place}:${port ?? ''}\${CVS_DIRECTORY:-/srv/cvs}"
# Then: cvs checkout MODULE. A working folder keeps the root that it was checked out from, in CVS/Root.
`;
  },
};
