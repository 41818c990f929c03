import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createProgramRunner } from '@viassh/program';
import { findProgram, findSshd, missingForSshd, type Sshd, startSshd, waitUntil } from '@viassh/testing';

/** A machine of the chain: a network namespace. Neighbours reach each other, nobody else anybody. */
export interface ChainNode {
  readonly namespace: string;
  /** Its address on the side of the one before; of the first: none. */
  readonly address: string;
  /** Words before a program that is to run there. */
  readonly inside: readonly string[];
}

/** An sshd that listens in a node. */
export interface ChainHop extends ChainNode {
  readonly sshd: Sshd;
}

/** For tap: why there can be no {@link startChain} here, or false. */
export async function skipWithoutChain(): Promise<string | false> {
  const missing = await missingForSshd();
  if (missing !== undefined) return missing;
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  return (await findProgram('ip', ['/usr/sbin', '/sbin'])) === undefined ? 'no ip here' : false;
}

/**
 * Network namespaces in a row, without a route beyond the next one. `only-there.test` is a name that only the last one
 * knows: its own loopback address.
 */
export async function startChain(stack: AsyncDisposableStack, count: number): Promise<readonly ChainNode[]> {
  const base = `vt${process.pid}x${randomBytes(3).toString('hex')}`;
  const nodes = Array.from({ length: count }, (_, index): ChainNode => {
    const namespace = `${base}-${index}`;
    const inside = ['ip', 'netns', 'exec', namespace];
    return { namespace, address: index === 0 ? '127.0.0.1' : `198.18.${index}.2`, inside };
  });
  const last = nodes.at(-1)?.namespace ?? '';
  const hosts = join('/etc/netns', last);
  const forget = (): void => {
    for (const { namespace } of nodes) execFileSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' });
  };
  stack.defer(async () => {
    forget();
    await rm(hosts, { recursive: true, force: true });
  });
  for (const { namespace } of nodes) {
    await ip('netns', 'add', namespace);
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  for (const [index, { namespace, address }] of nodes.entries()) {
    const before = nodes[index - 1]?.namespace;
    if (before === undefined) continue;
    await ip('-n', before, 'link', 'add', 'next', 'type', 'veth', 'peer', 'name', 'before', 'netns', namespace);
    await ip('-n', before, 'address', 'add', `198.18.${index}.1/24`, 'dev', 'next');
    await ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'before');
    await ip('-n', before, 'link', 'set', 'next', 'up');
    await ip('-n', namespace, 'link', 'set', 'before', 'up');
  }
  await mkdir(hosts, { recursive: true });
  await writeFile(join(hosts, 'hosts'), '127.0.0.1 localhost only-there.test\n::1 localhost only-there.test\n');
  return nodes;
}

/** An sshd with a user and keys of its own that listens on a node's address, port 22, under this name. */
export async function startHop(stack: AsyncDisposableStack, node: ChainNode, host: string): Promise<ChainHop> {
  const { address, inside } = node;
  const sshd = stack.use(
    await startSshd({
      host,
      config: [`ListenAddress ${address}`, 'Port 22'],
      clientConfig: [`HostName ${address}`, 'Port 22', 'ProxyCommand none'],
    }),
  );
  const file = (await findSshd())?.file ?? 'sshd';
  const [ip = '', ...words] = inside;
  const args = [...words, file, '-D', '-f', join(sshd.folder, 'sshd_config'), '-E', join(sshd.folder, 'sshd.log')];
  const listener = await createProgramRunner().start({ file: ip, args, stdio: ['ignore', 'ignore', 'ignore'] });
  stack.defer(async () => {
    listener.kill('SIGKILL');
    await listener.exit;
  });
  await waitUntil('sshd to listen', async () => (await sshd.log()).includes('Server listening on'));
  return { ...node, sshd };
}

/** A configuration that knows all of them, and the name of the last as its destination. */
export async function joinConfigs(hops: readonly ChainHop[]): Promise<{ configFile: string; destination: string }> {
  const last = hops.at(-1);
  if (last === undefined) throw new Error('no hop');
  const configFile = join(last.sshd.folder, 'chain_config');
  for (const { sshd } of hops) await appendFile(configFile, await readFile(sshd.configFile, 'utf8'));
  return { configFile, destination: last.sshd.destination };
}

async function ip(...args: string[]): Promise<void> {
  const { exit, stderr } = await createProgramRunner().run({ file: 'ip', args });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ip ${args.join(' ')} failed: ${stderr}`);
}
