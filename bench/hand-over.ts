/**
 * Stands in for a command that hands its descriptors over to ssh: `hand-over CONFIG DESTINATION COMMAND [-o OPTION]…`. What
 * such a command has to do: read the configuration, select the transport, run ssh, pass its status on.
 */
import { userInfo } from 'node:os';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { exitCodeOf, parseDestination, resolveRoute, silentLogger } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { createOpensshTransport } from '@viassh/transport-openssh';

const [configFile, destination = '', command = '', ...words] = process.argv.slice(2);
const programs = createProgramRunner();
const { homedir, username } = userInfo();
const source = createOpensshConfigSource({
  programs,
  environment: { home: homedir, user: username, variables: process.env },
});
const options = words.filter((word) => word !== '-o');
const transport = createOpensshTransport({ programs });
const [route] = await Promise.all([
  resolveRoute(source, parseDestination(destination), { configFile, options }),
  transport.available(),
]);
const stdio = ['inherit', 'inherit', 'inherit'] as const;
const exit = await transport.handOver?.(route, { kind: 'exec', command }, stdio, { log: silentLogger });
process.exit(exit === undefined ? 255 : exitCodeOf(exit));
