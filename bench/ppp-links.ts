import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findProgram, type NamespacePair, type PrivateNetwork, waitUntil } from '@viassh/testing';
import { viasshAlone } from './programs.ts';

/** A way from the near namespace to the far one. */
export interface LinkWay {
  readonly name: string;
  /** The far end of it, where a client of the near namespace connects to. */
  readonly target: string;
  /** What is started in the near namespace. */
  readonly words: readonly string[];
  /** For sh in the near namespace, when it has begun: what it does not do itself. */
  readonly here?: string | undefined;
}

const UNIT = 90;
const cli = createRequire(import.meta.url)
  .resolve('viassh/package.json')
  .replace('package.json', 'bundle/main.js');

/** All that can be started here; the first is the peer. */
export async function linkWays({ sshd, rootDestination }: NamespacePair): Promise<LinkWay[]> {
  const device = (local: number, remote: number): string =>
    `ip address replace 10.90.0.${local} peer 10.90.0.${remote} dev tun${UNIT} && ip link set tun${UNIT} mtu 1500 up`;
  const ssh = ['ssh', '-F', sshd.configFile, '-w', `${UNIT}:${UNIT}`, rootDestination];
  const viassh = (
    number: number,
    name: string,
    transport: string,
    options: readonly string[],
    command: string[] = [],
  ) => {
    const words = ['ppp', '-F', sshd.configFile, '--transport', transport, rootDestination, ...options];
    const rest = ['--address', `10.90.${number}.1:10.90.${number}.2`, '--device', `link${number}`];
    const state = ['--state-folder', join(sshd.folder, 'links'), ...(command.length === 0 ? [] : ['--', ...command])];
    const { file, args } = viasshAlone(...words, ...rest, ...state);
    return { name: `${name}, ${transport}`, target: `10.90.${number}.2`, words: [file, ...args] };
  };
  const serve = ['exec', process.execPath, cli, 'ppp', '--serve', '--state-folder', join(sshd.folder, 'far-links')];
  const own = ['--far', 'viassh'];
  const tun = ['--far', 'tun'];
  const ways = [
    {
      name: 'ssh -w',
      target: '10.90.0.2',
      words: [...ssh, `${device(2, 1)} && exec sleep 100000`],
      here: device(1, 2),
    },
    viassh(1, 'viassh ppp, own far end', 'ssh2', own, serve),
    viassh(2, 'viassh ppp, own far end', 'openssh', own, serve),
    viassh(3, 'viassh ppp --far tun', 'ssh2', tun),
    viassh(4, 'viassh ppp --far tun', 'openssh', tun),
  ];
  if ((await findProgram('sshuttle')) === undefined) return ways;
  // The far end's own address there, which packets of the cable do not get to.
  const target = '10.88.0.1';
  const remote = ['-r', rootDestination, '--ssh-cmd', `ssh -F ${sshd.configFile}`, '--python', 'python3'];
  return [...ways, { name: 'sshuttle', target, words: ['sshuttle', ...remote, `${target}/32`] }];
}

/**
 * Starts one, which is up until its namespaces go, and waits until a client gets through.
 *
 * @throws Error when nobody does
 */
export async function startLink({ near }: NamespacePair, way: LinkWay): Promise<void> {
  const [file = '', ...args] = way.words;
  const program = await near.serve(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  program.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  try {
    await waitUntil('a client to get through', () => carries(near, way), { withinMs: 15_000, everyMs: 200 });
  } catch {
    throw new Error(`no client gets through: ${said.trim()}`);
  }
}

async function carries({ run }: PrivateNetwork, { target, here = 'true' }: LinkWay): Promise<boolean> {
  try {
    await run('sh', ['-c', `${here} && exec iperf3 -c ${target} -n 1K --connect-timeout 500`]);
    return true;
  } catch {
    return false;
  }
}
