import { access } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { missingForPrivateNetwork } from '../network/private-network.ts';
import { findProgram, missingForSshd } from '../sshd/find-sshd.ts';

/** The files that scripts/build-ppp-guest.sh has made. */
export interface PppGuestFiles {
  readonly kernel: string;
  readonly initramfs: string;
  /** LD_PRELOAD of the kernel. */
  readonly shim: string;
  readonly identityFile: string;
  /** One line: type, blob, comment. */
  readonly hostKeyFile: string;
}

/** Below the folder that `VIASSH_TEST_UNPACKED` names; undefined when it names none. */
export function pppGuestFiles(): PppGuestFiles | undefined {
  const folder = process.env['VIASSH_TEST_UNPACKED'];
  if (folder === undefined) return undefined;
  const file = (name: string): string => join(folder, 'ppp-guest', name);
  return {
    kernel: file('linux.uml'),
    initramfs: file('initramfs.gz'),
    shim: file('xstate-shim.so'),
    identityFile: file('id_ed25519'),
    hostKeyFile: file('host_ed25519.pub'),
  };
}

/** The reason why {@link startPppGuest} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForPppGuest(): Promise<string | undefined> {
  const missing = (await missingForPrivateNetwork()) ?? (await missingForSshd());
  if (missing !== undefined) return missing;
  if ((await findProgram('socat')) === undefined) return 'no socat on this machine (Debian: apt-get install socat)';
  if (!(await isThere('/dev/net/tun'))) return 'no /dev/net/tun on this machine';
  const kernel = pppGuestFiles()?.kernel;
  if (kernel === undefined || !(await isThere(kernel)))
    return 'no PPP guest (scripts/build-ppp-guest.sh, as root on Debian, amd64)';
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
