import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sshd, startXvfb, missingForXvfb } from '@viassh/testing';
import { viasshAlone } from './programs.ts';
import type { Contestant, Race } from './race.ts';
import { shared } from './shared.ts';

/** What the races are about. */
export interface X11RaceOptions {
  readonly sshd: Sshd;
  readonly repetitions: number;
  /** Of pictures. */
  readonly bytes: number;
}

/** Who lets programs of the far end onto the display here: a program and its arguments up to the remote command. */
interface Way {
  readonly name: string;
  readonly words: readonly string[];
}

const MIB = 1024 * 1024;

/** A client on the far end and an X server here, with ssh between them, or with us. The server ends with the stack. */
export function x11Races(stack: AsyncDisposableStack, { sshd, repetitions, bytes }: X11RaceOptions): Race[] {
  const client = join(sshd.folder, 'x11-client.ts');
  const display = shared(async () => {
    if ((await missingForXvfb()) !== undefined) return undefined;
    await copyFile(new URL('x11-client.ts', import.meta.url), client);
    await chmod(client, 0o644);
    return stack.use(await startXvfb());
  });
  const ssh = ['ssh', '-F', sshd.configFile];
  const viassh = (...options: string[]): string[] => {
    const { file, args } = viasshAlone('x11', '-F', sshd.configFile, ...options, sshd.destination, '--');
    return [file, ...args];
  };
  const untrusted: Way[] = [
    // Debian's ssh takes -X for -Y unless it is told otherwise.
    { name: 'ssh -X', words: [...ssh, '-o', 'ForwardX11Trusted=no', '-X', sshd.destination] },
    { name: 'viassh x11, ssh2', words: viassh('--transport', 'ssh2') },
    { name: 'viassh x11, openssh, handed over', words: viassh('--transport', 'openssh') },
    { name: 'viassh x11 --way forward, ssh2', words: viassh('--transport', 'ssh2', '--way', 'forward') },
    { name: 'viassh x11 --way forward, openssh', words: viassh('--transport', 'openssh', '--way', 'forward') },
  ];
  const trusted: Way[] = [
    { name: 'ssh -Y', words: [...ssh, '-Y', sshd.destination] },
    { name: 'viassh x11 --trusted, ssh2', words: viassh('--transport', 'ssh2', '--trusted') },
  ];
  const contestants = (ways: readonly Way[], job: string, count: number) => async (): Promise<Contestant[]> => {
    const server = await display();
    if (server === undefined) return [];
    return ways.map(({ name, words }) => ({
      name,
      run: () => timeTold(words, [process.execPath, client, job, count].join(' '), server.env),
    }));
  };
  const pictures = Math.max(1, Math.min(128, bytes / MIB));
  return [
    { title: 'x11 -X, 3,000 round trips', repetitions, contestants: contestants(untrusted, 'trips', 3000) },
    { title: 'x11 -Y, 3,000 round trips', repetitions, contestants: contestants(trusted, 'trips', 3000) },
    {
      title: `x11 -X, ${pictures} pictures of 1 MiB to the display`,
      repetitions,
      bytes: pictures * MIB,
      contestants: contestants(untrusted, 'put', pictures),
    },
    {
      title: `x11 -Y, ${pictures} pictures of 1 MiB to the display`,
      repetitions,
      bytes: pictures * MIB,
      contestants: contestants(trusted, 'put', pictures),
    },
    {
      title: `x11 -X, ${pictures} pictures of 1 MiB from the display`,
      repetitions,
      bytes: pictures * MIB,
      contestants: contestants(untrusted, 'get', pictures),
    },
    {
      title: 'x11 -X, 50 clients, one after the other',
      repetitions,
      contestants: contestants(untrusted, 'clients', 50),
    },
  ];
}

/** The milliseconds that the client on the far end tells. @throws Error when it does not come to its end */
async function timeTold(
  [file = '', ...args]: readonly string[],
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(file, [...args, command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let told = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}: ${said}`);
  return Number(told);
}
