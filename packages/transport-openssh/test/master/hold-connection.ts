/** A program that connects to `t` of the ssh_config in argv, says so, and does nothing more: to be killed. */
import { once } from 'node:events';
import { silentLogger, verifyByKnownHosts } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { createOpensshTransport } from '@viassh/transport-openssh';
import { routeOf } from './chain.ts';

const [configFile = '', runtimeFolder = ''] = process.argv.slice(2);
const transport = createOpensshTransport({ programs: createProgramRunner(), runtimeFolder });
const route = await routeOf(configFile);
const connection = await transport.connect(route, { verifyHostKey: verifyByKnownHosts, log: silentLogger });
console.log(connection.info.hops.length);
await once(process.stdin.resume(), 'end');
