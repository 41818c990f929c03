import { createProgramRunner } from '@viassh/program';
import t from 'tap';
import { wayOptions } from '../../src/master/way.ts';

const through = { kind: 'through', sshFile: '/opt/my ssh/100%/ssh', socketPath: '/run/m-x/s' } as const;

/** The words that ssh starts: tokens expanded, and then the shell. */
async function wordsOf(hostName: string): Promise<string[]> {
  const [option = ''] = wayOptions({ hostName, port: 2222 }, through);
  const command = option.replace(/^ProxyCommand=/, '').replaceAll('%%', '\0');
  if (command.includes('%')) throw new Error(`a token is left: ${command}`);
  const script = `printf '%s\\n' ${command.replaceAll('\0', '%')}`;
  return (await createProgramRunner().run({ file: '/bin/sh', args: ['-c', script] })).stdout.trimEnd().split('\n');
}

for (const hostName of ['gate', '::1', 'fe80::1%eth0', '-oProxyCommand=id', "a'b $(id)"]) {
  t.test(`${hostName} is one word, and never an option`, async (t) => {
    t.strictSame(await wordsOf(hostName), [
      '/opt/my ssh/100%/ssh',
      '-F',
      'none',
      '-S',
      '/run/m-x/s',
      '-o',
      'ProxyCommand=/bin/false',
      '-W',
      `[${hostName}]:2222`,
      '--',
      'hop',
    ]);
  });
}

t.test('reached directly, a hop has its own ProxyCommand or none at all', async (t) => {
  const hop = { hostName: 'gate', port: 22 };
  t.strictSame(wayOptions({ ...hop, proxyCommand: 'nc %h %p' }, { kind: 'direct' }), []);
  t.strictSame(wayOptions(hop, { kind: 'direct' }), ['ProxyCommand=none']);
  t.match(wayOptions({ ...hop, proxyCommand: 'nc %h %p' }, { kind: 'stdio' }), ['ProxyCommand=-']);
});
