import { spawnSync } from 'node:child_process';
import { type ProgramRunner, ViasshError } from '@viassh/core';

/** A ProgramRunner as small as `ssh -G` needs one; every call is written down. */
export function createLocalPrograms(): ProgramRunner & { readonly calls: string[][] } {
  const calls: string[][] = [];
  return {
    calls,
    start: () => Promise.reject(new Error('nothing is started here')),
    async run({ file, args, signal }) {
      signal?.throwIfAborted();
      calls.push([file, ...args]);
      const { error, status, stdout, stderr } = spawnSync(file, [...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      if (error !== undefined)
        throw new ViasshError('PROGRAM_NOT_FOUND', `the program ${file} is not installed`, { cause: error });
      return { exit: status === null ? { kind: 'missing' } : { kind: 'status', code: status }, stdout, stderr };
    },
  };
}

/** For `skip` of a test: false when ssh is here, else the reason. */
export function sshIsMissing(): string | false {
  return spawnSync('ssh', ['-V']).error !== undefined && 'ssh is not installed';
}
