import type { ResolvedDestination } from '@viassh/core';
import t from 'tap';
import { masterArguments, type MasterRole, plainHelper } from '../../src/master/master-arguments.ts';

const hop = {
  destination: { host: 'gate' },
  typed: { forwardAgent: true, proxyJump: 'elsewhere', options: ['ForwardAgent=yes'] },
  hostName: 'gate',
  port: 22,
  forwardAgent: true,
  serverAliveInterval: 0,
  strictHostKeyChecking: 'ask',
  hostKeyAlgorithms: [],
  raw: new Map<string, string[]>(),
} as unknown as ResolvedDestination;
const paths = { socket: '/s', log: '/log' };
const role: MasterRole = { way: { kind: 'direct' }, isLast: true };

/** The value that ssh takes: the first one. */
function valueOf(args: readonly string[], name: string): string | undefined {
  const prefix = `${name}=`;
  return args.find((arg, index) => args[index - 1] === '-o' && arg.startsWith(prefix))?.slice(prefix.length);
}

function agentOf(forwardAgent: boolean | string, isLast = true): string | undefined {
  return valueOf(masterArguments({ ...hop, forwardAgent }, paths, { ...role, isLast }), 'ForwardAgent');
}

t.test('an agent is forwarded to the last hop alone, as resolved', async (t) => {
  t.equal(agentOf(true), 'yes');
  t.equal(agentOf(false), 'no');
  t.equal(agentOf('/run/a "gent" 100%'), '"/run/a \\"gent\\" 100%%"');
  t.equal(agentOf(true, false), 'no');
});

function keepaliveOf(more: Partial<ResolvedDestination>): string | undefined {
  return valueOf(masterArguments({ ...hop, ...more }, paths, role), 'ServerAliveInterval');
}

t.test('keepalives come also where nothing is configured, and are off where that was typed', async (t) => {
  t.equal(keepaliveOf({}), '15');
  t.equal(keepaliveOf({ serverAliveInterval: 7 }), '7');
  t.equal(keepaliveOf({ typed: { options: ['serveraliveinterval 0'] } }), '0');
});

t.test('nothing typed overrules the way or the agent', async (t) => {
  const args = masterArguments(hop, paths, { way: { kind: 'stdio' }, isLast: false });
  t.equal(valueOf(args, 'ProxyCommand'), '-');
  for (const flag of ['-A', '-a', '-J']) t.notOk(args.includes(flag), flag);
});

t.test('what only newer ssh know is undone where the configuration has it', async (t) => {
  const raw = new Map([
    ['remotecommand', ['top']],
    ['forkafterauthentication', ['yes']],
  ]);
  const newer = ['RemoteCommand=none', 'ForkAfterAuthentication=no'];
  t.strictSame(plainHelper({ raw }).slice(-2), newer);
  t.notOk(plainHelper(hop).some((option) => newer.includes(option)));
});
