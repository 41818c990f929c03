import { join } from 'node:path';
import { createLogger, type Logger } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { createFakeClock, findProgram, startNotifySocket, waitUntil } from '@viassh/testing';
import t, { type Test } from 'tap';
import { serviceManager } from '../../src/run/service-manager.ts';
import type { BrokerStatus, TunnelStatus } from '../../src/status/broker-status.ts';
import { runtimeFolder } from '../control/control-world.ts';

async function notifySocket(t: Test): Promise<{ socket: string; said: () => readonly string[] }> {
  const socket = join(await runtimeFolder(t), 'notify');
  const manager = await startNotifySocket(socket);
  t.teardown(async () => await manager[Symbol.asyncDispose]());
  return { socket, said: manager.said };
}

const status = (states: readonly TunnelStatus['state'][]): BrokerStatus =>
  ({ tunnels: states.map((state, at) => ({ name: `t${at}`, state })) }) as unknown as BrokerStatus;

const recorder = (lines: string[]): Logger => createLogger('info', (level, line) => lines.push(`${level} ${line}`));

const missing = (await findProgram('systemd-notify')) === undefined && 'needs systemd-notify';

t.test('systemd hears of each state in order, and of life as often as it wants', { skip: missing }, async (t) => {
  const { socket, said } = await notifySocket(t);
  const clock = createFakeClock();
  const lines: string[] = [];
  const manager = serviceManager({
    programs: createProgramRunner(),
    clock,
    log: recorder(lines),
    socket,
    watchdogMs: 30_000,
  });
  manager.tell('ready', status(['up', 'up', 'failed', 'starting', 'down']));
  await clock.advance(31_000);
  manager.tell('reloading', status([]));
  manager.tell('ready', status(['up']));
  manager.tell('stopping', status(['up']));
  await manager[Symbol.asyncDispose]();
  await waitUntil('all to be told', () => said().length >= 6);
  t.same(lines, []);
  t.match(said(), [
    /^READY=1\|STATUS=2 tunnels up, 1 to come \(t3\), 1 failed \(t2\)/,
    /^WATCHDOG=1/,
    /^WATCHDOG=1/,
    /^RELOADING=1.*STATUS=reading/,
    /^READY=1\|STATUS=1 tunnel up/,
    /^STOPPING=1/,
  ]);
  t.same(clock.pending, []);
});

t.test('a manager that cannot be told is complained of once', { skip: missing }, async (t) => {
  const lines: string[] = [];
  const manager = serviceManager({
    programs: createProgramRunner(),
    clock: createFakeClock(),
    log: recorder(lines),
    socket: join(await runtimeFolder(t), 'nobody'),
  });
  manager.tell('ready', status(['up']));
  manager.tell('stopping', status(['up']));
  await manager[Symbol.asyncDispose]();
  t.match(lines, [/^warning systemd is told nothing/]);
  t.equal(lines.length, 1);
});
