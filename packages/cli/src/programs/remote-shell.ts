import process from 'node:process';
import { loadPersonality, type RemoteShellCall } from '../builtin.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { becomeSsh } from './become-ssh.ts';
import { findSsh } from './find-ssh.ts';
import { environmentOfSsh, readRemoteShellSettings, type RemoteShellSettings } from './remote-shell-settings.ts';

const FAILED = 255; // ssh's own, whatever was wrong

/**
 * `viassh rsh` and `viassh-ssh`: what rsync, cvs, git and the like call in place of ssh. With the openssh transport this
 * process becomes ssh; no byte passes through JavaScript. Prints errors, never throws.
 *
 * @param argv ssh's own arguments; what is meant for us alone stands in VIASSH_ variables
 */
export async function runRemoteShell(argv: readonly string[]): Promise<number> {
  try {
    const settings = readRemoteShellSettings(process.env);
    const { readRemoteShellCall, spokenCall } = await loadPersonality();
    const call = readRemoteShellCall(argv, settings);
    const ssh = findSsh(process.env);
    if (ssh !== undefined && isSshOwn(call, settings)) {
      const env = environmentOfSsh(process.env);
      becomeSsh(ssh, call.sshArguments, env);
      const { runSsh } = await import('./run-ssh.ts');
      return await runSsh(ssh, call.sshArguments, env);
    }
    keepCompiledCode(process.env); // for what is loaded from here on
    const { speakRemoteShell } = await import('./remote-shell-spoken.ts');
    return await speakRemoteShell(call, settings, { ssh, spokenCall });
  } catch (error) {
    const { reportError } = await import('../terminal/report.ts');
    reportError(error, { json: false, level: 'warning' }, process.stderr);
    return FAILED;
  }
}

/** Does ssh do all of it by itself? What it only shows it shows for every transport, whose settings it reads. */
function isSshOwn({ mode }: RemoteShellCall, { transport, proxy }: RemoteShellSettings): boolean {
  return mode === 'configuration' || (transport !== 'ssh2' && (proxy === undefined || mode === 'version'));
}
