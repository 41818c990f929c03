import { readFile, realpath, writeFile } from 'node:fs/promises';
import { isViasshError, type Logger, type ProgramRunner, ViasshError } from '@viassh/core';
import { withBlock, withoutBlock } from './marked-text.ts';
import type { DnsWay, Step } from './step.ts';

type NameStep = Extract<Step, { kind: 'dns' | 'names' }>;

/** Name servers and names of this machine. */
export interface NameServers {
  /** Who has to be told here. */
  way(): Promise<DnsWay>;
  /** Names that cannot be set are told in the log. @throws ViasshError NETWORK_SETUP_FAILED, of name servers */
  set(step: NameStep): Promise<void>;
  /** Never rejects: what cannot be taken back is told in the log. */
  undo(step: NameStep): Promise<void>;
}

const RESOLV_CONF = '/etc/resolv.conf';
const HOSTS = '/etc/hosts';

/** Tells systemd-resolved or resolvconf where they are there, and writes into resolv.conf where they are not. */
export function createNameServers(programs: ProgramRunner, log: Logger): NameServers {
  async function run(file: string, args: readonly string[], input?: string): Promise<void> {
    const { exit, stderr } = await programs.run({ file, args, input });
    if (exit.kind === 'status' && exit.code === 0) return;
    throw new ViasshError('NETWORK_SETUP_FAILED', `${file} ${args.join(' ')} failed: ${stderr.trim()}`, {
      hint: 'name servers are not set then; leave --dns away to go without',
    });
  }

  async function setDns({ way, device, servers }: Extract<Step, { kind: 'dns' }>): Promise<void> {
    switch (way) {
      case 'resolved':
        await run('resolvectl', ['dns', device, ...servers]);
        return run('resolvectl', ['domain', device, '~.']); // all names, as the file would mean it
      case 'resolvconf':
        return run('resolvconf', ['-a', `${device}.viassh`], `${serverLines(servers).join('\n')}\n`);
      case 'file':
        return edit(RESOLV_CONF, (text) => withBlock(text, device, serverLines(servers), /^\s*nameserver\s/));
    }
  }

  async function undoDns({ way, device }: Extract<Step, { kind: 'dns' }>): Promise<void> {
    switch (way) {
      case 'resolved':
        return run('resolvectl', ['revert', device]);
      case 'resolvconf':
        return run('resolvconf', ['-d', `${device}.viassh`]);
      case 'file':
        return edit(RESOLV_CONF, (text) => withoutBlock(text, device));
    }
  }

  return {
    async way() {
      const file = await realpath(RESOLV_CONF).catch(() => '');
      if (file.startsWith('/run/systemd/resolve/')) return 'resolved';
      return programs.run({ file: 'resolvconf', args: ['--version'] }).then(
        () => 'resolvconf',
        (error: unknown) => {
          if (isViasshError(error, 'PROGRAM_NOT_FOUND')) return 'file';
          throw error;
        },
      );
    },
    async set(step) {
      if (step.kind === 'dns') return setDns(step);
      try {
        await edit(HOSTS, (text) => withBlock(text, step.device, step.lines));
      } catch (error) {
        // They matter only when the connection is lost, and then only where no name server can be asked.
        log.warning(`names that should stay known: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    async undo(step) {
      try {
        await (step.kind === 'dns' ? undoDns(step) : edit(HOSTS, (text) => withoutBlock(text, step.device)));
      } catch (error) {
        // systemd-resolved forgets a device with the device
        const gone = step.kind === 'dns' && step.way === 'resolved';
        const what = step.kind === 'dns' ? 'name servers' : 'names';
        const said = `the ${what} of ${step.device} could not be taken back: ${String(error)}`;
        if (gone) log.debug(said);
        else log.warning(said);
      }
    },
  };
}

function serverLines(servers: readonly string[]): string[] {
  return servers.map((server) => `nameserver ${server}`);
}

/** In place: in a container these files are mounts, and elsewhere often links. */
async function edit(path: string, change: (text: string) => string): Promise<void> {
  try {
    const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const after = change(before ?? '');
    if (after !== (before ?? '')) await writeFile(path, after);
  } catch (cause) {
    throw new ViasshError('NETWORK_SETUP_FAILED', `${path} cannot be changed: ${(cause as Error).message}`, { cause });
  }
}
