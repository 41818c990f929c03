import { appendFile, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  type Connection,
  parseDestination,
  resolveRoute,
  type Route,
  type TypedOptions,
  ViasshError,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { type Sshd, type SshdOptions, startSshd } from '@viassh/testing';

const { homedir: home, username: user } = userInfo();
const source = createOpensshConfigSource({
  programs: createProgramRunner(),
  environment: { home, user, variables: {} },
});

/** Servers each of which is reached through the one before: `hop0`, `hop1`, …, `t`. Each has its own user and keys. */
export interface Chain extends AsyncDisposable {
  readonly sshds: readonly Sshd[];
  /** For the last of them, by its ProxyJump lines. */
  readonly route: Route;
  /** With all of their `Host` blocks. */
  readonly configFile: string;
}

/** Starts so many servers as there are options. Every one has its own name in known_hosts: `name0`, `name1`, … */
export async function startChain(...options: readonly SshdOptions[]): Promise<Chain> {
  await using undo = new AsyncDisposableStack();
  const sshds: Sshd[] = [];
  for (const [index, each] of options.entries()) {
    const clientConfig = [
      ...(each.clientConfig ?? []),
      `HostKeyAlias name${index}`,
      ...(index === 0 ? [] : [`ProxyJump hop${index - 1}`]),
    ];
    const sshd = undo.use(await startSshd({ mode: 'listen', ...each, clientConfig }));
    const known = await readFile(sshd.knownHostsFile, 'utf8').catch(() => '');
    await appendFile(sshd.knownHostsFile, known.replaceAll('viassh-test-server', `name${index}`));
    sshds.push(sshd);
  }
  const configFile = sshds.at(-1)?.configFile ?? '';
  for (const [index, sshd] of sshds.slice(0, -1).entries()) {
    await appendFile(configFile, (await readFile(sshd.configFile, 'utf8')).replace('Host t', `Host hop${index}`));
  }
  const route = await routeOf(configFile);
  const owned = undo.move();
  return { sshds, route, configFile, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What ssh_config makes of `t`. */
export async function routeOf(configFile: string, typed: TypedOptions = {}): Promise<Route> {
  return await resolveRoute(source, parseDestination('t'), { configFile, ...typed });
}

/** What a command prints. */
export async function outputOf(connection: Connection, command: string): Promise<string> {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.end();
  const chunks: Buffer[] = [];
  for await (const chunk of channel) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The error that something ends with; anything else than one of ours is a failure of the test. */
export async function failureOf(promise: Promise<unknown>): Promise<ViasshError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof ViasshError) return error;
  throw error;
}
