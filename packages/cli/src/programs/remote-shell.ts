import process from 'node:process';
import { loadPersonality, type RemoteShellCall } from '../builtin.ts';
import { asksForSharing } from '../broker/asks-for-sharing.ts';
import { brokerListens } from '../broker/broker-listens.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { runtimeFolder } from '../runtime-folder.ts';
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
  // What rsync ends its remote shell with. Node would open a debugger's port for it.
  process.on('SIGUSR1', () => process.kill(process.pid, 'SIGTERM'));
  try {
    const settings = readRemoteShellSettings(process.env);
    const { readRemoteShellCall, spokenCall } = await loadPersonality();
    const call = readRemoteShellCall(argv, settings);
    const ssh = findSsh(process.env);
    const raw = argv.some((word) => word.includes('\uFFFD')) ? await rawCall(call) : undefined;
    if (raw === undefined && mayRide(call, process.env)) {
      const folder = runtimeFolder(process.env);
      if (await brokerListens(folder)) {
        const { rideOnBroker } = await import('./remote-shell-spoken.ts');
        const code = await rideOnBroker(call, settings, { ssh, spokenCall });
        if (code !== undefined) return code;
      } else if (asksForSharing(process.env)) {
        const { startSharing } = await import('./remote-shell-spoken.ts');
        startSharing({ variables: process.env, runtimeFolder: folder });
      }
    }
    if (ssh !== undefined && isSshOwn(call, settings)) {
      const env = environmentOfSsh(process.env);
      const [file, args] = raw === undefined ? [ssh, call.sshArguments] : ['/bin/sh', raw.through(ssh)];
      becomeSsh(file, args, env);
      const { runSsh } = await import('./run-ssh.ts');
      return await runSsh(file, args, env);
    }
    if (raw !== undefined) throw raw.refusal;
    keepCompiledCode(process.env); // for what is loaded from here on
    const { speakRemoteShell } = await import('./remote-shell-spoken.ts');
    return await speakRemoteShell(call, settings, { ssh, spokenCall });
  } catch (error) {
    const { reportError } = await import('../terminal/report.ts');
    reportError(error, { json: false, level: 'warning' }, process.stderr);
    return FAILED;
  }
}

/** Is a command to be run that could go over the connection of a broker? */
function mayRide({ mode }: RemoteShellCall, variables: NodeJS.ProcessEnv): boolean {
  return (mode === 'exec' || mode === 'subsystem') && variables['VIASSH_BROKER'] !== 'no';
}

/** Does ssh do all of it by itself? What it only shows it shows for every transport, whose settings it reads. */
function isSshOwn({ mode }: RemoteShellCall, { transport, proxy }: RemoteShellSettings): boolean {
  return mode === 'configuration' || (transport !== 'ssh2' && (proxy === undefined || mode === 'version'));
}

/** How a command that is no text is passed on; undefined where it is one. @throws ViasshError OPTION_INVALID */
async function rawCall({
  sshArguments,
  words,
}: RemoteShellCall): Promise<
  { readonly through: (ssh: string) => readonly string[]; readonly refusal: Error } | undefined
> {
  const { callWith, commandIsNoText, rawWords } = await import('./raw-words.ts');
  const others = sshArguments.slice(0, sshArguments.length - words.length);
  const raw = rawWords(words, others);
  if (raw === undefined) return undefined;
  return { through: (ssh) => ['-c', callWith(raw), ssh, ...others], refusal: commandIsNoText() };
}
