import { isViasshError, type ProgramRunner } from '@viassh/core';

/** An OpenSSH client found on this machine. */
export interface SshVersion {
  /** As it names itself: `OpenSSH_9.2p1`. */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
}

/** Asks an ssh binary for its version; `undefined` when there is none or it is not OpenSSH. */
export async function sshVersion(programs: ProgramRunner, sshFile: string): Promise<SshVersion | undefined> {
  try {
    const { stderr } = await programs.run({ file: sshFile, args: ['-V'] });
    const match = /(OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)\w*)/.exec(stderr);
    if (match === null) return undefined;
    return { name: match[1] ?? '', major: Number(match[2]), minor: Number(match[3]) };
  } catch (error) {
    if (isViasshError(error, 'PROGRAM_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Is it this release or a later one? A version that nobody could tell counts as new. */
export function atLeast(version: SshVersion | undefined, major: number, minor: number): boolean {
  if (version === undefined) return true;
  return version.major > major || (version.major === major && version.minor >= minor);
}
