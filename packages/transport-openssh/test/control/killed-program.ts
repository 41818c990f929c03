import { once } from 'node:events';
import { userInfo } from 'node:os';
import process from 'node:process';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { parseDestination, resolveRoute, silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { createControlTransport } from '@viassh/transport-openssh';

/** Downloads without end over somebody's master, with a remote forward open, until it is killed. Not a test of its own. */
const [configFile, controlPath = '', runtimeFolder, port] = process.argv.slice(2);
const programs = createProgramRunner();
const { homedir: home, username: user } = userInfo();
const source = createOpensshConfigSource({ programs, environment: { home, user, variables: {} } });
const route = await resolveRoute(source, parseDestination('t'), { configFile });
const transport = createControlTransport({ programs, controlPath, runtimeFolder });
const connection = await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
await connection.requestForward({ kind: 'tcpip', port: Number(port) }, () => undefined);
const channel = await connection.openSession({ kind: 'exec', command: 'exec cat /dev/zero' });
await once(channel, 'readable');
channel.resume();
process.stdout.write('downloading\n');
