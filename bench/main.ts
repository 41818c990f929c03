/**
 * Measures viassh beside its peers, in the same run, against an sshd of its own on the loopback interface.
 *
 *     node main.ts [--only WORDS] [--size MIB] [--rtt MS] [--repetitions N] [--json]
 */
import { spawnSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForSshd, startSshd } from '@viassh/testing';
import { brokerRaces, noBrokerRaces } from './broker.ts';
import { farAway } from './far-away.ts';
import { farRaces } from './far.ts';
import { forwardRaces } from './forward.ts';
import { libraryRaces } from './library.ts';
import { oneShotRaces } from './one-shot.ts';
import { framingRaces } from './ppp-framing.ts';
import { type LinkStanding, linkRaces, linkTable } from './ppp.ts';
import { remoteShellRaces } from './remote-shell.ts';
import { runRace, type Standing } from './race.ts';
import { type KeeperStanding, supervisionRaces, supervisionTable } from './supervision.ts';
import { table } from './table.ts';
import { x11Races } from './x11.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    size: { type: 'string', default: '512' },
    repetitions: { type: 'string', default: '5' },
    rtt: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const bytes = Number(values.size) * 1024 * 1024;
const repetitions = Number(values.repetitions);
const missing = await missingForSshd();
if (missing !== undefined) throw new Error(missing);

await using sshd = await startSshd({ mode: 'listen', config: ['LogLevel INFO', 'X11Forwarding yes'] });
process.env['VIASSH_RUNTIME_DIR'] = join(sshd.folder, 'run');
process.env['VIASSH_STATE_DIR'] = join(sshd.folder, 'state');
delete process.env['SSH_AUTH_SOCK'];
const file = join(sshd.folder, 'zeros');
await writeFile(file, '');
await truncate(file, bytes);

const machine = {
  ssh: spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim(),
  node: process.version,
  cpu: `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}`,
  load: loadavg()[0],
};
if (!values.json) {
  console.log(`${machine.ssh}; node ${machine.node}; ${machine.cpu}; load ${machine.load?.toFixed(1)}`);
  console.log(
    `${values.size} MiB, ${repetitions} rounds. A ratio above 1 is better than the peer of the same round.\n`,
  );
}

const rttMs = Number(values.rtt);
await using far = await farAway(sshd, rttMs);
await using servers = new AsyncDisposableStack();

const results: { title: string; standings: (Standing | KeeperStanding | LinkStanding)[] }[] = [];
for (const race of [
  ...oneShotRaces({ sshd, bytes, repetitions, file }),
  ...libraryRaces({ sshd, bytes, repetitions }),
  ...remoteShellRaces({ sshd, repetitions, bytes: 2 * bytes }),
  ...forwardRaces(servers, { sshd, bytes, repetitions }),
  ...brokerRaces(servers, { sshd, far: { sshd: far.sshd, rttMs }, bytes, repetitions, file }),
  ...noBrokerRaces(servers, sshd, repetitions),
  ...x11Races(servers, { sshd, bytes, repetitions }),
  ...farRaces({ sshd: far.sshd, rttMs, repetitions }),
  ...framingRaces({ bytes, repetitions }),
].filter(({ title }) => title.includes(values.only))) {
  const standings = await runRace(race);
  if (standings.length === 0) {
    leftOut(race.title);
    continue;
  }
  results.push({ title: race.title, standings });
  if (!values.json) console.log(table(race.title, standings));
}
for (const { title, run } of linkRaces(repetitions).filter((race) => race.title.includes(values.only))) {
  const standings = await run();
  if (standings.length === 0) {
    leftOut(title);
    continue;
  }
  results.push({ title, standings });
  if (!values.json) console.log(linkTable(title, standings));
}
for (const { title, run } of supervisionRaces(repetitions).filter((race) => race.title.includes(values.only))) {
  const standings = await run();
  results.push({ title, standings });
  if (!values.json) console.log(supervisionTable(title, standings));
}
if (values.json) console.log(JSON.stringify({ machine, bytes, repetitions, results }, undefined, 2));

function leftOut(title: string): void {
  console.error(`${title}: left out, this machine has not what it takes`);
}
