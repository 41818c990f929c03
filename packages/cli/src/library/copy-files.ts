import { createProgramRunner } from '@viassh/program';
import { loadRemoteShell, type Rsync, type Scp } from '../builtin.ts';
import { remoteShellFile } from '../installation.ts';

interface Bound {
  readonly rsync: Rsync;
  readonly scp: Scp;
}

let bound: Promise<Bound> | undefined;

/**
 * Copies with this machine's rsync, over viassh's remote shell: your ssh_config, keys, agent and known_hosts. The
 * variables VIASSH_SSH_OPTIONS and VIASSH_TRANSPORT say what else it is to do, in `options.env` or the environment.
 */
export const rsync: Rsync = async (source, destination, options) =>
  await (await bind()).rsync(source, destination, options);

/** Copies one file or folder with this machine's scp, over viassh's remote shell, as {@link rsync} does. */
export const scp: Scp = async (source, target, options) => {
  await (await bind()).scp(source, target, options);
};

/** Loaded at the first call: who only connects does without. */
async function bind(): Promise<Bound> {
  bound ??= loadRemoteShell().then(({ createRsync, createScp }) => {
    const parts = { programs: createProgramRunner(), remoteShell: { path: remoteShellFile } };
    return { rsync: createRsync(parts), scp: createScp(parts) };
  });
  return await bound;
}
