import { generateKeyPairSync } from 'node:crypto';
import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import {
  type AuthenticationPrompt,
  type Authenticator,
  type Connection,
  type ConnectOptions,
  isViasshError,
  parseDestination,
  resolveRoute,
  type Route,
  silentLogger,
  type Transport,
  type TypedOptions,
  type ViasshError,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import type { Sshd } from '@viassh/testing';
import { createSsh2Transport } from '../src/index.ts';

const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const configSource = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });

const transport: Transport = createSsh2Transport({ programs });

/** The route to a fixture's server; `-o` options win over its `Host t` block. */
async function routeTo(sshd: Sshd, ...options: string[]): Promise<Route> {
  return await routeBy({ configFile: sshd.configFile, options });
}

export async function routeBy(typed: TypedOptions, destination = 't'): Promise<Route> {
  return await resolveRoute(configSource, parseDestination(destination), typed);
}

export async function connectTo(
  sshd: Sshd,
  { options = [], ...rest }: Partial<ConnectOptions> & { options?: string[] } = {},
): Promise<Connection> {
  return await connectBy(await routeTo(sshd, ...options), rest);
}

export async function connectBy(route: Route, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  return await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger, ...options });
}

/** The ViasshError with which a promise rejects. */
export async function failureOf(promise: Promise<unknown>): Promise<ViasshError> {
  const error = await promise.then(
    () => new Error('no error at all'),
    (reason: unknown) => reason,
  );
  if (isViasshError(error)) return error;
  throw error;
}

/** Runs a command and tells what it wrote. */
export async function output(connection: Connection, command: string): Promise<string> {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.stderr.resume();
  const chunks: Buffer[] = [];
  for await (const chunk of channel) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Gives one answer after the other, and remembers what was asked. */
export function answering(
  ...answers: (string | undefined)[]
): Authenticator & { readonly prompts: AuthenticationPrompt[] } {
  const prompts: AuthenticationPrompt[] = [];
  return {
    prompts,
    async ask(prompt) {
      prompts.push(prompt);
      return answers[prompts.length - 1];
    },
  };
}

/** A host key for ssh2's Server. Of those that ssh2 makes itself, some cannot be read again. */
export function makeServerKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}
