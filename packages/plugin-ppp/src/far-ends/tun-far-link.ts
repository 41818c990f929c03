import { pipe, type TunRequest, ViasshError } from '@viassh/core';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { tunCarrier } from '../carrier/tun-carrier.ts';
import { sourcesOf, USUAL_MTU } from '../plan/link-plan.ts';
import { mirrored } from '../plan/parse-link-address.ts';
import type { FarLink, FarLinkRequest } from './far-link.ts';
import { readTunSetup, tunSetupCommand, type TunSetupResult } from './tun-setup.ts';

/** A tun device of the far sshd (`tun@openssh.com`), which gives it no addresses: a command there does, where it may. */
export async function openTunLink(request: FarLinkRequest): Promise<FarLink> {
  const { connection, plan, usual, log, signal } = request;
  const tun: TunRequest = { mode: plan.mode, unit: plan.unit, signal };
  const channel = await connection.openTun(tun);
  const addresses = plan.addresses.length > 0 ? plan.addresses : usual;
  const mtu = plan.mtu ?? USUAL_MTU;
  const carrier = tunCarrier(channel, { mtu, addresses, acceptFrom: sourcesOf(plan) });
  try {
    const terms = await carrier.agreed;
    const result = await setUpThere(request, addresses, terms.mtu);
    const problem = problemOf(result, request, terms.mtu);
    if (problem !== undefined && plan.far.length > 1) throw problem;
    if (problem !== undefined) log.warning(`${problem.message}; ${problem.hint ?? ''}`);
    const what = result.kind === 'unknown' ? 'a tun device of the far end' : `${result.device} of the far end`;
    return {
      kind: 'tun',
      carrier,
      terms,
      what,
      ended: () => Promise.resolve(undefined),
      explain: async (error) => error,
    };
  } catch (error) {
    await carrier.close();
    throw error;
  }
}

async function setUpThere(
  { connection, log, signal }: FarLinkRequest,
  addresses: FarLinkRequest['usual'],
  mtu: number,
): Promise<TunSetupResult> {
  const stdout = new PassThrough();
  try {
    const said = text(stdout);
    const command = tunSetupCommand(addresses, mtu);
    const { channel, exit } = await pipe(connection, { kind: 'exec', command, signal }, { stdout, signal });
    channel.stderr.on('data', (chunk: Buffer) => log.info(`the far end: ${chunk.toString('utf8').trim()}`));
    channel.end();
    await exit;
    stdout.end();
    return readTunSetup(await said);
  } catch (error) {
    if (signal.aborted) throw error;
    log.info(`no command on the far end: ${error instanceof Error ? error.message : String(error)}`);
    return { kind: 'unknown' };
  }
}

function problemOf(result: TunSetupResult, { plan, usual }: FarLinkRequest, mtu: number): ViasshError | undefined {
  if (result.kind === 'ok') return undefined;
  const device = result.kind === 'unknown' ? 'tunN' : result.device;
  const theirs = (plan.addresses.length > 0 ? plan.addresses : usual).flatMap((address) => mirrored(address) ?? []);
  const commands = [
    ...theirs.map(({ local, remote }) => `ip address add ${local} peer ${remote ?? ''} dev ${device}`),
    `ip link set ${device} mtu ${mtu} up`,
  ];
  const why = {
    unknown: 'no command could be run there that knows the device',
    'no-ip': 'the program ip is missing there',
    failed: 'the account may not set it up',
  }[result.kind];
  return new ViasshError('FAR_LINK_MISSING', `the tun device of the far end has no addresses of ours: ${why}`, {
    hint: `root there does it by: ${commands.join('; ')}`,
  });
}
