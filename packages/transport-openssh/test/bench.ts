import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { type Channel, parseDestination, resolveRoute, type Route } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import type { Sshd } from '@viassh/testing';
import type { Test } from 'tap';

export const programs = createProgramRunner();

/** The way to the fixture. */
export async function routeTo(sshd: Sshd): Promise<Route> {
  const { homedir: home, username: user } = userInfo();
  const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
  return await resolveRoute(source, parseDestination(sshd.destination), { configFile: sshd.configFile });
}

/** A folder for private folders, gone with the test. */
export async function runtimeFolderFor(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-r-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A connection to a TCP port of this machine, or to a Unix socket. */
export async function dialTo(place: number | string): Promise<Socket> {
  const socket =
    typeof place === 'string'
      ? dial({ path: place, allowHalfOpen: true })
      : dial({ host: '127.0.0.1', port: place, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All bytes until the end. */
export async function allOf(stream: Channel | Socket | NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All bytes until the end, as text. */
export async function textOf(stream: Channel | Socket): Promise<string> {
  return (await allOf(stream)).toString();
}

/** A port of this machine that somebody listens on, until it is disposed of. */
export async function occupiedPort(wanted = 0): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
