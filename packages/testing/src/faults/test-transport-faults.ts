import process from 'node:process';
import { nobodyToAsk, parseDestination, resolveRoute, silentLogger, verifyByKnownHosts } from '@viassh/core';
import type { Test } from 'tap';
import type { SshdHarnessOptions } from '../compliance/sshd-harness.ts';
import { findLeaks, takeInventory } from '../leaks/inventory.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { missingForSshd } from '../sshd/find-sshd.ts';
import type { Sshd } from '../sshd/sshd.ts';
import { startSshd } from '../sshd/start-sshd.ts';
import { badWireArea } from './bad-wire-area.ts';
import { channelFaultArea } from './channel-fault-area.ts';
import { closeFaultArea } from './close-fault-area.ts';
import { cutLoginArea } from './cut-login-area.ts';
import { cutUpArea } from './cut-up-area.ts';
import type { FaultArea, FaultBench } from './fault-case.ts';
import { manyChannelsArea } from './many-channels-area.ts';
import { rudeServerArea } from './rude-server-area.ts';
import { silenceArea } from './silence-area.ts';
import { startFaultyRelay } from './start-faulty-relay.ts';

/** All areas, in the order in which they run. */
export const faultAreas: readonly FaultArea[] = [
  rudeServerArea,
  cutLoginArea,
  cutUpArea,
  silenceArea,
  badWireArea,
  channelFaultArea,
  manyChannelsArea,
  closeFaultArea,
];

const SUITE_TIMEOUT_MS = 300_000;

/** What may be set for a run of the suite. */
export interface FaultOptions {
  /** Default: {@link faultAreas}. */
  readonly areas?: readonly FaultArea[] | undefined;
  /** Default: 30 s; what takes longer hangs. */
  readonly caseTimeoutMs?: number | undefined;
}

/**
 * Runs a transport through all that may go wrong on a wire and behind it, against a real sshd. Each case is a subtest
 * `fault <transport> | <area> | <case>`; after each no descriptor, socket, timer, process or private folder of it is
 * left. Resolves when all have run.
 */
export async function testTransportFaults(
  t: Test,
  harness: SshdHarnessOptions,
  { areas = faultAreas, caseTimeoutMs = 30_000 }: FaultOptions = {},
): Promise<void> {
  const name = harness.name ?? harness.transport.name;
  const skip = (await missingForSshd()) ?? false;
  await t.test(`faults ${name}`, { timeout: SUITE_TIMEOUT_MS, skip }, async (t) => {
    await using sshd = await startSshd({ mode: 'listen', config: ['MaxSessions 500'] });
    await warmUp(harness, sshd);
    for (const area of areas) {
      for (const one of area.cases) {
        await t.test(`fault ${name} | ${area.name} | ${one.name}`, { timeout: caseTimeoutMs }, async (t) => {
          const where = { folders: harness.runtimeFolder === undefined ? [] : [harness.runtimeFolder] };
          const [before, timersBefore] = [await takeInventory(where), timers()];
          {
            await using own = new AsyncDisposableStack();
            await one.run(t, benchOf(harness, sshd, own));
          }
          t.strictSame(await findLeaks(before, { ...where, withinMs: 10_000 }), [], 'nothing is left');
          const fewer = await waitUntil('the timers to be gone', () => timers() <= timersBefore).catch(String);
          t.equal(fewer, true, 'no timer is left');
        });
      }
    }
  });
}

/** What is loaded and opened once for all may stay: it is done before anything is counted. */
async function warmUp(harness: SshdHarnessOptions, sshd: Sshd): Promise<void> {
  await using own = new AsyncDisposableStack();
  await benchOf(harness, sshd, own).connect(sshd);
}

function benchOf({ transport, configSource }: SshdHarnessOptions, shared: Sshd, own: AsyncDisposableStack): FaultBench {
  return {
    sshd: shared,
    startSshd: async (options) => own.use(await startSshd({ mode: 'listen', ...options })),
    relay: async (conditions, sshd = shared) => own.use(await startFaultyRelay({ to: sshd.port, ...conditions })),
    use: (one) => own.use(one),
    async connect({ port, configFile = shared.configFile }, ...options) {
      const typed = { configFile, options: [`Port=${port}`, ...options] };
      const route = await resolveRoute(configSource, parseDestination(shared.destination), typed);
      const ways = { verifyHostKey: verifyByKnownHosts, authenticate: nobodyToAsk, log: silentLogger };
      return own.use(await transport.connect(route, ways));
    },
  };
}

/** Timers that would keep this process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
