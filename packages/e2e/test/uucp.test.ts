import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram, listProcesses, missingForSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport, tidyTest } from './both-transports.ts';
import { printed } from './cvs-repository.ts';
import { runProgram } from './run-program.ts';
import { type AnsweringNode, putFile, startAnsweringNode, startCallingNode } from './uucp-nodes.ts';

const skip =
  (await missingForSshd()) ??
  ((await findProgram('uucico', ['/usr/sbin'])) === undefined
    ? 'no uucico that may be run here (Debian: apt-get install uucp; root or the group uucp)'
    : false);

const near = { name: 'near', login: 'Unear' };

/** What of the far node still runs. */
async function answering({ config, sshd }: AnsweringNode): Promise<string[]> {
  const processes = await listProcesses();
  return processes
    .filter(({ uid, command }) => uid === sshd.uid && command.includes(config))
    .map(({ command }) => command);
}

for (const [how, caller] of [
  ['a key that is the login', near],
  ['login and password asked for', { ...near, password: 'secret' }],
] as const) {
  onBothTransports(
    `uucp: two nodes exchange a file each way and a job, by the printed recipe and account (${how})`,
    async (t, transport) => {
      await using stack = new AsyncDisposableStack();
      const far = await startAnsweringNode(stack, [caller]);
      const node = await startCallingNode(stack, far, transport, caller);
      const bytes = randomBytes(300_000); // every byte value: a pipe that is not clean shows
      const there = await putFile(node.folder, 'there', bytes);
      await putFile(far.folder, 'back', bytes.toReversed());

      for (const [program, args, input] of [
        ['uucp', ['-r', there, 'far!~/there']],
        ['uucp', ['-r', 'far!~/back', '~/back']],
        ['uux', ['-r', '-', 'far!keep'], 'for the job'],
      ] as const) {
        const queued = await node.run(program, args, { input });
        t.equal(queued.code, 0, queued.stderr);
      }
      const { code } = await node.call();
      t.equal(code, 0, await node.log());
      t.match(await node.log(), /Handshake successful \(protocol 'y'\)/);
      t.match(await far.log(), /Incoming call \(login Unear port stdin\)/);
      t.ok(bytes.equals(await readFile(join(far.folder, 'public/there'))));
      t.ok(bytes.equals((await readFile(join(node.folder, 'public/back'))).toReversed()));
      const kept = async (): Promise<string> => await readFile(join(far.folder, 'public/kept'), 'utf8').catch(() => '');
      await waitUntil('the job to be run', async () => (await kept()) === 'for the job', { withinMs: 20_000 });
      await waitUntil('the far end to end', async () => (await answering(far)).length === 0, { withinMs: 20_000 });
    },
    skip,
  );
}

onBothTransports(
  'uucp: viassh uucp queues and calls in one go',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const far = await startAnsweringNode(stack, [near]);
    const node = await startCallingNode(stack, far, transport, near);
    const file = await putFile(node.folder, 'a file', 'in one go');
    const { VIASSH_SSH_OPTIONS: _, VIASSH_TRANSPORT: __, ...env } = node.env;
    const options = ['-F', node.clientConfig, '--transport', transport];
    const { code, stderr } = await runProgram('viassh', [...options, 'uucp', file, 'far!~/'], { env });
    t.equal(code, 0, stderr + (await node.log()));
    t.equal(await readFile(join(far.folder, 'public/a file'), 'utf8'), 'in one go');
    const lost = await runProgram('viassh', ['-i', '/nowhere', 'uucp', file, 'far!~/'], {
      env: { ...env, UUCP_CONFIG: '' },
    });
    t.not(lost.code, 0);
    t.match(lost.stderr, /options do not reach the system's uucico/);
    await waitUntil('the far end to end', async () => (await answering(far)).length === 0, { withinMs: 20_000 });
  },
  skip,
);

onTransport(
  'openssh',
  'uucp: the key of the account gets no shell and no other command, and cannot call as another',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const other = { name: 'other', login: 'Uother' };
    const far = await startAnsweringNode(stack, [near, other]);
    const node = await startCallingNode(stack, far, transport, near);
    const thief = await startCallingNode(stack, far, transport, { name: 'near', login: 'Uother' });
    await thief.run('uucp', ['-r', await putFile(thief.folder, 'x', 'x'), 'far!~/x']);
    t.not((await thief.call()).code, 0);
    t.match(await far.log(), /Call from unexpected login|not permitted|used wrong login|login/i);

    for (const words of [
      ['t', `touch '${far.folder}/ran'`],
      ['-tt', 't'],
      ['-W', '127.0.0.1:9', 't'],
    ])
      await runProgram('viassh-ssh', words, { env: node.env, input: `touch '${far.folder}/ran'\n` });
    t.notOk((await readdir(far.folder)).includes('ran'));
    t.same(await readdir(join(far.folder, 'public')), []);
    const log = await far.sshd.log();
    t.match(log, /req pty-req/);
    t.notMatch(log, /Allocating pty/);
    t.match(log, /refused local port forward/);
    await waitUntil('the far end to end', async () => (await answering(far)).length === 0, { withinMs: 20_000 });
  },
  skip,
);

onTransport(
  'ssh2',
  'uucp: uux runs what commands names and nothing else',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const far = await startAnsweringNode(stack, [near]);
    const node = await startCallingNode(stack, far, transport, near);
    await node.run('uux', ['-r', `far!touch ${far.folder}/public/ran`]);
    await node.run('uux', ['-r', '-', 'far!keep'], { input: 'afterwards' });
    t.equal((await node.call()).code, 0, await node.log());
    await waitUntil('the refusal', async () => /Not permitted to execute touch/.test(await far.log()), {
      withinMs: 20_000,
    });
    await waitUntil('the job', async () => (await readdir(join(far.folder, 'public'))).includes('kept'), {
      withinMs: 20_000,
    });
    t.notOk((await readdir(join(far.folder, 'public'))).includes('ran'));
    await waitUntil('the far end to end', async () => (await answering(far)).length === 0, { withinMs: 20_000 });
  },
  skip,
);

onBothTransports(
  'uucp: a server that dies in the middle: the call fails, the next one goes on from there',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const far = await startAnsweringNode(stack, [near]);
    const node = await startCallingNode(stack, far, transport, near);
    const bytes = randomBytes(60_000_000); // far more than passes between two looks
    await node.run('uucp', ['-r', await putFile(node.folder, 'large', bytes), 'far!~/large']);

    const partial = async (): Promise<boolean> =>
      (await sizes(join(far.folder, 'spool'))).some((size) => size > 1_000_000);
    const broken = node.call();
    await waitUntil('a part of the file to arrive', partial, { withinMs: 20_000 });
    for (const pid of await far.sshd.processes()) if (pid !== far.sshd.pid) process.kill(pid, 'SIGKILL');
    t.not((await broken).code, 0);
    await waitUntil('the far end to end', async () => (await answering(far)).length === 0, { withinMs: 20_000 });

    t.equal((await node.call()).code, 0, await node.log());
    t.match(await node.log(), /Sending .*\(60000000 bytes\)[^]*ERROR[^]*Sending .* bytes resume at \d{7}/);
    t.ok(bytes.equals(await readFile(join(far.folder, 'public/large'))));
  },
  skip,
);

onBothTransports(
  'uucp: a caller that is killed leaves nothing running, and the next call goes through',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const far = await startAnsweringNode(stack, [near]);
    const node = await startCallingNode(stack, far, transport, near);
    const bytes = randomBytes(60_000_000); // far more than passes between two looks
    await node.run('uucp', ['-r', await putFile(node.folder, 'large', bytes), 'far!~/large']);
    const killed = node.call();
    await waitUntil(
      'a part of the file to arrive',
      async () => (await sizes(join(far.folder, 'spool'))).some((size) => size > 1_000_000),
      {
        withinMs: 20_000,
      },
    );
    for (const { pid, command } of await listProcesses())
      if (command.startsWith('uucico') && command.includes(node.folder)) process.kill(pid, 'SIGKILL');
    t.equal((await killed).signal, 'SIGKILL');
    await waitUntil(
      'both ends to be gone',
      async () => {
        const left = (await listProcesses()).some(({ command }) => command.includes(node.folder));
        return !left && (await answering(far)).length === 0;
      },
      { withinMs: 20_000 },
    );
    t.equal((await node.call()).code, 0, await node.log());
    t.ok(bytes.equals(await readFile(join(far.folder, 'public/large'))));
  },
  skip,
);

onBothTransports(
  'uucp: why a call failed is in the log of the remote shell, as uucico throws stderr away',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const far = await startAnsweringNode(stack, [near]);
    const node = await startCallingNode(stack, far, transport, near);
    await writeFile(node.clientConfig, (await readFile(node.clientConfig, 'utf8')).replace(/IdentityFile .*\n/, ''));
    const { code } = await node.run('uucico', ['-D', '-S', 'far'], {
      env: { ...node.env, VIASSH_SSH_OPTIONS: JSON.stringify(['-F', node.clientConfig, '-i', '/nowhere']) },
    });
    t.not(code, 0);
    t.match(await readFile(join(node.folder, 'log/viassh'), 'utf8'), /ermission denied|AUTH_FAILED/);
  },
  skip,
);

/** Sizes of all files below a folder. */
async function sizes(folder: string): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  return await Promise.all(
    entries.map((name) =>
      stat(join(folder, name)).then(
        (entry) => (entry.isFile() ? entry.size : 0),
        () => 0,
      ),
    ),
  );
}

tidyTest(
  'uucp: the recipe writes nothing for a name or a path that UUCP would read as something else',
  async (t) => {
    const recipe = await printed(['recipe', 'uucp', 'far']);
    const folder = t.testdir();
    for (const env of [
      { UUCP_SYSTEM: '-oProxyCommand=touch x' },
      { UUCP_SYSTEM: ';touch x' },
      { UUCP_SYSTEM: 'a\ncommand touch x' },
      { UUCP_NODENAME: '$(touch x)' },
      { UUCP_LOGIN: 'a b', UUCP_PASSWORD: 'c' },
      { UUCP_LOGIN: 'a' },
      { UUCP_LOGIN: 'a', UUCP_PASSWORD: 'b\ncommand' },
      { UUCP_CONFIG: join(folder, 'a b') },
      { UUCP_CONFIG: join(folder, 'a\n') },
      { UUCP_CONFIG: 'relative' },
    ]) {
      const { code, stderr } = await runProgram('sh', [], {
        input: recipe,
        cwd: folder,
        env: { UUCP_CONFIG: join(folder, 'node'), UUCP_NODENAME: 'near', ...env },
      });
      t.equal(code, 64, JSON.stringify(env) + stderr);
      t.same(await readdir(folder), [], JSON.stringify(env));
    }
    const env = { UUCP_CONFIG: join(folder, 'node'), UUCP_NODENAME: 'near' };
    t.equal((await runProgram('sh', [], { input: recipe, env })).code, 0);
    const twice = await runProgram('sh', [], { input: recipe, env });
    t.equal(twice.code, 64);
    t.match(twice.stderr, /has the system far already/);
  },
  skip,
);
