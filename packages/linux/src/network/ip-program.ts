import { type ProgramRunner, ViasshError } from '@viassh/core';

/** `ip -j -d link show`, as far as it is read. */
export interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly inet6_addr_gen_mode?: string;
}

/** `ip -j address show`, as far as it is read. */
export interface IpAddresses {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string; readonly address?: string; readonly prefixlen: number }[];
}

/** `ip -j route show` and `get`, as far as they are read. */
export interface IpRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly via?: { readonly host: string };
  readonly dev?: string;
  readonly metric?: number;
  readonly protocol?: string;
  readonly flags?: readonly string[];
}

/** Lines of a batch up to the one that failed were done. */
interface BatchFailure {
  readonly done: number;
  readonly error: ViasshError;
}

/** The program `ip`. */
export interface IpProgram {
  /** `words` behind `ip -j`; undefined when ip says no, of a device that is not there for example. */
  ask<T>(...words: readonly string[]): Promise<T | undefined>;
  /** Until the first that fails. */
  batch(lines: readonly string[]): Promise<BatchFailure | undefined>;
  /** All of them, whatever fails. */
  force(lines: readonly string[]): Promise<void>;
}

/** Runs it, from PATH or from where it is for root. @throws ViasshError PROGRAM_NOT_FOUND, from each function */
export function createIpProgram(programs: ProgramRunner): IpProgram {
  async function run(args: readonly string[], input?: string): ReturnType<ProgramRunner['run']> {
    try {
      return await programs.run({ file: 'ip', args, env: { LC_ALL: 'C' }, input });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'PROGRAM_NOT_FOUND')) throw error;
      return await programs.run({ file: '/usr/sbin/ip', args, env: { LC_ALL: 'C' }, input });
    }
  }
  return {
    async ask<T>(...words: readonly string[]) {
      const { exit, stdout } = await run(['-j', ...words]);
      if (exit.kind !== 'status' || exit.code !== 0) return undefined;
      return (stdout.trim() === '' ? [] : JSON.parse(stdout)) as T;
    },
    async batch(lines) {
      if (lines.length === 0) return undefined;
      const { exit, stderr } = await run(['-batch', '-'], `${lines.join('\n')}\n`);
      if (exit.kind === 'status' && exit.code === 0) return undefined;
      const done = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? lines.length + 1) - 1;
      return { done, error: refusal(stderr, lines[done] ?? '') };
    },
    async force(lines) {
      if (lines.length > 0) await run(['-force', '-batch', '-'], `${lines.join('\n')}\n`);
    },
  };
}

function refusal(stderr: string, line: string): ViasshError {
  const words = stderr.replace(/\s*Command failed.*$/s, '').replaceAll(/\s*\n\s*/g, '; ');
  const what = `ip ${line}: ${words}`;
  if (/File exists|already assigned/i.test(stderr))
    return new ViasshError('ADDRESS_CONFLICT', `this address or network is in use already (${what})`, {
      hint: 'choose others with --address and --route, or take the old ones away: ip address, ip route',
    });
  if (/not permitted/i.test(stderr))
    return new ViasshError('TUN_FORBIDDEN', `this user may not set up networks (${what})`, {
      hint: 'run as root, or have root set the device up once, with its addresses and routes',
    });
  return new ViasshError('NETWORK_SETUP_FAILED', `the network could not be set up (${what})`, {
    hint: 'all that was set before is undone',
  });
}
