import t from 'tap';
import { type ProgramOutput, type ProgramRunner, silentLogger, ViasshError } from '@viassh/core';
import { withBlock, withoutBlock } from '../../src/network/marked-text.ts';
import { createNameServers } from '../../src/network/name-servers.ts';

function fail(): never {
  throw new ViasshError('PROGRAM_NOT_FOUND', 'not here');
}

/** A machine with these programs: what they are called with is all that is known of them. */
function machine(...there: readonly string[]): { programs: ProgramRunner; calls: string[] } {
  const calls: string[] = [];
  const programs: ProgramRunner = {
    start: async () => fail(),
    async run({ file, args, input }): Promise<ProgramOutput> {
      if (!there.includes(file)) fail();
      calls.push([file, ...args, ...(input === undefined ? [] : [`<${input}`])].join(' '));
      return { exit: { kind: 'status', code: 0 }, stdout: '', stderr: '' };
    },
  };
  return { programs, calls };
}

t.test('each way is told, and told to forget', async (t) => {
  const ways = {
    resolved: ['resolvectl dns vt0 10.9.0.2 fd00::2', 'resolvectl domain vt0 ~.', 'resolvectl revert vt0'],
    resolvconf: ['resolvconf -a vt0.viassh <nameserver 10.9.0.2\nnameserver fd00::2\n', 'resolvconf -d vt0.viassh'],
  } as const;
  for (const way of ['resolved', 'resolvconf'] as const) {
    const { programs, calls } = machine('resolvectl', 'resolvconf');
    const nameServers = createNameServers(programs, silentLogger);
    const step = { kind: 'dns', way, device: 'vt0', servers: ['10.9.0.2', 'fd00::2'] } as const;
    await nameServers.set(step);
    await nameServers.undo(step);
    t.strictSame(calls, ways[way]);
  }
});

t.test('what cannot be told is an error, and what cannot be taken back is none', async (t) => {
  const nameServers = createNameServers(machine().programs, silentLogger);
  const step = { kind: 'dns', way: 'resolvconf', device: 'vt0', servers: ['10.9.0.2'] } as const;
  await t.rejects(nameServers.set(step), { code: 'PROGRAM_NOT_FOUND' });
  await t.resolves(nameServers.undo(step));
});

t.test('blocks of several links come and go in any order, and the file is as it was, byte for byte', async (t) => {
  const hide = /^\s*nameserver\s/;
  for (const text of ['', 'nameserver 192.0.2.53\nsearch example\n', '# no newline\n nameserver 1.1.1.1', '\n\n']) {
    const one = withBlock(text, 'vt0', ['nameserver 10.9.0.2'], hide);
    const both = withBlock(one, 'vt1', ['nameserver 10.8.0.2'], hide);
    t.strictSame(both.match(/^\s*nameserver .*$/gm), ['nameserver 10.8.0.2', 'nameserver 10.9.0.2']);
    t.equal(withBlock(both, 'vt1', ['nameserver 10.8.0.2'], hide), both, 'twice is once');
    t.equal(withoutBlock(withoutBlock(both, 'vt0'), 'vt1'), text);
    t.equal(withoutBlock(withoutBlock(both, 'vt1'), 'vt0'), text);
    t.equal(withoutBlock(text, 'vt0'), text);
    const changed = `${both}\noptions edns0\n`;
    t.equal(withoutBlock(withoutBlock(changed, 'vt1'), 'vt0'), `${text}\noptions edns0\n`, 'others write there, too');
  }
});
