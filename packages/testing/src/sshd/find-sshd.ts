import { access, constants } from 'node:fs/promises';
import process from 'node:process';
import { createProgramRunner } from '@viassh/program';

/** The sshd of this machine. */
export interface SshdProgram {
  /** Absolute: sshd starts itself again by this path. */
  readonly file: string;
  /** `[9, 2]`; zeros when it does not tell. */
  readonly version: readonly [number, number];
}

/** Looks in PATH and in the folders where systems keep it outside an ordinary user's PATH. */
export async function findSshd(): Promise<SshdProgram | undefined> {
  const file = await findProgram('sshd', ['/usr/sbin', '/usr/local/sbin', '/sbin']);
  if (file === undefined) return undefined;
  const { stdout, stderr } = await createProgramRunner().run({ file, args: ['-V'] });
  const match = /OpenSSH_(\d+)\.(\d+)/.exec(stderr + stdout);
  return { file, version: [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)] };
}

/** The reason why {@link startSshd} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForSshd(): Promise<string | undefined> {
  if ((await findSshd()) === undefined) return 'no sshd on this machine (Debian: apt-get install openssh-server)';
  if ((await findProgram('ssh-keygen')) === undefined)
    return 'no ssh-keygen on this machine (Debian: apt-get install openssh-client)';
  if (process.platform !== 'linux') return 'the sshd fixture needs /proc of Linux';
  return undefined;
}

/** The absolute path of a program in PATH or one of the `also` folders. */
export async function findProgram(name: string, also: readonly string[] = []): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...also].filter((folder) => folder.startsWith('/'));
  for (const folder of folders) {
    const file = `${folder}/${name}`;
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}
