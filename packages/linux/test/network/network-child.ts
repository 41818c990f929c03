/** Does one thing with links, in the network that it is started in, and prints what came of it as JSON. */
import { writeSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { createLogger, isViasshError } from '@viassh/core';
import { createLinkNetwork, type LinkNetwork, type LinkPlan, openTunDevice, ownConnections } from '@viassh/linux';
import { createProgramRunner } from '@viassh/program';

interface Task {
  readonly stateFolder: string;
  readonly plans: readonly LinkPlan[];
  /** After each of these a line is said and one read. */
  readonly afterwards?: readonly ('down' | 'up' | 'keep' | { readonly set: LinkPlan } | { readonly deleted: string })[];
  /** Each is tried, and what it came to is said, when the device is gone again. */
  readonly refused?: readonly LinkPlan[];
  readonly connect?: { readonly host: string; readonly port: number };
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const said: string[] = [];
const log = createLogger('info', (_, line) => said.push(line));
const lines = (async function* () {
  for await (const chunk of process.stdin) yield String(chunk);
})();

async function say(what: unknown): Promise<void> {
  writeSync(1, `${JSON.stringify(what)}\n`);
  await lines.next();
}

try {
  const { connect: target } = task;
  if (target !== undefined) {
    const socket = connect(target);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.unref();
  }
  await using all = new AsyncDisposableStack();
  const network = createLinkNetwork({ programs: createProgramRunner(), log, stateFolder: task.stateFolder });
  const recovered = await network.recover();
  const peers = await ownConnections();
  const links = [];
  for (const plan of task.plans) {
    all.use(await openTunDevice({ mode: plan.mode, name: plan.device }));
    links.push(all.use(await network.link(target === undefined ? plan : { ...plan, keep: peers })));
  }
  await say({ up: links.length, recovered, peers, said });
  for (const step of task.afterwards ?? []) {
    if (step === 'down' || step === 'up') for (const link of links) await link.setCarrying(step === 'up');
    else if (step === 'keep') for (const link of links) await link.keep();
    else if ('set' in step) await links[0]?.set(step.set);
    else await createProgramRunner().run({ file: 'ip', args: ['link', 'delete', step.deleted] });
    await say({ did: step, said });
  }
  for (const plan of task.refused ?? []) {
    const outcome = await tryLink(network, plan).catch(toldError);
    await say(outcome);
  }
} catch (error) {
  writeSync(1, `${JSON.stringify(toldError(error))}\n`);
}
process.exit();

async function tryLink(network: LinkNetwork, plan: LinkPlan): Promise<unknown> {
  await using device = await openTunDevice({ mode: plan.mode, name: plan.device });
  await using _link = await network.link(plan);
  return device.name;
}

function toldError(error: unknown): unknown {
  return isViasshError(error) ? { code: error.code, message: error.message } : String(error);
}
